// Top-n lists from dense scores, or from scores that are sums of a few sparse rows.
#pragma once
#include <cstdint>

#include "common/sparse.h"
#include "topk/selection.h"

namespace alsatian {

// The requested lists, and their outputs.
struct TopNRequest {
    int64_t items;
    int n;
    const int32_t* rows;  // (count): the row of `seen`, and of the weights, of each list
    int64_t count;
    Excluded seen;
    int32_t* items_out;  // (count, n): descending score, then ascending item; -1 past the end
    float* scores;       // (count, n)
};

// The n best items of each row of `lines` (count, items).
void top_n_dense(const float* lines, const TopNRequest& request, int threads);

enum class Divisor { nothing, weights, parts };

// Each entry e of a row has a weight a_e. Its index is a row of `parts` with the values p_ei. The score of item i is
// start_row + base_i + sum_e a_e p_ei / d. d is 1, or damping + the sum of |a_e| or of |p_ei| over the entries that
// have item i; the term is 0 if no entry has it. start, base: may be null.
struct SparseSums {
    Sparse weights, parts;
    const float *start, *base;
    Divisor divisor_kind;
    float damping;
};

void top_n_sums(const SparseSums& sums, const TopNRequest& request, int threads);

}  // namespace alsatian
