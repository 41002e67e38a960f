#include "half_sweep.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "cholesky.h"
#include "parallel.h"

namespace alsatian {
namespace {

constexpr int kDepth = 48;   // entries gathered at a time: one panel of them stays in the first-level cache
constexpr int kRows = 8;     // rows dealt to a thread at a time
constexpr int kAhead = 6;    // entries whose factors are fetched ahead of use

// A thread's own memory, allocated once per call.
template <class T>
struct Scratch {
    int n, width;  // unknowns of a row: factors and perhaps a bias; the same in whole vectors
    long stride;   // of matrices' rows: an odd number of cache lines apart, so that they spread over all sets
    std::vector<T> system, gathered, weighted, right, diagonal, inverse, residual, search, product;

    explicit Scratch(const HalfSweep<T>& side)
        : n(side.factors + (side.fixed_bias != nullptr)),
          width(padded<T>(n)),
          stride(width + 64 / sizeof(T) * (width * sizeof(T) / 64 % 2 == 0)),
          system(static_cast<size_t>(n) * stride + width),
          gathered(kDepth * stride),
          weighted(kDepth * stride),
          right(width),
          diagonal(width),
          inverse(width),
          residual(width),
          search(width),
          product(width) {}
};

// The entries of one row, as the regression sees them.
template <class T>
struct Entry {
    T confidence, target;  // c - w0, and c times (t less the fixed bias)
};

template <class T>
class Row {
public:
    Row(const HalfSweep<T>& side, Scratch<T>& s, int64_t row)
        : side_(side), s_(s), row_(row), begin_(side.indptr[row]), end_(side.indptr[row + 1]) {}

    // Returns false when the system is singular or the result not finite.
    bool solve(double& loss) {
        T* x = side_.solution + row_ * side_.factors;
        if (begin_ == end_) {  // nothing is known: the regression's answer is zero
            std::fill_n(x, side_.factors, T(0));
            if (side_.solution_bias) side_.solution_bias[row_] = 0;
            loss = 0;
            return true;
        }
        return side_.steps == 0 ? exact(x, loss) : conjugate_gradient(x, loss);
    }

private:
    Entry<T> entry(int64_t e, double& squares) const {
        const Form& form = side_.form;
        const T w = side_.weights ? side_.weights[e] : 1;
        const T v = side_.values[e];
        const T c = w * (T(form.confidence_slope) * v + T(form.confidence_shift));
        T ct = w * (T(form.target_slope) * v + T(form.target_shift));
        if (side_.fixed_bias) ct -= c * side_.fixed_bias[side_.indices[e]];
        if (c != 0) squares += static_cast<double>(ct) * (ct / c);
        return {c - T(form.unobserved), ct};
    }

    // Copies the factors of entry e, a one where there is a bias, and zeros up to the width; the same times
    // `weight` to `weighted`, unless that is null.
    void gather(int64_t e, T* to, T weight = 1, T* weighted = nullptr) const {
        using S = Simd<T>;
        const int factors = side_.factors, whole = factors / S::lanes * S::lanes;
        const T* from = side_.fixed + static_cast<int64_t>(side_.indices[e]) * factors;
        const T* ahead = side_.fixed + static_cast<int64_t>(side_.indices[std::min(e + kAhead, end_ - 1)]) * factors;
        for (int c = 0; c < factors; c += 64 / sizeof(T)) __builtin_prefetch(ahead + c);
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
        if (c == s_.width) return;
        T last[S::lanes] = {};  // the vector that is not whole
        std::copy(from + c, from + factors, last);
        if (side_.fixed_bias) last[factors - c] = 1;
        S::store(to + c, S::load(last));
        if (weighted) S::store(weighted + c, weight * S::load(last));
    }

