// The Gram matrix of all factors of one side.
#pragma once
#include <cstdint>

namespace alsatian {

// out = scale F'F for the factors F (rows, k); symmetric. Summed over fixed blocks of rows in order, so that the result
// does not depend on the number of threads.
template <class T>
void gram(const T* factors, int64_t rows, int k, double scale, T* out, int threads);

}  // namespace alsatian
