// Solves A x = b for one symmetric positive definite A = U'U, by a blocked right-looking Cholesky.
#pragma once
#include <cmath>
#include <limits>

#include "gram.h"

namespace alsatian {

// a: upper triangle, row-major, n rows of ld >= width = padded<T>(n) numbers; destroyed.
// b: right side padded with zeros, x on return. diagonal: scratch of n numbers.
// Returns -1, or the first row that depends on those before it to working precision: A is singular.
template <class T>
int solve_spd(T* a, long ld, int n, int width, T* b, T* diagonal) {
    using S = Simd<T>;
    constexpr int lanes = S::lanes, block = 2 * lanes;
    for (int e = 0; e < n; ++e) diagonal[e] = a[e * ld + e];
    for (int start = 0; start < n; start += block) {
        const int stop = start + block < n ? start + block : n;
        for (int e = start; e < stop; ++e) {
            T* row = a + e * ld;
            const T pivot = row[e];
            if (!(pivot > std::numeric_limits<T>::epsilon() * diagonal[e]) || !std::isfinite(pivot)) return e;
            const int from = e / lanes * lanes;
            const T inverse = 1 / std::sqrt(pivot);
            for (int c = from; c < e; ++c) row[c] = 0;  // below the diagonal: keeps whole vectors harmless
            for (int c = from; c < width; c += lanes) S::store(row + c, S::load(row + c) * inverse);
            for (int f = e + 1; f < stop; ++f) {
                const int at = f / lanes * lanes;
                axpy(-row[f], row + at, a + f * ld + at, width - at);
            }
            const T z = b[e] * inverse;  // U' z = b, row by row
            axpy(-z, row + from, b + from, width - from);
            b[e] = z;
        }
        rank_update<T, true>(a, ld, a + start * ld, ld, a + start * ld, ld, stop - start, start + block, n, width);
    }
    for (int e = n - 1; e >= 0; --e) {  // U x = z, from the last row up
        const T* row = a + e * ld;
        const int from = e / lanes * lanes;
        const T z = b[e];
        b[e] = 0;
        b[e] = (z - dot(row + from, b + from, width - from)) / row[e];
    }
    return -1;
}

}  // namespace alsatian