    // right += sum over the gathered entries of target f, a few vectors at a time in registers
    void add_right(const T* targets, int depth) {
        using S = Simd<T>;
        constexpr int group = 4;
        for (int c = 0; c < s_.width; c += group * S::lanes) {
            typename S::Vector acc[group] = {};
            const int vectors = std::min(group, (s_.width - c) / S::lanes);
            if (vectors == group) {
                for (int d = 0; d < depth; ++d) {
                    UNROLL for (int v = 0; v < group; ++v)
                        acc[v] += targets[d] * S::load(&s_.gathered[d * s_.stride + c + v * S::lanes]);
                }
            } else {
                for (int d = 0; d < depth; ++d) {
                    for (int v = 0; v < vectors; ++v)
                        acc[v] += targets[d] * S::load(&s_.gathered[d * s_.stride + c + v * S::lanes]);
                }
            }
            for (int v = 0; v < vectors; ++v) {
                T* at = &s_.right[c + v * S::lanes];
                S::store(at, S::load(at) + acc[v]);
            }
        }
    }

    bool exact(T* x, double& loss) {
        start_system();
        double squares = 0;
        const bool plain = !side_.weights && side_.form.confidence_slope == 0 && side_.form.confidence_shift - side_.form.unobserved == 1;
        const T* left = plain ? s_.gathered.data() : s_.weighted.data();  // all weights are one: no second copy
        T targets[kDepth];
        std::fill(s_.right.begin(), s_.right.end(), T(0));
        for (int64_t e = begin_; e < end_; e += kDepth) {
            const int depth = static_cast<int>(std::min<int64_t>(kDepth, end_ - e));
            for (int d = 0; d < depth; ++d) {
                const Entry<T> at = entry(e + d, squares);
                targets[d] = at.target;
                gather(e + d, &s_.gathered[d * s_.stride], at.confidence, plain ? nullptr : &s_.weighted[d * s_.stride]);
            }
            add_right(targets, depth);
            rank_update<T, false>(s_.system.data(), s_.stride, left, s_.stride, s_.gathered.data(), s_.stride, depth, 0,
                                  s_.n, s_.width);
        }
        std::copy(s_.right.begin(), s_.right.end(), s_.search.begin());
        if (solve_spd(s_.system.data(), s_.stride, s_.n, s_.width, s_.right.data(), s_.diagonal.data(), s_.inverse.data()) >= 0)
            return false;
        // at the minimum, sum_e c (t - f'x)^2 + x'(w0 G + r)x - w0 sum_e (f'x)^2 = sum_e c t^2 - b'x
        return keep(x, s_.right.data(), squares - dot_exactly(s_.search.data(), s_.right.data()), loss);
    }

    // The part of the system that does not depend on the entries: w0 G + r I.
    void start_system() {
        std::fill(s_.system.begin(), s_.system.end(), T(0));
        for (int r = 0; side_.gram && r < side_.factors; ++r)
            std::copy_n(side_.gram + static_cast<long>(r) * side_.factors, side_.factors, &s_.system[r * s_.stride]);
        for (int r = 0; r < s_.n; ++r) s_.system[r * s_.stride + r] += side_.ridge[row_];
    }

    // Conjugate gradient on the same system, never formed, from the last solution (Hu et al. 2008 solve
    // exactly; Takacs, Pilaszy and Tikk 2011 this way), with its diagonal as preconditioner.
    bool conjugate_gradient(T* x, double& loss) {
        T* start = s_.right.data();
        std::fill_n(start, s_.width, T(0));
        std::copy_n(x, side_.factors, start);
        if (side_.fixed_bias) start[side_.factors] = side_.solution_bias[row_];
        double squares = 0, linear = 0;
        first_residual(start, squares, linear);
        T *r = s_.residual.data(), *p = s_.search.data(), *ap = s_.product.data(), *diagonal = s_.diagonal.data();
        double energy = linear + dot_exactly(r, start);  // b'x + r'x, from which the loss follows
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
            const double curvature = dot_exactly(p, ap);
            if (!(curvature > 0)) break;  // converged to rounding
            const double length = rz / curvature;
            energy += length * rz;  // each step lowers x'Ax - 2b'x by (r'z)^2 / p'Ap
            axpy(T(length), p, start, s_.width);
            axpy(T(-length), ap, r, s_.width);
            double next = 0;
            for (int c = 0; c < s_.n; ++c) next += static_cast<double>(r[c]) * r[c] / diagonal[c];
            for (int c = 0; c < s_.n; ++c) p[c] = r[c] / diagonal[c] + T(next / rz) * p[c];
            rz = next;
        }
        return keep(x, start, squares - energy, loss);
    }

