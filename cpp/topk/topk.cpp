#include "topk/topk.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "common/parallel.h"
#include "common/tiles.h"
#include "topk/selection.h"

namespace alsatian {
namespace {

constexpr int kQueries = 6;        // queries scored together: one register tile
constexpr int kQueryGroups = 8;    // groups of six queries that share cached panels
constexpr int kPanelStretch = 32;  // panels scored for a group before the next group
constexpr int kPanelsPerStep = 4;  // panels scored for a single query at a time

// A query, and the current state of its list.
struct Query {
    int32_t row;
    const float* factors;
    float length;  // of the vector, rounded up
    Selection selection;
};

// Writes to `candidates` the panels of [from, stop) that may have an item for this list, and returns their number: the
// panels whose upper bound of a score, |x| |y| + b >= x'y + b, reaches the threshold of the list.
int panels_above_threshold(const Panels& panels, const Query& query, int64_t from, int64_t stop, int64_t* candidates) {
    using S = Simd<float>;
    const float threshold = query.selection.threshold;
    int count = 0;
    const auto add = [&](int64_t panel, bool reaches) {
        candidates[count] = panel;
        count += reaches;
    };
    int64_t panel = from;
    for (; panel + S::lanes <= stop; panel += S::lanes) {
        const auto below =
            query.length * S::load(panels.max_norm + panel) + S::load(panels.max_bias + panel) < threshold;
        if (Simd<int32_t>::total(below) == -S::lanes) continue;
        for (int lane = 0; lane < S::lanes; ++lane) add(panel + lane, !below[lane]);
    }
    for (; panel < stop; ++panel)
        add(panel, !(query.length * panels.max_norm[panel] + panels.max_bias[panel] < threshold));
    return count;
}

// Offers the scores of one query on one panel.
void select(const TopK& t, int64_t panel, const float* line, Query& query) {
    using S = Simd<float>;
    Selection& selection = query.selection;
    auto below = S::load(line) < selection.threshold;
    for (int c = S::lanes; c < kPanel; c += S::lanes) below &= S::load(line + c) < selection.threshold;
    if (Simd<int32_t>::total(below) == -S::lanes) return;
    const int64_t count = std::min<int64_t>(kPanel, t.panels.items - panel * kPanel);
    for (int c = 0; c < count; ++c) {
        const int32_t item = t.panels.order[panel * kPanel + c];
        if (!selection.takes(line[c], item)) continue;
        // Checked here, since checking all of `order` beforehand takes longer than most lists.
        if (item < 0 || item >= t.panels.items) throw std::invalid_argument("order has an item out of bounds");
        if (!t.seen.excluded(query.row, item)) selection.offer(line[c], item, t.n);
    }
}

// Scores six queries on one panel. interleaved: the factors of the queries, factor by factor.
void score_queries_on_panel(const TopK& t, Query* queries, const float* interleaved, int64_t panel) {
    using S = Simd<float>;
    const float* from = t.panels.at(panel);
    float scores[kQueries * kPanel];
    for (int r = 0; r < kQueries; ++r) std::copy_n(from, kPanel, scores + r * kPanel);
    for (int c = 0; c < kPanel; c += 2 * S::lanes)
        tile<float, kQueries, 2, false>(scores + c, scores + c, kPanel, interleaved, kQueries, from + kPanel + c,
                                        kPanel, t.panels.factors);
    for (int r = 0; r < kQueries; ++r) select(t, panel, scores + r * kPanel, queries[r]);
}

// Scores one query on a few panels at a time, to hide the latency of dependent sums. The sums run in the order of
// tile(), so a list is bitwise the same whichever other lists are computed with it.
void score_query_on_panels(const TopK& t, Query& query, const int64_t* panels, int count) {
    using S = Simd<float>;
    constexpr int vectors = kPanel / S::lanes;
    for (int first = 0; first < count; first += kPanelsPerStep) {
        const float* from[kPanelsPerStep];
        for (int p = 0; p < kPanelsPerStep; ++p) from[p] = t.panels.at(panels[std::min(first + p, count - 1)]);
        S::Vector acc[kPanelsPerStep][vectors];
        UNROLL for (int p = 0; p < kPanelsPerStep; ++p) {
            UNROLL for (int v = 0; v < vectors; ++v) acc[p][v] = S::load(from[p] + v * S::lanes);
        }
        for (int f = 1; f <= t.panels.factors; ++f) {
            UNROLL for (int p = 0; p < kPanelsPerStep; ++p) {
                UNROLL for (int v = 0; v < vectors; ++v) {
                    acc[p][v] += query.factors[f - 1] * S::load(from[p] + f * kPanel + v * S::lanes);
                }
            }
        }
        for (int p = 0; p < std::min(kPanelsPerStep, count - first); ++p) {
            float line[kPanel];
            UNROLL for (int v = 0; v < vectors; ++v) S::store(line + v * S::lanes, acc[p][v]);
            select(t, panels[first + p], line, query);
        }
    }
}

// Scores six queries on a stretch of panels: together if most need most of the panels, else each on its candidates.
void score_stretch(const TopK& t, Query* queries, int count, const float* interleaved, int64_t from, int64_t stop) {
    int64_t candidates[kQueries][kPanelStretch];
    int counts[kQueries], total = 0;
    for (int r = 0; r < count; ++r)
        total += counts[r] = panels_above_threshold(t.panels, queries[r], from, stop, candidates[r]);
    if (count == kQueries && 2 * total >= kQueries * (stop - from)) {
        for (int64_t panel = from; panel < stop; ++panel) score_queries_on_panel(t, queries, interleaved, panel);
    } else {
        for (int r = 0; r < count; ++r) score_query_on_panels(t, queries[r], candidates[r], counts[r]);
    }
}

Query make_query(const TopK& t, int32_t row) {
    const float* factors = t.queries + static_cast<int64_t>(row) * t.panels.factors;
    double square = 0;
    for (int f = 0; f < t.panels.factors; ++f) square += static_cast<double>(factors[f]) * factors[f];
    const float length = std::nextafter(static_cast<float>(std::sqrt(square)), std::numeric_limits<float>::infinity());
    return {row, factors, length, {}};
}

}  // namespace

void pack_items(const float* factors, const float* bias, const int32_t* order, int64_t items, int k, float* cells) {
    for (int64_t panel = 0; panel * kPanel < items; ++panel) {
        float* to = cells + panel * kPanel * (k + 1);
        for (int c = 0; c < kPanel; ++c) {
            const bool real = panel * kPanel + c < items;
            const int64_t item = real ? order[panel * kPanel + c] : 0;
            to[c] = !real ? -std::numeric_limits<float>::infinity() : bias ? bias[item] : 0.0f;
            for (int f = 0; f < k; ++f) to[(f + 1) * kPanel + c] = real ? factors[item * k + f] : 0.0f;
        }
    }
}

void top_k(const TopK& t, int threads) {
    constexpr int64_t batch = kQueries * kQueryGroups;
    const int64_t panels = t.panels.count(), k = t.panels.factors;
    parallel_for(threads, (t.count + batch - 1) / batch, [&](int64_t task, int) {
        const int64_t begin = task * batch, size = std::min(t.count - begin, batch);
        std::vector<Query> queries;
        for (int64_t at = begin; at < begin + size; ++at) queries.push_back(make_query(t, t.rows[at]));
        const int64_t whole = size - size % kQueries;  // in groups of six
        std::vector<float> interleaved(whole * k);
        for (int64_t at = 0; at < whole; ++at)
            for (int64_t f = 0; f < k; ++f)
                interleaved[(at - at % kQueries) * k + f * kQueries + at % kQueries] = queries[at].factors[f];
        for (int64_t from = 0; from < panels; from += kPanelStretch) {
            for (int64_t first = 0; first < size; first += kQueries) {
                const int count = static_cast<int>(std::min<int64_t>(kQueries, size - first));
                score_stretch(t, &queries[first], count, interleaved.data() + first * k, from,
                              std::min(panels, from + kPanelStretch));
            }
        }
        for (int64_t at = 0; at < size; ++at)
            queries[at].selection.write(t.n, t.items_out + (begin + at) * t.n, t.scores + (begin + at) * t.n);
    });
}

void pair_scores(const float* left, const int32_t* left_rows, const float* right, const int32_t* right_rows,
                 int64_t pairs, int k, float* out, int threads) {
    constexpr int64_t batch = 16384;
    parallel_for(threads, (pairs + batch - 1) / batch, [&](int64_t task, int) {
        for (int64_t i = task * batch; i < std::min(pairs, (task + 1) * batch); ++i) {
            const float* a = left + static_cast<int64_t>(left_rows[i]) * k;
            const float* b = right + static_cast<int64_t>(right_rows[i]) * k;
            float total = 0;
            for (int f = 0; f < k; ++f) total += a[f] * b[f];
            out[i] = total;
        }
    });
}

}  // namespace alsatian
