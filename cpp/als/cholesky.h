// Blocked left-looking Cholesky factorization A = U'U of a symmetric positive definite matrix, and the solution with
// U' and U.
//
// A block is two vectors of rows. First the tiles of tiles.h subtract the contribution of all rows above, in one deep
// product. Then the two half-blocks are factored in turn. In the small triangle on the diagonal, every step depends on
// the pivot of the previous one. The columns to its right are products with its inverse, without such dependencies.
#pragma once
#include <cmath>
#include <limits>

#include "common/tiles.h"

namespace alsatian {

// A pivot below this share of its diagonal entry is a rounding error.
template <class T>
constexpr T kMinPivotShare = 4 * std::numeric_limits<T>::epsilon();

// Factors the triangle of `rows` <= lanes rows on the diagonal (one vector wide) and inverts its transpose: the
// steps that transform A into U transform the identity into U'^-1. The rows are divided by the square roots of their
// pivots only at the end (U = D^1/2 L'), so that no step depends on a square root.
// Returns the first row that depends linearly on earlier rows to working precision, or -1.
template <class T>
int factor_triangle(T* a, long ld, int rows, const T* diagonal, T* inverse) {
    using S = Simd<T>;
    typename S::Vector row[S::lanes], inverted[S::lanes];
    T pivots[S::lanes];
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        row[e] = e < rows ? S::load(a + e * ld) : typename S::Vector{};
        inverted[e] = typename S::Vector{};
        inverted[e][e] = pivots[e] = 1;
    }
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        if (e >= rows) break;
        pivots[e] = row[e][e];
        const auto factors = row[e] * (1 / pivots[e]);
        UNROLL for (int f = e + 1; f < S::lanes; ++f) {
            row[f] -= factors[f] * row[e];
            inverted[f] -= factors[f] * inverted[e];
        }
    }
    for (int e = 0; e < rows; ++e)
        if (!(pivots[e] > kMinPivotShare<T> * diagonal[e]) || !std::isfinite(pivots[e])) return e;
    T scale[S::lanes];
    for (int e = 0; e < S::lanes; ++e) scale[e] = 1 / std::sqrt(pivots[e]);
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        S::store(inverse + e * S::lanes, scale[e] * inverted[e]);
        if (e < rows) S::store(a + e * ld, scale[e] * row[e]);
    }
    return -1;
}

// Multiplies one vector of columns, in the rows of a triangle, by the inverse of the transposed triangle: U'^-1 A.
template <class T>
void divide_column(const T* inverse, T* a, long ld) {
    using S = Simd<T>;
    typename S::Vector row[S::lanes];
    UNROLL for (int e = 0; e < S::lanes; ++e) row[e] = S::load(a + e * ld);
    UNROLL for (int e = 0; e < S::lanes; ++e) {
        auto sum = inverse[e * S::lanes] * row[0];
        UNROLL for (int f = 1; f <= e; ++f) sum += inverse[e * S::lanes + f] * row[f];
        S::store(a + e * ld, sum);
    }
}

// Solves U'y = b in place, a vector of rows at a time, with the inverted triangles of the diagonal.
template <class T>
void substitute_forward(const T* u, long ld, int n, int width, const T* inverse, T* b) {
    using S = Simd<T>;
    constexpr int lanes = S::lanes;
    for (int start = 0; start < n; start += lanes) {
        const int rows = n - start < lanes ? n - start : lanes;
        const T *corner = u + start * ld + start, *triangle = inverse + start * lanes;
        T *y = b + start, solved[lanes];
        for (int e = 0; e < lanes; ++e) solved[e] = S::sum(S::load(triangle + e * lanes) * S::load(y));
        S::store(y, S::load(solved));
        for (int c = lanes; c < width - start; c += lanes) {
            auto rest = S::load(y + c);
            for (int e = 0; e < rows; ++e) rest -= y[e] * S::load(corner + e * ld + c);
            S::store(y + c, rest);
        }
    }
}

// Solves U x = y in the same way.
template <class T>
void substitute_back(const T* u, long ld, int n, int width, const T* inverse, T* y) {
    using S = Simd<T>;
    constexpr int lanes = S::lanes;
    for (int start = (n - 1) / lanes * lanes; start >= 0; start -= lanes) {
        const int rows = n - start < lanes ? n - start : lanes;
        const T *corner = u + start * ld + start, *triangle = inverse + start * lanes;
        T* x = y + start;
        for (int e = 0; e < rows; ++e) x[e] -= dot(corner + e * ld + lanes, x + lanes, width - start - lanes);
        typename S::Vector solved{};
        for (int e = 0; e < rows; ++e) solved += x[e] * S::load(triangle + e * lanes);
        S::store(x, solved);
    }
}

// a: upper triangle, row-major, n rows of ld >= width = padded<T>(n) numbers. On return it is U, except that the
// triangles on its diagonal are replaced by their inverses in `inverse` (width x lanes). diagonal: scratch, width.
// Returns -1, or the first row that depends linearly on earlier rows to working precision: then A is singular.
template <class T>
int factor_spd(T* a, long ld, int n, int width, T* diagonal, T* inverse) {
    constexpr int lanes = Simd<T>::lanes, block = 2 * lanes;
    for (int e = 0; e < n; ++e) diagonal[e] = a[e * ld + e];
    for (int start = 0; start < n; start += block) {
        const int stop = start + block < n ? start + block : n;
        for (int left = start; left < width; left += block) {  // minus the contribution of rows above
            if (left + lanes < width)
                column<T, 2, true>(a + left, a + left, ld, a, ld, a + left, ld, start, start, stop);
            else column<T, 1, true>(a + left, a + left, ld, a, ld, a + left, ld, start, start, stop);
        }
        for (int half = start; half < stop; half += lanes) {
            const int rows = n - half < lanes ? n - half : lanes;
            T* corner = a + half * ld + half;
            const int failed = factor_triangle(corner, ld, rows, diagonal + half, inverse + half * lanes);
            if (failed >= 0) return half + failed;
            for (int c = lanes; c < width - half; c += lanes) {
                divide_column(inverse + half * lanes, corner + c, ld);
                if (half == start)
                    column<T, 1, true>(corner + c, corner + c, ld, corner, ld, corner + c, ld, lanes, lanes,
                                       stop - start);
            }
        }
    }
    return -1;
}

}  // namespace alsatian
