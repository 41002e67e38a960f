// Sparse matrices in compressed rows.
#pragma once
#include <cstdint>

namespace alsatian {

// Compressed rows; indices ascend within a row.
struct Sparse {
    int64_t rows;
    const int64_t* indptr;
    const int32_t* indices;
    const float* values;
};

}  // namespace alsatian
