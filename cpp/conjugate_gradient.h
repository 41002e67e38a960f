// Solves a row by a few steps of conjugate gradient from the last solution: the system is never formed
// (Takacs, Pilaszy and Tikk 2011, with the system's diagonal as preconditioner).
#pragma once
#include "row.h"

namespace alsatian {

template <class T>
class ConjugateGradient {
public:
    explicit ConjugateGradient(const Row<T>& row) : row_(row), s_(row.scratch), side_(row.side) {}

    // Returns false when the diagonal is not positive or the result not finite.
    bool solve(double& loss) {
        T *x = s_.right.data(), *r = s_.residual.data(), *p = s_.search.data(), *ap = s_.product.data();
        const T* diagonal = s_.diagonal.data();
        std::fill_n(x, s_.width, T(0));
        std::copy_n(row_.factors(), side_.factors, x);
        if (side_.fixed_bias) x[side_.factors] = side_.solution_bias[row_.row];
        double squares = 0, linear = 0;
        first_residual(x, squares, linear);
        double energy = linear + row_.dot_exactly(r, x);  // b'x + r'x, from which the loss follows
        double rz = 0;
        for (int c = 0; c < s_.n; ++c) {
            if (!(diagonal[c] > 0) || !std::isfinite(diagonal[c])) return false;
            p[c] = r[c] / diagonal[c];
            rz += static_cast<double>(r[c]) * p[c];
        }
        std::fill(p + s_.n, p + s_.width, T(0));
        if (!std::isfinite(rz)) return false;
        for (int step = 0; step < side_.steps && rz > 0; ++step) {
            multiply(p, ap);
            const double curvature = row_.dot_exactly(p, ap);
            if (!(curvature > 0)) break;  // converged to rounding
            const double length = rz / curvature;
            energy += length * rz;  // each step lowers x'Ax - 2b'x by (r'z)^2 / p'Ap
            axpy(T(length), p, x, s_.width);
            axpy(T(-length), ap, r, s_.width);
            double next = 0;
            for (int c = 0; c < s_.n; ++c) next += static_cast<double>(r[c]) * r[c] / diagonal[c];
            for (int c = 0; c < s_.n; ++c) p[c] = r[c] / diagonal[c] + T(next / rz) * p[c];
            rz = next;
        }
        return row_.keep(x, squares - energy, loss);
    }

private:
    static constexpr int64_t ahead = 16;  // entries fetched into the cache before their turn

    // Calls use(f, confidence, target) with the padded factors of each entry.
    template <class Use>
    void each(double& squares, const Use& use) {
        T* f = s_.gathered.data();
        Weights<T> weights;
        for (int64_t first = row_.begin; first < row_.end; first += kDepth) {
            const int depth = static_cast<int>(std::min<int64_t>(kDepth, row_.end - first));
            row_.weigh(first, depth, weights, squares);
            for (int d = 0; d < depth; ++d) {
                row_.prefetch(std::min(first + d + ahead, row_.end - 1));
                row_.gather(first + d, f);
                use(f, weights.confidence[d], weights.target[d]);
            }
        }
    }

    // residual = b - A x; diagonal = that of A; squares = sum_e c t^2; linear = b'x
    void first_residual(const T* x, double& squares, double& linear) {
        using S = Simd<T>;
        T *r = s_.residual.data(), *diagonal = s_.diagonal.data();
        outside(x, r);
        for (int c = 0; c < s_.width; ++c) r[c] = -r[c];
        for (int c = 0; c < s_.n; ++c) diagonal[c] = side_.ridge[row_.row] + s_.base[c * s_.stride + c];
        each(squares, [&](const T* f, T confidence, T target) {
            const T predicted = dot(f, x, s_.width);
            linear += static_cast<double>(target) * predicted;
            const T left = target - confidence * predicted;
            for (int c = 0; c < s_.width; c += S::lanes) {
                const auto v = S::load(f + c);
                S::store(r + c, S::load(r + c) + left * v);
                S::store(diagonal + c, S::load(diagonal + c) + confidence * (v * v));
            }
        });
    }

    // ap = A p
    void multiply(const T* p, T* ap) {
        double ignored = 0;
        outside(p, ap);
        each(ignored, [&](const T* f, T confidence, T) { axpy(confidence * dot(f, p, s_.width), f, ap, s_.width); });
    }

    // to = (w0 G + r I) x
    void outside(const T* x, T* to) {
        for (int c = 0; c < s_.width; ++c) to[c] = c < s_.n ? side_.ridge[row_.row] * x[c] : T(0);
        for (int r = 0; side_.gram && r < side_.factors; ++r) axpy(x[r], &s_.base[r * s_.stride], to, s_.width);
    }

    const Row<T>& row_;
    Scratch<T>& s_;
    const HalfSweep<T>& side_;
};

}  // namespace alsatian
