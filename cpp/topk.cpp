#include "topk.h"

#include <algorithm>
#include <limits>

#include "parallel.h"
#include "selection.h"
#include "tiles.h"

namespace alsatian {
namespace {

constexpr int kQueries = 6;     // scored together: one register tile
constexpr int kGroups = 8;      // groups of six that share a stretch of panels in the cache
constexpr int64_t kStretch = 32;

// Scores R queries (their factors interleaved: [factor][R]) on one panel.
template <int R>
void score(const float* queries, const float* panel, int factors, float* out) {
    using S = Simd<float>;
    for (int r = 0; r < R; ++r) std::copy_n(panel, kPanel, out + r * kPanel);
    for (int c = 0; c < kPanel; c += 2 * S::lanes)
        tile<float, R, 2, false>(out + c, out + c, kPanel, queries, R, panel + kPanel + c, kPanel, factors);
}

// Offers the scores of one query on one panel.
void select(const TopK& t, int32_t row, int64_t panel, const float* line, Selection& selection) {
    float highest = line[0];
    for (int c = 1; c < kPanel; ++c) highest = std::max(highest, line[c]);
    if (!(highest > selection.threshold)) return;
    for (int c = 0; c < kPanel; ++c) {
        const int32_t item = static_cast<int32_t>(panel * kPanel + c);
        if (line[c] > selection.threshold && !t.seen.excluded(row, item)) selection.offer(line[c], item, t.n);
    }
}

template <int R>
void one_panel(const TopK& t, int64_t first, const float* queries, int64_t panel, Selection* selections) {
    float scores[R * kPanel];
    score<R>(queries, t.panels + panel * kPanel * (t.factors + 1), t.factors, scores);
    for (int r = 0; r < R; ++r) select(t, t.rows[first + r], panel, scores + r * kPanel, selections[r]);
}

// One query on four panels side by side: on one panel alone, each sum would wait for the one before it.
// The sums run in the order of tile(), so one user at a time gets the bits of many at once.
void four_panels(const TopK& t, int64_t first, const float* query, int64_t panel, Selection& selection) {
    using S = Simd<float>;
    constexpr int count = 4, vectors = kPanel / S::lanes;
    const int64_t size = kPanel * (t.factors + 1);
    const float* from = t.panels + panel * size;
    S::Vector acc[count][vectors];
    UNROLL for (int p = 0; p < count; ++p) {
        UNROLL for (int v = 0; v < vectors; ++v) acc[p][v] = S::load(from + p * size + v * S::lanes);
    }
    for (int f = 1; f <= t.factors; ++f) {
        UNROLL for (int p = 0; p < count; ++p) {
            UNROLL for (int v = 0; v < vectors; ++v)
                acc[p][v] += query[f - 1] * S::load(from + p * size + f * kPanel + v * S::lanes);
        }
    }
    for (int p = 0; p < count; ++p) {
        float line[kPanel];
        UNROLL for (int v = 0; v < vectors; ++v) S::store(line + v * S::lanes, acc[p][v]);
        select(t, t.rows[first], panel + p, line, selection);
    }
}

void dispatch(const TopK& t, int64_t first, int count, const float* queries, int64_t panel, Selection* selections) {
    switch (count) {
        case 6: one_panel<6>(t, first, queries, panel, selections); break;
        case 5: one_panel<5>(t, first, queries, panel, selections); break;
        case 4: one_panel<4>(t, first, queries, panel, selections); break;
        case 3: one_panel<3>(t, first, queries, panel, selections); break;
        case 2: one_panel<2>(t, first, queries, panel, selections); break;
        default: one_panel<1>(t, first, queries, panel, selections); break;
    }
}

}  // namespace

void pack_items(const float* factors, const float* bias, int64_t items, int k, float* panels) {
    for (int64_t panel = 0; panel * kPanel < items; ++panel) {
        float* to = panels + panel * kPanel * (k + 1);
        for (int c = 0; c < kPanel; ++c) {
            const int64_t item = panel * kPanel + c;
            const bool real = item < items;
            to[c] = !real ? -std::numeric_limits<float>::infinity() : bias ? bias[item] : 0.0f;
            for (int f = 0; f < k; ++f) to[(f + 1) * kPanel + c] = real ? factors[item * k + f] : 0.0f;
        }
    }
}

void top_k(const TopK& t, int threads) {
    constexpr int64_t batch = kQueries * kGroups;
    const int64_t panels = (t.items + kPanel - 1) / kPanel;
    parallel_for(threads, (t.count + batch - 1) / batch, [&](int64_t task, int) {
        const int64_t begin = task * batch, end = std::min(t.count, begin + batch);
        std::vector<float> queries(batch * t.factors);
        std::vector<Selection> selections(end - begin);
        for (int64_t first = begin; first < end; first += kQueries) {
            const int count = static_cast<int>(std::min<int64_t>(kQueries, end - first));
            float* to = queries.data() + (first - begin) * t.factors;
            for (int r = 0; r < count; ++r)
                for (int f = 0; f < t.factors; ++f)
                    to[f * count + r] = t.queries[static_cast<int64_t>(t.rows[first + r]) * t.factors + f];
        }
        for (int64_t from = 0; from < panels; from += kStretch) {
            for (int64_t first = begin; first < end; first += kQueries) {
                const int count = static_cast<int>(std::min<int64_t>(kQueries, end - first));
                const int64_t stop = std::min(panels, from + kStretch);
                int64_t panel = from;
                for (; count == 1 && panel + 4 <= stop; panel += 4)
                    four_panels(t, first, queries.data() + (first - begin) * t.factors, panel, selections[first - begin]);
                for (; panel < stop; ++panel)
                    dispatch(t, first, count, queries.data() + (first - begin) * t.factors, panel, &selections[first - begin]);
            }
        }
        for (int64_t at = begin; at < end; ++at) selections[at - begin].write(t.n, t.best + at * t.n, t.scores + at * t.n);
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
