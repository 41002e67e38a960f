// Shared code of the bindings: casts of arrays and named tuples, checks, and calls without the GIL.
//
// Arrays must have the type, the number of dimensions and the layout of their parameter. They are not converted, and a
// mismatch raises TypeError. The caller allocates the outputs. Shapes and values, such as an index out of bounds, are
// checked here and raise ValueError; kernels check nothing.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "common/parallel.h"
#include "common/sparse.h"

namespace nb = nanobind;

namespace alsatian {

template <class T, int Dimensions>
using Array = nb::ndarray<T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;
template <class T, int Dimensions>
using Maybe = std::optional<Array<T, Dimensions>>;
using AnyColumn = nb::ndarray<nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using AnyInput = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Converts a Python tuple, named or not, to a struct with the same members in the same order. It reads the members in
// place; nanobind's caster of std::tuple would first copy a named tuple into a plain one.
template <class Struct, class... Members>
struct TupleCaster {
    using Value = Struct;
    using Indices = std::index_sequence_for<Members...>;
    template <class>
    using Cast = Struct;
    static constexpr auto Name = nb::detail::make_caster<std::tuple<Members...>>::Name;

    template <class Flags>
    bool from_python(nb::handle source, Flags flags, nb::detail::cleanup_list* cleanup) noexcept {
        if (!PyTuple_Check(source.ptr()) || PyTuple_GET_SIZE(source.ptr()) != sizeof...(Members)) return false;
        // If a parameter accepts None for the tuple, its members still do not accept None.
        const auto accepts_none = static_cast<Flags>(nb::detail::cast_flags::accepts_none);
        return load(source, static_cast<Flags>(flags & ~accepts_none), cleanup, Indices());
    }

    template <class>
    bool can_cast() const noexcept {
        return true;
    }

    explicit operator Struct() { return make(Indices()); }

private:
    template <class Flags, size_t... I>
    bool load(nb::handle source, Flags flags, nb::detail::cleanup_list* cleanup, std::index_sequence<I...>) noexcept {
        return (std::get<I>(casters_).from_python(PyTuple_GET_ITEM(source.ptr(), I), flags, cleanup) && ...);
    }

    template <size_t... I>
    Struct make(std::index_sequence<I...>) {
        return Struct{std::get<I>(casters_).operator nb::detail::cast_t<Members>()...};
    }

    std::tuple<nb::detail::make_caster<Members>...> casters_;
};

// kernels.Sparse: compressed rows with values.
struct SparseArrays {
    Array<const int64_t, 1> indptr;
    Array<const int32_t, 1> indices;
    Array<const float, 1> values;
};

inline void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

template <class Optional>
auto pointer(const Optional& array) {
    return array ? array->data() : nullptr;
}

// Runs a kernel without the GIL. Ctrl-C raises KeyboardInterrupt.
template <class Work>
auto run(int threads, const Work& work) {
    require(threads >= 1, "threads must be 1 or more");
    try {
        nb::gil_scoped_release released;
        return work();
    } catch (const Cancelled&) {
        throw nb::python_error();  // PyErr_CheckSignals has set it
    }
}

inline void check_rows(const Array<const int64_t, 1>& indptr, size_t entries) {
    require(indptr.shape(0) > 0 && indptr(0) == 0, "indptr must begin with 0");
    for (size_t r = 0; r + 1 < indptr.shape(0); ++r) require(indptr(r) <= indptr(r + 1), "indptr must not descend");
    require(static_cast<size_t>(indptr(indptr.shape(0) - 1)) == entries, "indptr must end with the number of entries");
}

inline void check_indices(const int32_t* indices, size_t count, size_t bound, const char* what) {
    uint32_t largest = 0;  // negative indices become large
    for (size_t i = 0; i < count; ++i) largest = std::max(largest, static_cast<uint32_t>(indices[i]));
    require(count == 0 || largest < bound, what);
}

// Compressed rows whose indices are below `columns`.
inline Sparse checked(const SparseArrays& rows, size_t columns) {
    check_rows(rows.indptr, rows.indices.shape(0));
    require(rows.values.shape(0) == rows.indices.shape(0), "values and indices must have the same length");
    check_indices(rows.indices.data(), rows.indices.shape(0), columns, "an index is out of bounds");
    return {static_cast<int64_t>(rows.indptr.shape(0)) - 1, rows.indptr.data(), rows.indices.data(),
            rows.values.data()};
}

void bind_als(nb::module_& m);
void bind_neighbors(nb::module_& m);
void bind_sgd(nb::module_& m);
void bind_sort(nb::module_& m);
void bind_text(nb::module_& m);
void bind_topk(nb::module_& m);

}  // namespace alsatian

template <>
struct nanobind::detail::type_caster<alsatian::SparseArrays>
    : alsatian::TupleCaster<alsatian::SparseArrays, alsatian::Array<const int64_t, 1>,
                            alsatian::Array<const int32_t, 1>, alsatian::Array<const float, 1>> {};
