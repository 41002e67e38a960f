// Solves a row exactly: forms its system from the gathered entries and factors it. If factors must not be negative, it
// uses coordinate descent instead.
//
// While the tiles process a batch of entries, the factors of the next batch (or of the first batch of the next row) are
// prefetched, a few after each tile. Otherwise the gather would wait for memory.
#pragma once
#include <span>

#include "als/cholesky.h"
#include "als/coordinate_descent.h"
#include "als/row.h"
#include "als/schedule.h"
#include "common/tiles.h"

namespace alsatian {

// The sums over the entries of one part of a very long row.
template <class T>
struct PartialSums {
    std::vector<T> system, right, border;
    double squares = 0;
};

template <class T>
class ExactSolver {
public:
    // next: the entries that will be gathered after this row
    ExactSolver(const Row<T>& row, EntryRange next) : row_(row), s_(row.scratch), side_(row.side), next_(next) {}

    // Returns false if the system is singular or the result is not finite.
    bool solve(double& loss) {
        begin();
        accumulate(row_.begin, row_.end);
        return finish(loss);
    }

    // Same, from the sums of the parts of the row, in order.
    bool solve(std::span<const PartialSums<T>> parts, double& loss) {
        begin();
        std::copy(s_.base.begin(), s_.base.end(), s_.system.begin());
        for (const PartialSums<T>& part : parts) {
            for (size_t i = 0; i < s_.system.size(); ++i) s_.system[i] += part.system[i];
            for (int c = 0; c < s_.width; ++c) s_.right[c] += part.right[c];
            for (int c = 0; c < s_.width; ++c) s_.border[c] += part.border[c];
            squares_ += part.squares;
        }
        return finish(loss);
    }

    PartialSums<T> sums(EntryRange part) {
        begin();
        std::fill(s_.system.begin(), s_.system.end(), T(0));
        from_ = s_.system.data();
        accumulate(part.begin, part.end);
        return {s_.system, s_.right, s_.border, squares_};
    }

private:
    void begin() {
        std::fill(s_.right.begin(), s_.right.end(), T(0));
        std::fill(s_.border.begin(), s_.border.end(), T(0));
        squares_ = 0;
        from_ = s_.base.data();
    }

    void accumulate(int64_t begin, int64_t end) {
        if (begin == end) std::copy(s_.base.begin(), s_.base.end(), s_.system.begin());
        for (int64_t e = begin; e < end; e += kDepth) add(e, std::min(e + kDepth, end), end);
    }

    bool finish(double& loss) {
        complete();
        return side_.nonnegative ? descend_from_last(loss) : factor(loss);
    }

    bool factor(double& loss) {
        const T *u = s_.system.data(), *inverse = s_.inverse.data();
        T *x = s_.right.data(), *z = s_.search.data();
        if (factor_spd(s_.system.data(), s_.stride, s_.n, s_.width, s_.diagonal.data(), s_.inverse.data()) >= 0)
            return false;
        substitute_forward(u, s_.stride, s_.n, s_.width, inverse, x);  // y, with b'A^-1 b = y'y
        // sum_e c (t - f'x)^2 + x'(w0 G + r)x - w0 sum_e (f'x)^2 = sum_e c t^2 - 2 b'x + x'A x, where U x = y
        const double at_minimum = squares_ - dot_exactly(x, x, s_.width);
        if (side_.noise) {
            std::fill_n(z, s_.width, T(0));
            std::copy_n(side_.noise + row_.row * s_.n, s_.n, z);
            axpy(T(1), z, x, s_.width);
        }
        substitute_back(u, s_.stride, s_.n, s_.width, inverse, x);
        return row_.keep(x, side_.noise ? squared_error(x) : at_minimum, loss);
    }

    // sum_e c (t - f'x)^2 from the residuals. As a difference of sums, it would be dominated by rounding errors.
    double squared_error(const T* x) const {
        using S = Simd<T>;
        const T bias = row_.bordered() ? x[side_.factors] : 0;
        double sum = 0;
        for (int64_t begin = row_.begin; begin < row_.end; begin += kDepth) {
            const int depth = static_cast<int>(std::min<int64_t>(kDepth, row_.end - begin));
            T confidence[kDepth], target[kDepth];
            row_.enter(begin, depth, confidence, target);
            for (int d = depth; d % S::lanes; ++d) confidence[d] = target[d] = 0;  // past the last entry: no effect
            typename S::Vector squares{};
            for (int first = 0; first < depth; first += S::lanes) {
                const auto c = S::load(confidence + first);
                const auto rest = S::load(target + first) - c * (predicted(x, begin + first, depth - first) + bias);
                squares += rest * rest / (c == 0 ? 1 + 0 * c : c);  // if c is 0, so is c t
            }
            sum += static_cast<double>(S::sum(squares));
        }
        return sum;
    }

