// Products of narrow matrices in register tiles: C += or -= sum over e of Q[e]' P[e]. They compute the weighted Gram
// matrix of the entries of a row, the Cholesky factorization and the scores of top-n lists.
//
// P has gathered rows of factors, and Q the same rows times their weights (Q = P if all weights are 1). The sum starts
// from `from`, which may be C itself. C is row-major with padded rows. Only entries on and above the diagonal are
// valid; the tiles that cross the diagonal also write a few entries below it.
#pragma once
#include "common/simd.h"

namespace alsatian {

// One tile: R rows of C by V vectors, which stay in registers over the whole depth. Six rows by two vectors use 12 of
// the 16 registers of AVX2, and each vector loaded from P is used six times. The loops over R and V must be unrolled
// completely, or the accumulators spill to memory.
template <class T, int R, int V, bool Subtract>
inline void tile(const T* from, T* c, long ldc, const T* q, long ldq, const T* p, long ldp, long depth) {
    using S = Simd<T>;
    typename S::Vector acc[R][V];
    UNROLL for (int r = 0; r < R; ++r) {
        UNROLL for (int v = 0; v < V; ++v) acc[r][v] = S::load(from + r * ldc + v * S::lanes);
    }
    for (long e = 0; e < depth; ++e, q += ldq, p += ldp) {
        typename S::Vector row[V];
        UNROLL for (int v = 0; v < V; ++v) row[v] = S::load(p + v * S::lanes);
        UNROLL for (int r = 0; r < R; ++r) {
            UNROLL for (int v = 0; v < V; ++v) {
                if constexpr (Subtract) acc[r][v] -= q[r] * row[v];
                else acc[r][v] += q[r] * row[v];
            }
        }
    }
    UNROLL for (int r = 0; r < R; ++r) {
        UNROLL for (int v = 0; v < V; ++v) S::store(c + r * ldc + v * S::lanes, acc[r][v]);
    }
}

struct NoPrefetch {
    void operator()() const {}
};

// Rows [first, last) of C by V vectors. between() is called after each tile and may prefetch memory.
template <class T, int V, bool Subtract, class Between = NoPrefetch>
inline void column(const T* from, T* c, long ldc, const T* q, long ldq, const T* p, long ldp, long depth, int first,
                   int last, const Between& between = {}) {
    const auto rows = [&]<int R>(int r) {
        tile<T, R, V, Subtract>(from + r * ldc, c + r * ldc, ldc, q + r, ldq, p, ldp, depth);
        between();
        return r + R;
    };
    int r = first;
    if constexpr (V == 1) {
        while (r + 8 <= last) r = rows.template operator()<8>(r);
    } else {
        while (r + 6 <= last && r + 8 != last) r = rows.template operator()<6>(r);
    }
    while (r + 4 <= last) r = rows.template operator()<4>(r);  // 4 + 4 rows are faster than 6 + 2
    if (r + 3 == last) rows.template operator()<3>(r);
    else if (r + 2 == last) rows.template operator()<2>(r);
    else if (r < last) rows.template operator()<1>(r);
}

// C = from + Q'P on and above the diagonal: n rows, and n columns padded to `width`. Works on panels of two vectors of
// columns: first the rectangle above the diagonal block, then the block without its quarter below the diagonal.
template <class T, class Between = NoPrefetch>
void rank_update(const T* from, T* c, long ldc, const T* q, long ldq, const T* p, long ldp, long depth, int n,
                 const Between& between = {}) {
    constexpr int lanes = Simd<T>::lanes;
    const int width = padded<T>(n);
    const auto smaller = [](int a, int b) { return a < b ? a : b; };
    for (int left = 0; left < width; left += 2 * lanes) {
        const int middle = left + lanes;
        if (middle >= width) {
            column<T, 1, false>(from + left, c + left, ldc, q, ldq, p + left, ldp, depth, 0, n, between);
        } else {
            column<T, 2, false>(from + left, c + left, ldc, q, ldq, p + left, ldp, depth, 0, smaller(middle, n),
                                between);
            column<T, 1, false>(from + middle, c + middle, ldc, q, ldq, p + middle, ldp, depth, middle,
                                smaller(middle + lanes, n), between);
        }
    }
}

}  // namespace alsatian
