#include "topk/list_selection.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/parallel.h"

namespace alsatian {
namespace {

void select(const Lists& lists, int64_t at, const float* line) {
    Selection selection;
    for (int32_t item = 0; item < lists.items; ++item)
        if (line[item] > selection.threshold && !lists.seen.excluded(lists.rows[at], item))
            selection.offer(line[item], item, lists.n);
    selection.write(lists.n, lists.best + at * lists.n, lists.scores + at * lists.n);
}

struct Scratch {
    std::vector<float> line, divisor;
};

void score(const Sums& sums, int64_t items, int32_t row, Scratch& scratch) {
    auto& [line, divisor] = scratch;
    const bool divided = sums.divide != Divide::nothing;
    line.assign(items, 0);
    if (divided) divisor.assign(items, 0);
    for (int64_t e = sums.weights.indptr[row]; e < sums.weights.indptr[row + 1]; ++e) {
        const int32_t from = sums.weights.indices[e];
        const float weight = sums.weights.values[e];
        for (int64_t p = sums.parts.indptr[from]; p < sums.parts.indptr[from + 1]; ++p) {
            const int32_t item = sums.parts.indices[p];
            line[item] += weight * sums.parts.values[p];
            if (divided) divisor[item] += std::abs(sums.divide == Divide::weights ? weight : sums.parts.values[p]);
        }
    }
    for (int64_t item = 0; item < items; ++item) {
        if (divided && divisor[item] > 0) line[item] /= divisor[item] + sums.damping;
        if (sums.base) line[item] += sums.base[item];
        if (sums.start) line[item] += sums.start[row];
    }
}

}  // namespace

void best(const float* lines, const Lists& lists, int threads) {
    parallel_for(threads, lists.count, [&](int64_t at, int) { select(lists, at, lines + at * lists.items); });
}

void best_sums(const Sums& sums, const Lists& lists, int threads) {
    std::vector<Scratch> scratch(threads);
    parallel_for(threads, lists.count, [&](int64_t at, int worker) {
        score(sums, lists.items, lists.rows[at], scratch[worker]);
        select(lists, at, scratch[worker].line.data());
    });
}

}  // namespace alsatian
