// Biased matrix factorization by stochastic gradient descent, one entry (user u, item i, value v) at a time:
//
//   e = w (v - mean - b_u - b_i - (x_u + s_u).y_i)
//   x_u moves along  e y_i - reg a_u x_u          b_u along  e - bias_reg a_u b_u       (a: see SgdSide)
//   y_i moves along  e (x_u + s_u) - reg a_i y_i  b_i along  e - bias_reg a_i b_i
//
// s_u, the implicit term of SVD++, is constant during a call. The entries are in a grid of blocks: stripes of users by
// stripes of items. Round r processes the blocks (a, a + r). They share no user and no item, so threads need no
// synchronization, and the order of the steps depends only on the grid. See models/sgd/biased_mf.py.
#pragma once
#include <cstdint>

namespace alsatian {

struct Blocks {
    int stripes;            // of users, and of items
    const int64_t* starts;  // (stripes * stripes + 1): block (a, b) begins at starts[a * stripes + b]
    const int32_t *users, *items;
    const float *values, *weights;  // weights, or null: all 1
};

// The parameters of one side, and the moments of their gradients: 0 for plain steps, 1 for momentum, 2 for Adam.
struct SgdSide {
    int64_t rows;
    float* factors;      // (rows, 1 + moments, width); width is a multiple of the vector width
    float* bias;         // (rows, 1 + moments)
    int32_t* steps;      // (rows): the number of steps of each row
    const float* share;  // (rows): a, the share of a row's regularization that each of its entries has
};

struct StepRule {
    double mean, rate, reg, bias_reg, momentum;  // momentum: the decay rate of the (first) moment
    int64_t batch;                               // entries of a block whose gradients are summed before an update
};

struct Sgd {
    Blocks blocks;
    int width, moments;
    SgdSide users, items;
    const float* sums;  // (users, width): s, or null
    float* slopes;      // (users, width) or null: e y_i is added; used to update the implicit factors
    StepRule rule;
};

// Processes these rounds in this order.
void sgd(const Sgd& task, const int32_t* rounds, int64_t count, int threads);

// The sum over all entries of w (v - prediction)^2.
double squared_error(const Sgd& task, int threads);

// to[r] = the sum of from[indices[e]] over the entries e of row r. width: a multiple of the vector width.
struct RowSums {
    int64_t rows;
    int width;
    const int64_t* indptr;
    const int32_t* indices;
    const float* from;
    float* to;
};
void row_sums(const RowSums& task, int threads);

}  // namespace alsatian
