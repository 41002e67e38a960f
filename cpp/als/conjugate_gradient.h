// Solves a row by a few steps of conjugate gradient from the previous solution, without forming the system
// (Takacs, Pilaszy and Tikk 2011, with the diagonal of the system as preconditioner).
//
// Every step iterates over the entries of the row once, in groups (one entry per lane of a vector). The entries of a
// group share each load of the vector that they are multiplied by, and a tree sums their products.
#pragma once
#include "als/row.h"
#include "common/tiles.h"

namespace alsatian {

template <class T>
class ConjugateGradient {
public:
    explicit ConjugateGradient(const Row<T>& row) : row_(row), s_(row.scratch), side_(row.side) {}

    // Returns false if the diagonal is not positive or the result is not finite.
    bool solve(double& loss) {
        T *x = s_.right.data(), *r = s_.residual.data(), *p = s_.search.data(), *ap = s_.product.data();
        T* inverse = s_.inverse.data();  // of the diagonal of A
        row_.last(x);
        double squares = 0, linear = 0;
        first_residual(x, squares, linear);
        double energy = linear + dot_exactly(r, x, s_.width);  // b'x + r'x, used for the loss
        std::fill_n(inverse, s_.width, T(0));
        for (int c = 0; c < s_.n; ++c) {
            if (!(s_.diagonal[c] > 0) || !std::isfinite(s_.diagonal[c])) return false;
            inverse[c] = 1 / s_.diagonal[c];
        }
        for (int c = 0; c < s_.width; ++c) p[c] = inverse[c] * r[c];
        double rz = dot_exactly(r, p, s_.width);
        if (!std::isfinite(rz)) return false;
        for (int step = 0; step < side_.steps && rz > 0; ++step) {
            multiply(p, ap);
            const double curvature = dot_exactly(p, ap, s_.width);
            if (!(curvature > 0)) break;  // converged to rounding error
            const double length = rz / curvature;
            energy += length * rz;  // each step lowers x'Ax - 2b'x by (r'z)^2 / p'Ap
            axpy(T(length), p, x, s_.width);
            axpy(T(-length), ap, r, s_.width);
            T* z = ap;
            for (int c = 0; c < s_.width; ++c) z[c] = inverse[c] * r[c];
            const double next = dot_exactly(r, z, s_.width);
            for (int c = 0; c < s_.width; ++c) p[c] = z[c] + T(next / rz) * p[c];
            rz = next;
        }
        return row_.keep(x, squares - energy, loss);
    }

private:
    using S = Simd<T>;
    static constexpr int kGroup = S::lanes;             // entries processed together
    static constexpr int64_t kPrefetchDistance = 16;    // number of entries to prefetch ahead
    static constexpr int64_t kCachedBytes = 256 << 10;  // bytes that remain cached between passes

    // The factors, confidences and targets of entries [begin, begin + kGroup); zero weights past the end of the row.
    struct Group {
        const T* factors[kGroup];
        const T *confidence, *target;
    };

    // Calls use(group) for all entries of the row. The first pass prefetches their factors; later passes do so only if
    // the row is too long to remain cached.
    template <class Use>
    void for_each_group(bool first_pass, const Use& use) {
        const int64_t count = row_.end - row_.begin;
        const bool fetch = first_pass || count * row_.columns() * static_cast<int64_t>(sizeof(T)) > kCachedBytes;
        for (int64_t first = 0; first < count; first += kGroup) {
            Group group;
            for (int g = 0; g < kGroup; ++g) {
                const int64_t e = row_.begin + first + g;
                group.factors[g] = row_.source(std::min(e, row_.end - 1));
                if (fetch) row_.prefetch(std::min(e + kPrefetchDistance, row_.end - 1));
            }
            group.confidence = &s_.confidence[first];
            group.target = &s_.target[first];
            use(group);
        }
    }

    static typename S::Vector identity(typename S::Vector f) { return f; }
    static typename S::Vector square(typename S::Vector f) { return f * f; }

