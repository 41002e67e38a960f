// One side of alternating least squares: every row is a ridge regression on the factors of the fixed side.
//
//   (w0 G + sum_e (c_e - w0) f_e f_e' + r I) x = sum_e c_e t_e f_e
//
// over the entries e of the row. f_e: the factors of the fixed side for the column of the entry (and a constant 1 if
// biases are fitted). G = F'F. The bias of the fixed side is subtracted from t_e. See models/als/base.py.
//
// Sampling: write the system as A x = b, with `rhs_offset` added to b. Then a row z of `noise` gives
// x = A^-1 b + U^-1 z, where A = U'U. If z is standard normal, this is a draw from the normal distribution with mean
// A^-1 b and precision A. See models/bayesian/bayesian_mf.py.
//
// If factors must not be negative, x is the minimum of the same regression under this bound (coordinate_descent.h).
#pragma once
#include <cstdint>

namespace alsatian {

// How a value v with weight w (or 1) enters the objective: confidence c = w (confidence_slope v + confidence_shift),
// and c t = w (target_slope v + target_shift).
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
    const float* weights;  // or null: all 1
    Weighting weighting;
    const T* fixed;       // (columns, factors)
    const T* fixed_bias;  // (columns) or null: no biases are fitted
    const T* gram;        // (n, n): w0 G or another matrix that all rows share, or null; n: number of unknowns
    const T* ridge;       // (rows)
    const T* rhs_offset;  // (n), added to b of every row, or null
    const T* noise;       // (rows, n) or null
    T* solution;          // (rows, factors): the starting point of iterative solvers, and the result
    T* solution_bias;     // (rows), or null if fixed_bias is null
    int steps;            // of conjugate gradient; 0 solves every row exactly, by Cholesky
    int64_t exact_from;   // rows with this many entries or more are always solved exactly
    bool nonnegative;     // factors (not biases) must be at least 0; requires steps = 0 and no noise

    int unknowns() const { return factors + (fixed_bias != nullptr); }
};

struct Outcome {
    double loss;     // sum over rows of sum_e c (t - f'x)^2 + w0 (unobserved) + r |x|^2 - 2 rhs_offset'x; with noise,
                     // only sum_e c (t - f'x)^2, from the residuals
    int64_t failed;  // the first row whose system was singular or not finite, or -1
};

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads);

}  // namespace alsatian
