// One row of a half-sweep: its weighted entries, and the factors of the fixed side that they refer to.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "als/half_sweep.h"
#include "common/simd.h"

namespace alsatian {

constexpr int kDepth = 48;  // entries gathered at a time: a panel of them fits into the L1 cache

// The factors of the fixed side in rows of whole vectors: the original array, or a copy whose rows are padded with
// zeros, after a 1 if biases are fitted. If there are few entries, as for a visitor, only their rows are copied.
template <class T>
struct Fixed {
    const T* rows;
    int64_t stride;
    const int32_t* indices;  // the row of each entry, or null: row e for entry e
    std::vector<T> copies;

    explicit Fixed(const HalfSweep<T>& side)
        : rows(side.fixed), stride(padded<T>(side.factors)), indices(side.indices) {
        if (stride == side.factors) return;
        const int64_t entries = side.indptr[side.rows], count = std::min(entries, side.columns);
        if (entries < side.columns) indices = nullptr;
        copies.resize(count * stride);
        for (int64_t row = 0; row < count; ++row) {
            const int64_t from = indices ? row : side.indices[row];
            std::copy_n(side.fixed + from * side.factors, side.factors, &copies[row * stride]);
            if (side.fixed_bias) copies[row * stride + side.factors] = 1;
        }
        rows = copies.data();
    }

    const T* of(int64_t entry) const { return rows + (indices ? indices[entry] : entry) * stride; }
};

// The memory of a thread, allocated once per call.
template <class T>
struct Scratch {
    int n, width;  // the number of unknowns (factors, and the bias if there is one), and padded to whole vectors
    long stride;   // of the rows of matrices: one cache line longer if the number of lines is even, so that they use
                   // all cache sets
    bool apart;    // whether `base`, the matrix that all rows share, is diagonal
    std::vector<T> base, base_diagonal, system, gathered, negated, right, border, diagonal, inverse, residual, search,
        product, confidence, target;

    explicit Scratch(const HalfSweep<T>& side)
        : n(side.unknowns()),
          width(padded<T>(n)),
          stride(width + 64 / sizeof(T) * (width * sizeof(T) / 64 % 2 == 0)),
          base(static_cast<size_t>(n) * stride + width),
          base_diagonal(width),
          system(base.size()),
          gathered(kDepth * stride),
          negated(kDepth * stride),
          right(width),
          border(width),
          diagonal(width),
          inverse(static_cast<size_t>(width) * Simd<T>::lanes),
          residual(width),
          search(width),
          product(width) {
        for (int r = 0; side.gram && r < n; ++r)
            std::copy_n(side.gram + static_cast<long>(r) * n, n, &base[r * stride]);
        apart = true;
        for (int r = 0; r < n; ++r) {
            base_diagonal[r] = base[r * stride + r];
            for (int c = 0; c < n; ++c) apart &= r == c || base[r * stride + c] == 0;
        }
    }
};

// For up to kDepth entries: c - w0, sqrt|c - w0|, and c (t - fixed bias).
template <class T>
struct Weights {
    T confidence[kDepth], root[kDepth], target[kDepth];
    bool negative;  // whether any c < w0
};

template <class T>
struct Row {
    const HalfSweep<T>& side;
    const Fixed<T>& fixed;
    Scratch<T>& scratch;
    int64_t row, begin, end;

    Row(const HalfSweep<T>& side, const Fixed<T>& fixed, Scratch<T>& scratch, int64_t row)
        : side(side), fixed(fixed), scratch(scratch), row(row), begin(side.indptr[row]), end(side.indptr[row + 1]) {}

    T* factors() const { return side.solution + row * side.factors; }

    // c and c (t - fixed bias) of the entries from `first` on. The loops are simple, so that they are vectorized.
    void enter(int64_t first, int depth, T* c, T* ct) const {
        const Weighting& weighting = side.weighting;
        const T cs(weighting.confidence_slope), cf(weighting.confidence_shift), ts(weighting.target_slope),
            tf(weighting.target_shift);
        const float* values = side.values + first;
        for (int d = 0; d < depth; ++d) {
            c[d] = cs * T(values[d]) + cf;
            ct[d] = ts * T(values[d]) + tf;
        }
        for (int d = 0; side.weights && d < depth; ++d) {
            c[d] *= T(side.weights[first + d]);
            ct[d] *= T(side.weights[first + d]);
        }
        for (int d = 0; side.fixed_bias && d < depth; ++d) ct[d] -= c[d] * side.fixed_bias[side.indices[first + d]];
    }

    // Computes the weights of the entries from `first` on. Adds their c t^2 to `squares`, unless there is noise.
    void weigh(int64_t first, int depth, Weights<T>& weights, double& squares) const {
        T *c = weights.confidence, *ct = weights.target;
        enter(first, depth, c, ct);
        T total = 0;
        for (int d = 0; !side.noise && d < depth; ++d)
            total += ct[d] * ct[d] / (c[d] == 0 ? 1 : c[d]);  // if c is 0, so is c t
        squares += static_cast<double>(total);
        const T unobserved(side.weighting.unobserved);
        int negative = 0;
        for (int d = 0; d < depth; ++d) {
            c[d] -= unobserved;
            weights.root[d] = std::sqrt(std::abs(c[d]));
            negative |= c[d] < 0;
        }
        weights.negative = negative;
    }

    // Whether the column of the bias is summed separately, since it would need a whole vector of columns.
    bool bordered() const { return side.fixed_bias && side.factors % Simd<T>::lanes == 0; }

    // The number of columns of the fixed side, without a separate bias.
    int columns() const { return static_cast<int>(fixed.stride); }

    const T* source(int64_t e) const { return fixed.of(e); }

    void prefetch(int64_t e) const {
        const T* from = source(e);
        const T* const end = from + fixed.stride;
        for (; from < end; from += 64 / sizeof(T)) __builtin_prefetch(from);
    }

    // The previous solution, from which steps start, padded to whole vectors.
    void last(T* x) const {
        std::fill_n(x, scratch.width, T(0));
        std::copy_n(factors(), side.factors, x);
        if (side.solution_bias) x[side.factors] = side.solution_bias[row];
    }

    // Stores a result and its loss if they are finite; otherwise returns false.
    bool keep(const T* result, double row_loss, double& loss) const {
        if (!std::isfinite(row_loss)) return false;
        for (int c = 0; c < scratch.n; ++c)
            if (!std::isfinite(result[c])) return false;
        std::copy_n(result, side.factors, factors());
        if (side.solution_bias) side.solution_bias[row] = result[side.factors];
        loss = row_loss;
        return true;
    }
};

}  // namespace alsatian
