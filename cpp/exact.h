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
        start();
        double squares = 0;
        for (int64_t e = row_.begin; e < row_.end; e += kDepth) add(e, std::min(e + kDepth, row_.end), squares);
        finish();
        T* right = s_.right.data();
        std::copy_n(right, s_.width, s_.search.data());
        if (solve_spd(s_.system.data(), s_.stride, s_.n, s_.width, right, s_.diagonal.data(), s_.inverse.data()) >= 0) return false;
        // at the minimum, sum_e c (t - f'x)^2 + x'(w0 G + r)x - w0 sum_e (f'x)^2 = sum_e c t^2 - b'x
        return row_.keep(right, squares - row_.dot_exactly(s_.search.data(), right), loss);
    }

private:
    // A bias would need a vector of columns for itself: its one column is summed apart.
    bool bordered() const { return side_.fixed_bias && side_.factors > 0 && side_.factors % Simd<T>::lanes == 0; }

    bool unweighted() const {
        return !side_.weights && side_.form.confidence_slope == 0 && side_.form.confidence_shift - side_.form.unobserved == 1;
    }

    // The part of the system that does not depend on the entries: w0 G + r I, on and above the diagonal.
    void start() {
        for (int r = 0; r < s_.n; ++r) {
            const long from = r * s_.stride + r / Simd<T>::lanes * Simd<T>::lanes, to = r * s_.stride + s_.width;
            std::copy(&s_.base[from], &s_.base[to], &s_.system[from]);
            s_.system[r * s_.stride + r] += side_.ridge[row_.row];
        }
        std::fill(s_.right.begin(), s_.right.end(), T(0));
        std::fill(s_.border.begin(), s_.border.end(), T(0));
    }

    void add(int64_t begin, int64_t end, double& squares) {
        const int depth = static_cast<int>(end - begin);
        const bool plain = unweighted();
        const T* left = plain ? s_.gathered.data() : s_.weighted.data();  // all weights are one: no second copy
        Weights<T> weights;
        row_.weigh(begin, depth, weights, squares);
        for (int d = 0; d < depth; ++d) {
            T* weighted = plain ? nullptr : &s_.weighted[d * s_.stride];
            row_.gather(begin + d, &s_.gathered[d * s_.stride], weights.confidence[d], weighted);
        }
        add_products(weights.target, depth, s_.right.data());
        if (bordered()) add_products(weights.confidence, depth, s_.border.data());
        Stretch ahead = end < row_.end ? Stretch{end, std::min(end + kDepth, row_.end)} : next_;
        const auto fetch = [&] {
            for (int i = 0; i < 2 && ahead.begin < ahead.end; ++i) row_.prefetch(ahead.begin++);
        };
        rank_update(s_.system.data(), s_.stride, left, s_.stride, s_.gathered.data(), s_.stride, depth,
                    bordered() ? side_.factors : s_.n, fetch);
    }

    // sums += sum over the gathered entries of coefficient f, a few vectors at a time in registers
    void add_products(const T* coefficients, int depth, T* sums) {
        constexpr int lanes = Simd<T>::lanes;
        int c = 0;
        for (; c + 4 * lanes <= s_.width; c += 4 * lanes) add_vectors<4>(coefficients, depth, c, sums);
        for (; c < s_.width; c += lanes) add_vectors<1>(coefficients, depth, c, sums);
    }

    template <int V>
    void add_vectors(const T* coefficients, int depth, int c, T* sums) {
        using S = Simd<T>;
        typename S::Vector acc[V] = {};
        const T* from = s_.gathered.data() + c;
        for (int d = 0; d < depth; ++d, from += s_.stride) {
            UNROLL for (int v = 0; v < V; ++v) acc[v] += coefficients[d] * S::load(from + v * S::lanes);
        }
        UNROLL for (int v = 0; v < V; ++v) S::store(sums + c + v * S::lanes, S::load(sums + c + v * S::lanes) + acc[v]);
    }

    void finish() {
        if (!bordered()) return;
        for (int r = 0; r < s_.n; ++r) s_.system[r * s_.stride + side_.factors] += s_.border[r];
    }

    const Row<T>& row_;
    Scratch<T>& s_;
    const HalfSweep<T>& side_;
    const Stretch next_;
};

}  // namespace alsatian