    // f'x of a vector of entries; if there are fewer, the last one is repeated
    typename Simd<T>::Vector predicted(const T* x, int64_t begin, int count) const {
        using S = Simd<T>;
        typename S::Vector products[S::lanes];
        UNROLL for (int i = 0; i < S::lanes; ++i) {
            const T* f = row_.source(begin + (i < count ? i : count - 1));
            products[i] = typename S::Vector{};
            for (int c = 0; c < row_.columns(); c += S::lanes) products[i] += S::load(f + c) * S::load(x + c);
        }
        return S::sums(products);
    }

    bool descend_from_last(double& loss) {
        T *x = s_.search.data(), *b = s_.right.data(), *r = s_.residual.data();
        mirror(s_.system.data(), s_.stride, s_.n);
        row_.last(x);
        std::copy_n(b, s_.width, r);
        if (!descend(s_.system.data(), s_.stride, s_.n, s_.width, side_.factors, s_.diagonal.data(), x, r))
            return false;
        // sum_e c t^2 - 2 b'x + x'A x, where A x = b - r
        return row_.keep(x, squares_ - dot_exactly(b, x, s_.width) - dot_exactly(r, x, s_.width), loss);
    }

    void add(int64_t begin, int64_t end, int64_t last) {
        const int depth = static_cast<int>(end - begin);
        Weights<T> weights;
        row_.weigh(begin, depth, weights, squares_);
        row_.bordered() ? gather<true>(begin, depth, weights) : gather<false>(begin, depth, weights);
        if (weights.negative) negate(depth, weights);
        EntryRange ahead = end < last ? EntryRange{row_.row, end, last} : next_;
        ahead.end = std::min(ahead.end, ahead.begin + kDepth);
        const auto fetch = [&] {
            for (int i = 0; i < 2 && ahead.begin < ahead.end; ++i) row_.prefetch(ahead.begin++);
        };
        const T* left = weights.negative ? s_.negated.data() : s_.gathered.data();
        rank_update(from_, s_.system.data(), s_.stride, left, s_.stride, s_.gathered.data(), s_.stride, depth,
                    row_.bordered() ? side_.factors : s_.n, fetch);
        from_ = s_.system.data();
    }

    // Packs the factors times the square roots of their weights, so that the products of one copy are weighted.
    // Also sums the right-hand side and the border.
    template <bool Bordered>
    void gather(int64_t begin, int depth, const Weights<T>& weights) {
        using S = Simd<T>;
        const T* from[kDepth];
        for (int d = 0; d < depth; ++d) from[d] = row_.source(begin + d);
        int c = 0;
        for (; c + 4 * S::lanes <= row_.columns(); c += 4 * S::lanes)
            gather_columns<4, Bordered>(from, c, depth, weights);
        for (; c + 2 * S::lanes <= row_.columns(); c += 2 * S::lanes)
            gather_columns<2, Bordered>(from, c, depth, weights);
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
        const long stride = s_.stride;
        for (int d = 0; d < depth; ++d, to += stride) {
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

    // If c < w0, the product has a negative weight.
    void negate(int depth, const Weights<T>& weights) {
        for (int d = 0; d < depth; ++d) {
            const T sign = weights.confidence[d] < 0 ? -1 : 1;
            for (int c = 0; c < s_.width; ++c) s_.negated[d * s_.stride + c] = sign * s_.gathered[d * s_.stride + c];
        }
    }

    // Adds the terms outside the products: the ridge, the column of the bias, and the offset.
    void complete() {
        for (int r = 0; r < s_.n; ++r) {
            T* row = &s_.system[r * s_.stride];
            if (row_.bordered()) {
                std::fill(row + side_.factors, row + s_.width, T(0));
                row[side_.factors] = s_.border[r] + s_.base[r * s_.stride + side_.factors];
            }
            row[r] += side_.ridge[row_.row];
            if (side_.rhs_offset) s_.right[r] += side_.rhs_offset[r];
        }
    }

    const Row<T>& row_;
    Scratch<T>& s_;
    const HalfSweep<T>& side_;
    const EntryRange next_;
    const T* from_;  // the next products are added to this: the shared matrix, or the current sum of this row
    double squares_;
};

}  // namespace alsatian