    // f'x of every entry of a group, with the bias if it is stored outside the factors
    typename S::Vector products(const Group& group, const T* x) const {
        typename S::Vector sums[kGroup] = {};
        for (int c = 0; c < row_.columns(); c += S::lanes) {
            const auto v = S::load(x + c);
            UNROLL for (int g = 0; g < kGroup; ++g) sums[g] += v * S::load(group.factors[g] + c);
        }
        const auto out = S::sums(sums);
        return row_.bordered() ? out + x[side_.factors] : out;
    }

    // y += sum_g a_g term(f_g)
    template <class Term>
    void add(const Group& group, typename S::Vector a, T* y, const Term& term) const {
        for (int c = 0; c < row_.columns(); c += S::lanes) {
            auto even = S::load(y + c), odd = typename S::Vector{};  // two independent sums, to hide latency
            UNROLL for (int g = 0; g < kGroup; g += 2) {
                even += a[g] * term(S::load(group.factors[g] + c));
                odd += a[g + 1] * term(S::load(group.factors[g + 1] + c));
            }
            S::store(y + c, even + odd);
        }
        if (row_.bordered()) y[side_.factors] += S::sum(a);
    }

    // residual = b - A x; diagonal = diagonal of A; squares = sum_e c t^2; linear = b'x
    void first_residual(const T* x, double& squares, double& linear) {
        T *r = s_.residual.data(), *diagonal = s_.diagonal.data();
        weigh(squares);
        outside(x, r);
        for (int c = 0; c < s_.width; ++c) r[c] = -r[c];
        for (int c = 0; c < s_.n; ++c) diagonal[c] = side_.ridge[row_.row] + s_.base_diagonal[c];
        for_each_group(true, [&](const Group& group) {
            const auto confidence = S::load(group.confidence), target = S::load(group.target);
            const auto predicted = products(group, x);
            linear += static_cast<double>(S::sum(target * predicted));
            add(group, target - confidence * predicted, r, identity);
            add(group, confidence, diagonal, square);
        });
    }

    // The confidences and targets of the whole row, padded with zeros to a whole group.
    void weigh(double& squares) {
        const int64_t count = row_.end - row_.begin, whole = (count + kGroup - 1) / kGroup * kGroup;
        if (static_cast<int64_t>(s_.confidence.size()) < whole) {
            s_.confidence.resize(whole);
            s_.target.resize(whole);
        }
        Weights<T> weights;
        for (int64_t first = 0; first < count; first += kDepth) {
            const int depth = static_cast<int>(std::min<int64_t>(kDepth, count - first));
            row_.weigh(row_.begin + first, depth, weights, squares);
            std::copy_n(weights.confidence, depth, &s_.confidence[first]);
            std::copy_n(weights.target, depth, &s_.target[first]);
        }
        std::fill(s_.confidence.begin() + count, s_.confidence.begin() + whole, T(0));
        std::fill(s_.target.begin() + count, s_.target.begin() + whole, T(0));
    }

    // ap = A p
    void multiply(const T* p, T* ap) {
        outside(p, ap);
        for_each_group(false, [&](const Group& group) {
            add(group, S::load(group.confidence) * products(group, p), ap, identity);
        });
    }

    // to = (w0 G + r I) x
    void outside(const T* x, T* to) {
        for (int c = 0; c < s_.width; ++c) to[c] = c < s_.n ? side_.ridge[row_.row] * x[c] : T(0);
        if (!side_.gram) return;
        if (s_.apart) {
            for (int c = 0; c < s_.width; ++c) to[c] += s_.base_diagonal[c] * x[c];
            return;
        }
        constexpr int lanes = S::lanes;
        int c = 0;
        for (; c + 8 * lanes <= s_.width; c += 8 * lanes)
            tile<T, 1, 8, false>(to + c, to + c, s_.width, x, 1, &s_.base[c], s_.stride, s_.n);
        for (; c < s_.width; c += lanes)
            tile<T, 1, 1, false>(to + c, to + c, s_.width, x, 1, &s_.base[c], s_.stride, s_.n);
    }

    const Row<T>& row_;
    Scratch<T>& s_;
    const HalfSweep<T>& side_;
};

}  // namespace alsatian
