// Stable counting sort of whole columns by a row-number key: how compressed rows are built and transposed.
#pragma once
#include <cstdint>
#include <vector>

namespace alsatian {

struct Column {
    const void* from;
    void* to;
    int bytes;  // of one entry: 4 or 8
};

// keys in [0, n_keys); indptr has n_keys + 1 places. Returns the first place whose key is out of range, or -1.
int64_t counting_sort(const int32_t* keys, int64_t count, int64_t n_keys, const std::vector<Column>& columns,
                      int64_t* indptr, int threads);

// Sorts each row's keys in place, and the columns with them; equal keys keep their order. Returns how many entries have
// the key of the one before them.
int64_t sort_rows(const int64_t* indptr, int64_t rows, int32_t* keys, const std::vector<Column>& columns, int threads);

}  // namespace alsatian
