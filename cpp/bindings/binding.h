// What the bindings share: arrays as kernels take them, checks, and calls without the GIL.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "common/parallel.h"

namespace nb = nanobind;

namespace alsatian {

template <class T, int Dimensions>
using Array = nb::ndarray<T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;
template <class T, int Dimensions>
using Maybe = std::optional<Array<T, Dimensions>>;
using AnyColumn = nb::ndarray<nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using AnyInput = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

inline void require(bool condition, const char* what) {
    if (!condition) throw std::invalid_argument(what);
}

template <class Optional>
auto pointer(const Optional& array) {
    return array ? array->data() : nullptr;
}

// Runs a kernel without the GIL; a Ctrl-C seen while waiting becomes KeyboardInterrupt.
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
    uint32_t largest = 0;  // a negative one becomes large
    for (size_t i = 0; i < count; ++i) largest = std::max(largest, static_cast<uint32_t>(indices[i]));
    require(count == 0 || largest < bound, what);
}

// `seen` has a row for each of `queries`, and those that `rows` name lie within its indices.
inline void check_seen(const Array<const int32_t, 1>& rows, size_t queries, const Array<const int64_t, 1>& indptr,
                       const Array<const int32_t, 1>& indices) {
    require(indptr.shape(0) == queries + 1, "seen must have one row a query");
    for (size_t i = 0; i < rows.shape(0); ++i) {
        const int64_t begin = indptr(rows(i)), end = indptr(rows(i) + 1);
        require(0 <= begin && begin <= end && end <= static_cast<int64_t>(indices.shape(0)), "seen rows out of bounds");
    }
}

}  // namespace alsatian
