// Scores and selects at once: the n best columns of X Y' + bias per row, without the matrix.
#pragma once
#include <cstdint>
#include <vector>

#include "selection.h"

namespace alsatian {

constexpr int kPanel = 16;  // items side by side, whatever the vector: files and tests see one layout

// panels: (ceil(items / 16), factors + 1, 16); line 0 is the bias (-inf where there is no item), line f + 1 factor f.
void pack_items(const float* factors, const float* bias, int64_t items, int k, float* panels);

struct TopK {
    const float* panels;
    int64_t items;
    int factors, n;
    const float* queries;         // (any, factors)
    const int32_t* rows;          // (count): which query, and which row of seen
    int64_t count;
    Excluded seen;                // by query
    int32_t* best;                // (count, n): descending score, then ascending item; -1 past the end
    float* scores;                // (count, n)
};

void top_k(const TopK& task, int threads);

// out[i] = sum_f left[left_rows[i], f] right[right_rows[i], f]
void pair_scores(const float* left, const int32_t* left_rows, const float* right, const int32_t* right_rows,
                 int64_t pairs, int k, float* out, int threads);

}  // namespace alsatian
