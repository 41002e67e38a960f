// Biased matrix factorization by stochastic gradient descent, one entry (user u, item i, value v) after another:
//
//   e = w (v - mean - b_u - b_i - (x_u + s_u).y_i)
//   x_u moves along  e y_i - reg a_u x_u          b_u along  e - bias_reg a_u b_u       (a: see SgdSide)
//   y_i moves along  e (x_u + s_u) - reg a_i y_i  b_i along  e - bias_reg a_i b_i
//
// s_u, the implicit term of SVD++, stands still meanwhile. The entries lie in a grid of blocks, stripes of users by
// stripes of items. Round r walks the blocks (a, a + r): no two of them share a user or an item, so threads need not
// know of each other, and the order of the steps depends on the grid alone. See models/sgd/biased_mf.py.
#pragma once
#include <cstdint>

namespace alsatian {

struct Blocks {
    int stripes;            // of users, and of items
    const int64_t* starts;  // (stripes * stripes + 1): block (a, b) begins at starts[a * stripes + b]
    const int32_t *users, *items;
    const float *values, *weights;  // weights or null: one each
};

// What is learned of one side, and the moments of its gradients: none for plain steps, one for momentum, two for Adam.
struct SgdSide {
    int64_t rows;
    float* factors;      // (rows, 1 + moments, width), width a whole number of vectors
    float* bias;         // (rows, 1 + moments)
    int32_t* steps;      // (rows) how many steps a row has made
    const float* share;  // (rows) a: how much of a row's regularization each of its entries carries
};

struct StepRule {
    double mean, rate, reg, bias_reg, momentum;  // momentum: what a step keeps of the (first) moment
    int64_t batch;                               // entries of a block whose gradients are summed before any row moves
};

struct Sgd {
    Blocks blocks;
    int width, moments;
    SgdSide users, items;
    const float* sums;  // (users, width) s, or null
    float* slopes;      // (users, width) or null: e y_i is added, from which the implicit factors learn
    StepRule rule;
};

// Walks these rounds in this order.
void sgd(const Sgd& task, const int32_t* rounds, int64_t count, int threads);

// The sum over all entries of w (v - prediction)^2.
double squared_error(const Sgd& task, int threads);

// to[r] = the sum of from[indices[e]] over the entries e of row r, for rows of `width` numbers, whole vectors
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
