// Fused scoring and selection: the n best columns of X Y' + bias per row, without storing the matrix.
#pragma once
#include <cstdint>
#include <vector>

#include "topk/selection.h"

namespace alsatian {

constexpr int kPanel = 16;  // items per panel, independent of the vector width, so that there is one layout

// Items in panels of similar items: long vectors first.
struct Panels {
    const float* cells;     // (ceil(items / 16), factors + 1, 16); line 0 is the bias (-inf in unused cells)
    const int32_t* order;   // (items): the item at each position
    const float* max_norm;  // (panels): upper bound of the vector length in the panel
    const float* max_bias;  // (panels): upper bound of the bias, including rounding errors
    int64_t items;
    int factors;

    int64_t count() const { return (items + kPanel - 1) / kPanel; }
    const float* at(int64_t panel) const { return cells + panel * kPanel * (factors + 1); }
};

void pack_items(const float* factors, const float* bias, const int32_t* order, int64_t items, int k, float* cells);

struct TopK {
    Panels panels;
    int n;
    const float* queries;  // (any, factors)
    const int32_t* rows;   // (count): the query, and the row of seen, of each list
    int64_t count;
    Excluded seen;       // by query
    int32_t* items_out;  // (count, n): descending score, then ascending item; -1 past the end
    float* scores;       // (count, n)
};

void top_k(const TopK& task, int threads);

// out[i] = sum_f left[left_rows[i], f] right[right_rows[i], f]
void pair_scores(const float* left, const int32_t* left_rows, const float* right, const int32_t* right_rows,
                 int64_t pairs, int k, float* out, int threads);

}  // namespace alsatian
