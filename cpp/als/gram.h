// The Gram matrix of all factors of one side.
#pragma once
#include <cstdint>

namespace alsatian {

// out = scale F'F, F being factors (rows, k); symmetric. Summed over fixed blocks of rows in their order, so that the
// number of threads changes nothing.
template <class T>
void gram(const T* factors, int64_t rows, int k, double scale, T* out, int threads);

}  // namespace alsatian
