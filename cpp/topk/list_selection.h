// Lists from scores that are there, or that are sums of a few sparse rows.
#pragma once
#include <cstdint>

#include "common/sparse.h"
#include "topk/selection.h"

namespace alsatian {

// The lists that are wanted, and where they go.
struct TopNRequest {
    int64_t items;
    int n;
    const int32_t* rows;  // (count): which row of `seen`, and of the weights
    int64_t count;
    Excluded seen;
    int32_t* items_out;  // (count, n): descending score, then ascending item; -1 past the end
    float* scores;       // (count, n)
};

// The n best of each line of `lines` (count, items).
void top_n_dense(const float* lines, const TopNRequest& request, int threads);

enum class Divisor { nothing, weights, parts };

// With the weights a_e of a row's entries e, each of which names a row of `parts` with values p_ei, an item's score is
// start_row + base_i + sum_e a_e p_ei / d: d is 1, or damping + the sum of |a_e| or of |p_ei| over the e that have i,
// and what is left of the sum is 0 where none has. start, base: or null.
struct SparseSums {
    Sparse weights, parts;
    const float *start, *base;
    Divisor divisor_kind;
    float damping;
};

void top_n_sums(const SparseSums& sums, const TopNRequest& request, int threads);

}  // namespace alsatian
