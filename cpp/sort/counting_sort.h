// Stable counting sort of columns by row numbers, to build and transpose compressed rows.
#pragma once
#include <cstdint>
#include <vector>

namespace alsatian {

struct Column {
    const void* from;
    void* to;
    int bytes;  // per entry: 4 or 8
};

// keys in [0, n_keys); indptr has n_keys + 1 elements. Returns the first position of a key out of range, or -1.
int64_t counting_sort(const int32_t* keys, int64_t count, int64_t n_keys, const std::vector<Column>& columns,
                      int64_t* indptr, int threads);

// Stably sorts the keys of each row in place, and the columns with them. Returns the number of entries with the same
// key as the previous entry of their row.
int64_t sort_rows(const int64_t* indptr, int64_t rows, int32_t* keys, const std::vector<Column>& columns, int threads);

}  // namespace alsatian
