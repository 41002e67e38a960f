// One side of alternating least squares: every row is one ridge regression on the fixed side's factors.
//
//   (w0 G + sum_e (c_e - w0) f_e f_e' + r I) x = sum_e c_e t_e f_e
//
// over the entries e of the row, with f_e the fixed side's factors of the entry's column (and a
// constant 1 where a bias is learned), G = F'F, and t_e less the fixed side's bias. See models/als/base.py.
//
// With A x = b for the above, and b plus `rhs_offset`, a row of `noise` z makes x = A^-1 b + U^-1 z, where A = U'U: of
// standard normal z, a draw from the normal distribution whose precision is A. See models/bayesian/bayesian_mf.py.
//
// Where factors must not be negative, x is the minimum of the same regression under that bound (coordinate_descent.h).
#pragma once
#include <cstdint>

namespace alsatian {

// How the values of the data enter: confidence c = w (confidence_slope v + confidence_shift) and
// c t = w (target_slope v + target_shift), with w the entry's own weight or one.
struct Weighting {
    double confidence_slope, confidence_shift, target_slope, target_shift, unobserved;
};

template <class T>
struct HalfSweep {
    int64_t rows, columns;
    int factors;
    const int64_t* indptr;
    const int32_t* indices;
    const float* values;
    const float* weights;  // or null: one each
    Weighting weighting;
    const T* fixed;       // (columns, factors)
    const T* fixed_bias;  // (columns) or null: no biases are learned
    const T* gram;        // (n, n), w0 G or another matrix that all rows share, or null; n: factors and perhaps a bias
    const T* ridge;       // (rows)
    const T* rhs_offset;  // (n), added to b of every row, or null
    const T* noise;       // (rows, n) or null
    T* solution;          // (rows, factors): where conjugate gradient and coordinate descent start, and the result
    T* solution_bias;     // (rows) or null, as fixed_bias
    int steps;            // of conjugate gradient; 0 solves every row exactly, by Cholesky
    int64_t exact_from;   // rows with so many entries or more are solved exactly anyway
    bool nonnegative;     // hold factors (not biases) at 0 or above: steps is 0, and there is no noise

    int unknowns() const { return factors + (fixed_bias != nullptr); }
};

struct Outcome {
    double loss;     // sum over the rows of sum_e c (t - f'x)^2 + w0 (the unobserved) + r |x|^2 - 2 rhs_offset'x; with
                     // noise, sum_e c (t - f'x)^2 alone, from the residuals themselves
    int64_t failed;  // the first row whose system was singular or not finite, or -1
};

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads);

}  // namespace alsatian