    // residual = b - A x; diagonal = that of A; squares = sum_e c t^2; linear = b'x
    void first_residual(const T* x, double& squares, double& linear) {
        T *r = s_.residual.data(), *diagonal = s_.diagonal.data(), *f = s_.gathered.data();
        outside(x, r);
        for (int c = 0; c < s_.width; ++c) r[c] = -r[c];
        for (int c = 0; c < s_.n; ++c) diagonal[c] = side_.ridge[row_];
        for (int c = 0; side_.gram && c < side_.factors; ++c) diagonal[c] += side_.gram[static_cast<long>(c) * (side_.factors + 1)];
        for (int64_t e = begin_; e < end_; ++e) {
            const Entry<T> at = entry(e, squares);
            gather(e, f);
            const T predicted = dot(f, x, s_.width);
            linear += static_cast<double>(at.target) * predicted;
            using S = Simd<T>;
            for (int c = 0; c < s_.width; c += S::lanes) {
                const auto v = S::load(f + c);
                S::store(r + c, S::load(r + c) + (at.target - at.confidence * predicted) * v);
                S::store(diagonal + c, S::load(diagonal + c) + at.confidence * (v * v));
            }
        }
    }

    // ap = A p
    void multiply(const T* p, T* ap) {
        T* f = s_.gathered.data();
        double ignored = 0;
        outside(p, ap);
        for (int64_t e = begin_; e < end_; ++e) {
            gather(e, f);
            axpy(entry(e, ignored).confidence * dot(f, p, s_.width), f, ap, s_.width);
        }
    }

    // to = (w0 G + r I) x
    void outside(const T* x, T* to) {
        for (int c = 0; c < s_.width; ++c) to[c] = c < s_.n ? side_.ridge[row_] * x[c] : T(0);
        for (int r = 0; side_.gram && r < side_.factors; ++r) {
            const T* row = side_.gram + static_cast<long>(r) * side_.factors;
            for (int c = 0; c < side_.factors; ++c) to[c] += x[r] * row[c];
        }
    }

    double dot_exactly(const T* a, const T* b) const {
        double total = 0;
        for (int c = 0; c < s_.n; ++c) total += static_cast<double>(a[c]) * b[c];
        return total;
    }

    bool keep(T* x, const T* result, double row_loss, double& loss) {
        if (!std::isfinite(row_loss)) return false;
        for (int c = 0; c < s_.n; ++c)
            if (!std::isfinite(result[c])) return false;
        std::copy_n(result, side_.factors, x);
        if (side_.solution_bias) side_.solution_bias[row_] = result[side_.factors];
        loss = row_loss;
        return true;
    }

    const HalfSweep<T>& side_;
    Scratch<T>& s_;
    const int64_t row_, begin_, end_;
};

// The rows in descending order of their length, so that no thread is left with a long one at the end.
std::vector<int32_t> longest_first(const int64_t* indptr, int64_t rows) {
    std::vector<int32_t> order(rows);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        return indptr[a + 1] - indptr[a] > indptr[b + 1] - indptr[b];
    });
    return order;
}

}  // namespace

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads) {
    const std::vector<int32_t> order = longest_first(side.indptr, side.rows);
    const int64_t tasks = (side.rows + kRows - 1) / kRows;
    std::vector<Scratch<T>> scratch;
    for (int worker = 0; worker < threads; ++worker) scratch.emplace_back(side);
    std::vector<double> loss(side.rows);
    std::atomic<int64_t> failed{side.rows};
    parallel_for(threads, tasks, [&](int64_t task, int worker, const std::atomic<bool>& cancelled) {
        for (int64_t at = task * kRows; at < std::min(side.rows, (task + 1) * kRows) && !cancelled; ++at) {
            const int64_t row = order[at];
            if (Row<T>(side, scratch[worker], row).solve(loss[row])) continue;
            for (int64_t first = failed; row < first && !failed.compare_exchange_weak(first, row);) {}
        }
    });
    const double total = std::accumulate(loss.begin(), loss.end(), 0.0);  // in row order: same bits always
    return {total, failed == side.rows ? -1 : failed.load()};
}

template Outcome half_sweep<float>(const HalfSweep<float>&, int);
template Outcome half_sweep<double>(const HalfSweep<double>&, int);

}  // namespace alsatian
