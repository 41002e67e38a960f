// One row of a half-sweep: its entries as the regression sees them, and the factors they point to.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "half_sweep.h"
#include "simd.h"

namespace alsatian {

constexpr int kDepth = 48;  // entries gathered at a time: one panel of them stays in the first-level cache

// A thread's own memory, allocated once per call.
template <class T>
struct Scratch {
    int n, width;  // unknowns of a row: factors and perhaps a bias; the same in whole vectors
    long stride;   // of matrices' rows: an odd number of cache lines apart, so that they spread over all sets
    std::vector<T> base, system, gathered, weighted, right, border, diagonal, inverse, residual, search, product;

    explicit Scratch(const HalfSweep<T>& side)
        : n(side.factors + (side.fixed_bias != nullptr)),
          width(padded<T>(n)),
          stride(width + 64 / sizeof(T) * (width * sizeof(T) / 64 % 2 == 0)),
          base(static_cast<size_t>(n) * stride + width),
          system(base.size()),
          gathered(kDepth * stride),
          weighted(kDepth * stride),
          right(width),
          border(width),
          diagonal(width),
          inverse(width),
          residual(width),
          search(width),
          product(width) {
        for (int r = 0; side.gram && r < side.factors; ++r)
            std::copy_n(side.gram + static_cast<long>(r) * side.factors, side.factors, &base[r * stride]);
    }
};

// A stretch of entries, to be fetched into the cache while something else is computed.
struct Stretch {
    int64_t begin = 0, end = 0;
};

// Up to kDepth entries: c - w0, and c times (t less the fixed bias).
template <class T>
struct Weights {
    T confidence[kDepth], target[kDepth];
};

template <class T>
struct Row {
    const HalfSweep<T>& side;
    Scratch<T>& scratch;
    int64_t row, begin, end;

    Row(const HalfSweep<T>& side, Scratch<T>& scratch, int64_t row)
        : side(side), scratch(scratch), row(row), begin(side.indptr[row]), end(side.indptr[row + 1]) {}

    T* factors() const { return side.solution + row * side.factors; }

    // Weighs the entries from `first` on; adds their c t^2 to squares. Plain loops, so that they become vectors.
    void weigh(int64_t first, int depth, Weights<T>& weights, double& squares) const {
        const Form& form = side.form;
        const T cs(form.confidence_slope), cf(form.confidence_shift), ts(form.target_slope), tf(form.target_shift);
        const T unobserved(form.unobserved);
        const float* values = side.values + first;
        T *c = weights.confidence, *ct = weights.target;
        for (int d = 0; d < depth; ++d) {
            c[d] = cs * T(values[d]) + cf;
            ct[d] = ts * T(values[d]) + tf;
        }
        for (int d = 0; side.weights && d < depth; ++d) {
            c[d] *= T(side.weights[first + d]);
            ct[d] *= T(side.weights[first + d]);
        }
        for (int d = 0; side.fixed_bias && d < depth; ++d) ct[d] -= c[d] * side.fixed_bias[side.indices[first + d]];
        T total = 0;
        for (int d = 0; d < depth; ++d) total += ct[d] * ct[d] / (c[d] == 0 ? 1 : c[d]);  // where c is 0, so is c t
        squares += static_cast<double>(total);
        for (int d = 0; d < depth; ++d) c[d] -= unobserved;
    }

    const T* source(int64_t e) const { return side.fixed + static_cast<int64_t>(side.indices[e]) * side.factors; }

    void prefetch(int64_t e) const {
        const T* from = source(e);
        for (int c = 0; c < side.factors; c += 64 / sizeof(T)) __builtin_prefetch(from + c);
    }

    // Copies the factors of entry e, a one where there is a bias, and zeros up to the width; the same times
    // `weight` to `weighted`, unless that is null.
    void gather(int64_t e, T* to, T weight = 1, T* weighted = nullptr) const {
        using S = Simd<T>;
        const int factors = side.factors, whole = factors / S::lanes * S::lanes;
        const T* from = source(e);
        int c = 0;
        if (weighted) {
            for (; c < whole; c += S::lanes) {
                const auto f = S::load(from + c);
                S::store(to + c, f);
                S::store(weighted + c, weight * f);
            }
        } else {
            for (; c < whole; c += S::lanes) S::store(to + c, S::load(from + c));
        }
        if (c == scratch.width) return;
        T last[S::lanes] = {};  // the vector that is not whole
        std::copy(from + c, from + factors, last);
        if (side.fixed_bias) last[factors - c] = 1;
        S::store(to + c, S::load(last));
        if (weighted) S::store(weighted + c, weight * S::load(last));
    }

    double dot_exactly(const T* a, const T* b) const {
        double total = 0;
        for (int c = 0; c < scratch.n; ++c) total += static_cast<double>(a[c]) * b[c];
        return total;
    }

    // Takes over a result and its loss, if they are finite.
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
