// Scores and selects at once: the n best columns of X Y' + bias per row, without the matrix.
#pragma once
#include <cstdint>
#include <vector>

#include "topk/selection.h"

namespace alsatian {

constexpr int kPanel = 16;  // items side by side, whatever the vector: files and tests see one layout

// Items in an order in which like ones are together: long ones first.
struct Panels {
    const float* cells;     // (ceil(items / 16), factors + 1, 16); line 0 is the bias (-inf where there is no item)
    const int32_t* order;   // (items): which item has this place
    const float* max_norm;  // (panels): no item of the panel has a longer vector,
    const float* max_bias;  // and none a higher bias, not even after rounding errors
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
    const int32_t* rows;   // (count): which query, and which row of seen
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
