// Solves A x = b for one symmetric positive definite A = U'U, by a blocked left-looking Cholesky.
//
// A block is two vectors of rows. First the tiles of tiles.h subtract what all rows above explain, at once and
// deep. Then its two half-blocks are factored in turn: the small triangle on the diagonal, whose every step waits
// for a square root, and the columns to its right, a vector at a time in registers, with no waiting.
#pragma once
#include <cmath>
#include <limits>

#include "tiles.h"

namespace alsatian {

// Factors the triangle of `rows` <= lanes rows on the diagonal (one vector wide); inverse[e] = 1 / U[e][e].
// Returns the first row that depends on those before it to working precision, or -1.
template <class T>
int factor_triangle(T* a, long ld, int rows, const T* diagonal, T* inverse) {
    using S = Simd<T>;
    typename S::Vector row[S::lanes];
    UNROLL for (int e = 0; e < S::lanes; ++e) row[e] = e < rows ? S::load(a + e * ld) : typename S::Vector{};
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        if (e >= rows) break;
        const T pivot = row[e][e];
        if (!(pivot > std::numeric_limits<T>::epsilon() * diagonal[e]) || !std::isfinite(pivot)) return e;
        inverse[e] = 1 / std::sqrt(pivot);
        row[e] *= inverse[e];
        UNROLL for (int f = e + 1; f < S::lanes; ++f) row[f] -= row[e][f] * row[e];
    }
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        if (e >= rows) break;
        UNROLL for (int c = 0; c < S::lanes; ++c)
            if (c < e) row[e][c] = 0;  // below the diagonal: whole vectors become harmless
        S::store(a + e * ld, row[e]);
    }
    return -1;
}

// Divides one vector of columns, in the rows of a triangle, by its transpose: U'^-1 A.
template <class T>
void divide_column(const T* triangle, T* a, long ld, const T* inverse) {
    using S = Simd<T>;
    typename S::Vector row[S::lanes];
    UNROLL for (int e = 0; e < S::lanes; ++e) row[e] = S::load(a + e * ld);
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        row[e] *= inverse[e];
        UNROLL for (int f = e + 1; f < S::lanes; ++f) row[f] -= triangle[e * ld + f] * row[e];
        S::store(a + e * ld, row[e]);
    }
}

// Solves U'z = b, then U x = z, in place, a vector of rows at a time: only the small triangles are walked one by one.
template <class T>
void substitute(const T* u, long ld, int n, int width, const T* inverse, T* b) {
    using S = Simd<T>;
    constexpr int lanes = S::lanes;
    for (int start = 0; start < n; start += lanes) {
        const int rows = n - start < lanes ? n - start : lanes;
        const T* corner = u + start * ld + start;
        T* z = b + start;
        for (int e = 0; e < rows; ++e) {
            for (int f = 0; f < e; ++f) z[e] -= corner[f * ld + e] * z[f];
            z[e] *= inverse[start + e];
        }
        for (int c = lanes; c < width - start; c += lanes) {
            auto rest = S::load(z + c);
            for (int e = 0; e < rows; ++e) rest -= z[e] * S::load(corner + e * ld + c);
            S::store(z + c, rest);
        }
    }
    for (int start = (n - 1) / lanes * lanes; start >= 0; start -= lanes) {
        const int rows = n - start < lanes ? n - start : lanes;
        const T* corner = u + start * ld + start;
        T* x = b + start;
        for (int e = 0; e < rows; ++e) x[e] -= dot(corner + e * ld + lanes, x + lanes, width - start - lanes);
        for (int e = rows - 1; e >= 0; --e) {
            x[e] *= inverse[start + e];
            for (int f = 0; f < e; ++f) x[f] -= corner[f * ld + e] * x[e];
        }
    }
}

// a: upper triangle, row-major, n rows of ld >= width = padded<T>(n) numbers; destroyed.
// b: right side padded with zeros, x on return. diagonal, inverse: scratch of width numbers.
// Returns -1, or the first row that depends on those before it to working precision: A is singular.
template <class T>
int solve_spd(T* a, long ld, int n, int width, T* b, T* diagonal, T* inverse) {
    constexpr int lanes = Simd<T>::lanes, block = 2 * lanes;
    for (int e = 0; e < n; ++e) diagonal[e] = a[e * ld + e];
    for (int start = 0; start < n; start += block) {
        const int stop = start + block < n ? start + block : n;
        for (int left = start; left < width; left += block) {  // less what all rows above explain
            if (left + lanes < width) column<T, 2, true>(a + left, ld, a, ld, a + left, ld, start, start, stop);
            else column<T, 1, true>(a + left, ld, a, ld, a + left, ld, start, start, stop);
        }
        for (int half = start; half < stop; half += lanes) {
            const int rows = n - half < lanes ? n - half : lanes;
            T* corner = a + half * ld + half;
            const int failed = factor_triangle(corner, ld, rows, diagonal + half, inverse + half);
            if (failed >= 0) return half + failed;
            for (int c = lanes; c < width - half; c += lanes) {
                divide_column(corner, corner + c, ld, inverse + half);
                if (half == start) column<T, 1, true>(corner + c, ld, corner, ld, corner + c, ld, lanes, lanes, stop - start);
            }
        }
    }
    substitute(a, ld, n, width, inverse, b);
    return -1;
}

}  // namespace alsatian
