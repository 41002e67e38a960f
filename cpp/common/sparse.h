// Rows of which only the entries are stored.
#pragma once
#include <cstdint>

namespace alsatian {

// Compressed rows; the indices ascend within a row.
struct Sparse {
    int64_t rows;
    const int64_t* indptr;
    const int32_t* indices;
    const float* values;
};

}  // namespace alsatian
