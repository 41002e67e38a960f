// Sorting of columns; see binding.h.
#include <nanobind/stl/vector.h>

#include <string>

#include "bindings/binding.h"
#include "sort/counting_sort.h"

using namespace alsatian;

namespace {

template <class Array>
int entry_bytes(const Array& column) {
    const int bytes = static_cast<int>(column.itemsize());
    require(bytes == 4 || bytes == 8, "columns must have entries of 4 or 8 bytes");
    return bytes;
}

void py_counting_sort(Array<const int32_t, 1> keys, std::vector<AnyInput> columns, std::vector<AnyColumn> outputs,
                      Array<int64_t, 1> indptr, int threads) {
    require(columns.size() == outputs.size() && indptr.shape(0) > 0, "every column needs an output");
    std::vector<Column> moved;
    for (size_t c = 0; c < columns.size(); ++c) {
        const int bytes = entry_bytes(columns[c]);
        require(static_cast<int>(outputs[c].itemsize()) == bytes, "an output must have the type of its column");
        require(columns[c].shape(0) == keys.shape(0) && outputs[c].shape(0) == keys.shape(0),
                "columns must be as long as keys");
        moved.push_back({columns[c].data(), outputs[c].data(), bytes});
    }
    const int64_t bad = run(threads, [&] {
        return counting_sort(keys.data(), keys.shape(0), indptr.shape(0) - 1, moved, indptr.data(), threads);
    });
    if (bad >= 0) throw std::out_of_range("key " + std::to_string(keys(bad)) + " is out of range");
}

int64_t py_sort_rows(Array<const int64_t, 1> indptr, Array<int32_t, 1> keys, std::vector<AnyColumn> columns,
                     int threads) {
    check_rows(indptr, keys.shape(0));
    std::vector<Column> moved;
    for (const AnyColumn& column : columns) {
        require(column.shape(0) == keys.shape(0), "columns must be as long as keys");
        moved.push_back({nullptr, column.data(), entry_bytes(column)});
    }
    check_indices(keys.data(), keys.shape(0), size_t{1} << 31, "a key is negative");
    for (size_t r = 0; r + 1 < indptr.shape(0); ++r)
        require(indptr(r + 1) - indptr(r) < int64_t{1} << 32, "a row is too long");
    return run(threads, [&] { return sort_rows(indptr.data(), indptr.shape(0) - 1, keys.data(), moved, threads); });
}

}  // namespace

void alsatian::bind_sort(nb::module_& m) {
    using namespace nb::literals;
    m.def("counting_sort", &py_counting_sort, "keys"_a.noconvert(), "columns"_a.noconvert(), "outputs"_a.noconvert(),
          "indptr"_a.noconvert(), "threads"_a);
    m.def("sort_rows", &py_sort_rows, "indptr"_a.noconvert(), "keys"_a.noconvert(), "columns"_a.noconvert(),
          "threads"_a);
}
