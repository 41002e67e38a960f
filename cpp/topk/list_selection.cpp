#include "topk/list_selection.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/parallel.h"

namespace alsatian {
namespace {

void select_line(const TopNRequest& request, int64_t at, const float* line) {
    Selection selection;
    for (int32_t item = 0; item < request.items; ++item)
        if (line[item] > selection.threshold && !request.seen.excluded(request.rows[at], item))
            selection.offer(line[item], item, request.n);
    selection.write(request.n, request.items_out + at * request.n, request.scores + at * request.n);
}

struct Scratch {
    std::vector<float> line, divisor;
};

void score_row(const SparseSums& sums, int64_t items, int32_t row, Scratch& scratch) {
    auto& [line, divisor] = scratch;
    const bool divided = sums.divisor_kind != Divisor::nothing;
    line.assign(items, 0);
    if (divided) divisor.assign(items, 0);
    for (int64_t e = sums.weights.indptr[row]; e < sums.weights.indptr[row + 1]; ++e) {
        const int32_t from = sums.weights.indices[e];
        const float weight = sums.weights.values[e];
        for (int64_t p = sums.parts.indptr[from]; p < sums.parts.indptr[from + 1]; ++p) {
            const int32_t item = sums.parts.indices[p];
            line[item] += weight * sums.parts.values[p];
            if (divided)
                divisor[item] += std::abs(sums.divisor_kind == Divisor::weights ? weight : sums.parts.values[p]);
        }
    }
    for (int64_t item = 0; item < items; ++item) {
        if (divided && divisor[item] > 0) line[item] /= divisor[item] + sums.damping;
        if (sums.base) line[item] += sums.base[item];
        if (sums.start) line[item] += sums.start[row];
    }
}

}  // namespace

void top_n_dense(const float* lines, const TopNRequest& request, int threads) {
    parallel_for(threads, request.count,
                 [&](int64_t at, int) { select_line(request, at, lines + at * request.items); });
}

void top_n_sums(const SparseSums& sums, const TopNRequest& request, int threads) {
    std::vector<Scratch> scratch(threads);
    parallel_for(threads, request.count, [&](int64_t at, int worker) {
        score_row(sums, request.items, request.rows[at], scratch[worker]);
        select_line(request, at, scratch[worker].line.data());
    });
}

}  // namespace alsatian
