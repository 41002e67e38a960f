// Solves a row exactly: forms its system from the gathered entries, and factors it.
//
// While the tiles work on one batch of entries, the factors of the next (or of the next row's first) are
// fetched into the cache, a few between any two tiles; otherwise the gather would wait for memory.
#pragma once
#include "cholesky.h"
#include "tiles.h"
#include "row.h"

namespace alsatian {

template <class T>
class Exact {
public:
    // next: the entries that will be gathered after this row's
    Exact(const Row<T>& row, Stretch next) : row_(row), s_(row.scratch), side_(row.side), next_(next) {}

    // Returns false when the system is singular or the result not finite.
    bool solve(double& loss) {
        std::fill(s_.right.begin(), s_.right.end(), T(0));
        std::fill(s_.border.begin(), s_.border.end(), T(0));
        double squares = 0;
        for (int64_t e = row_.begin; e < row_.end; e += kDepth) add(e, std::min(e + kDepth, row_.end), squares);
        finish();
        T* right = s_.right.data();
        std::copy_n(right, s_.width, s_.search.data());
        if (solve_spd(s_.system.data(), s_.stride, s_.n, s_.width, right, s_.diagonal.data(), s_.inverse.data()) >= 0) return false;
        // at the minimum, sum_e c (t - f'x)^2 + x'(w0 G + r)x - w0 sum_e (f'x)^2 = sum_e c t^2 - b'x
        return row_.keep(right, squares - dot_exactly(s_.search.data(), right, s_.width), loss);
    }

private:
    void add(int64_t begin, int64_t end, double& squares) {
        const int depth = static_cast<int>(end - begin);
        Weights<T> weights;
        row_.weigh(begin, depth, weights, squares);
        row_.bordered() ? gather<true>(begin, depth, weights) : gather<false>(begin, depth, weights);
        if (weights.negative) negate(depth, weights);
        Stretch ahead = end < row_.end ? Stretch{end, row_.end} : next_;
        ahead.end = std::min(ahead.end, ahead.begin + kDepth);
        const auto fetch = [&] {
            for (int i = 0; i < 2 && ahead.begin < ahead.end; ++i) row_.prefetch(ahead.begin++);
        };
        const T* from = begin == row_.begin ? s_.base.data() : s_.system.data();
        const T* left = weights.negative ? s_.negated.data() : s_.gathered.data();
        rank_update(from, s_.system.data(), s_.stride, left, s_.stride, s_.gathered.data(), s_.stride, depth,
                    row_.bordered() ? side_.factors : s_.n, fetch);
    }

    // Packs the factors times the roots of their weights: their products are the weighted ones, from one copy.
    // On the way sums the right side, and the border.
    template <bool Bordered>
    void gather(int64_t begin, int depth, const Weights<T>& weights) {
        using S = Simd<T>;
        const T* from[kDepth];
        for (int d = 0; d < depth; ++d) from[d] = row_.source(begin + d);
        int c = 0;
        for (; c + 4 * S::lanes <= row_.columns(); c += 4 * S::lanes) gather_columns<4, Bordered>(from, c, depth, weights);
        for (; c < row_.columns(); c += S::lanes) gather_columns<1, Bordered>(from, c, depth, weights);
        if constexpr (Bordered) {
            for (int d = 0; d < depth; ++d) s_.right[c] += weights.target[d];
            for (int d = 0; d < depth; ++d) s_.border[c] += weights.confidence[d];
        }
    }

    template <int V, bool Bordered>
    void gather_columns(const T* const* from, int c, int depth, const Weights<T>& weights) {
        using S = Simd<T>;
        typename S::Vector right[V] = {}, border[V] = {};
        T* to = &s_.gathered[c];
        for (int d = 0; d < depth; ++d, to += s_.stride) {
            UNROLL for (int v = 0; v < V; ++v) {
                const auto f = S::load(from[d] + c + v * S::lanes);
                right[v] += weights.target[d] * f;
                if constexpr (Bordered) border[v] += weights.confidence[d] * f;
                S::store(to + v * S::lanes, weights.root[d] * f);
            }
        }
        UNROLL for (int v = 0; v < V; ++v) {
            add(right[v], &s_.right[c + v * S::lanes]);
            if constexpr (Bordered) add(border[v], &s_.border[c + v * S::lanes]);
        }
    }

    static void add(typename Simd<T>::Vector v, T* to) { Simd<T>::store(to, Simd<T>::load(to) + v); }

    // Where c < w0, the product must count negatively.
    void negate(int depth, const Weights<T>& weights) {
        for (int d = 0; d < depth; ++d) {
            const T sign = weights.confidence[d] < 0 ? -1 : 1;
            for (int c = 0; c < s_.width; ++c) s_.negated[d * s_.stride + c] = sign * s_.gathered[d * s_.stride + c];
        }
    }

    // Adds what the products leave out: the ridge, and the column of the bias.
    void finish() {
        for (int r = 0; r < s_.n; ++r) {
            T* row = &s_.system[r * s_.stride];
            if (row_.bordered()) {
                std::fill(row + side_.factors, row + s_.width, T(0));
                row[side_.factors] = s_.border[r];
            }
            row[r] += side_.ridge[row_.row];
        }
    }

    const Row<T>& row_;
    Scratch<T>& s_;
    const HalfSweep<T>& side_;
    const Stretch next_;
};

}  // namespace alsatian
