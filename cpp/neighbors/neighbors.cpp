#include "neighbors/neighbors.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/parallel.h"
#include "neighbors/long_rows.h"
#include "neighbors/neighbor_heap.h"
#include "neighbors/similarity.h"

namespace alsatian {
namespace {

template <class Sums>
struct Scratch {
    std::vector<float> bars;  // by rank: a lower bound of the similarity to reach, as known to this thread
    std::vector<Sums> sums;
    std::vector<Line> tile, lines;
};

// The state that all threads share.
template <class Sums>
struct Pairs {
    const Sparse& rows;
    const Similarity similarity;
    const std::vector<int32_t> order;  // the rows by rank
    std::vector<float> sizes;          // by rank, padded
    NeighborHeap heap;
    std::vector<Scratch<Sums>> scratch;

    Pairs(const Sparse& rows, const float* sizes, Similarity similarity, int32_t* neighbors_out, float* scores,
          int threads)
        : rows(rows),
          similarity(similarity),
          order(by_length(rows)),
          heap(similarity.k, neighbors_out, scores, rows.rows),
          scratch(threads) {
        for (int32_t row : order) this->sizes.push_back(sizes[row]);
        this->sizes.resize(rows.rows + kLine, 1.0f);
        for (auto& thread : scratch) thread.bars.assign(rows.rows + kLine, kMinSimilarity);
    }

    // Computes the similarities of a row with `width` ranks from `first` on, and offers those that may enter a list.
    // Nearly all others are discarded with vector instructions. Only the first `count` ranks are valid.
    template <int width, class SumsOf>
    void offer(int64_t rank, int64_t first, int64_t count, const SumsOf& sums_of, std::vector<float>& bars) {
        const float size = sizes[rank], bar = bars[rank], *others = &bars[first], *with = &sizes[first];
        float scores[width];
        bool any = false;
        for (int lane = 0; lane < width; ++lane) {
            const Sums sums = sums_of(lane);
            scores[lane] = sums.any() ? sums.similarity(size, with[lane], similarity.shrinkage) : 0;
        }
        for (int lane = 0; lane < width; ++lane) any |= (scores[lane] >= bar) | (scores[lane] >= others[lane]);
        if (!any) return;
        for (int lane = 0; lane < std::min<int64_t>(width, count); ++lane) {
            const int64_t other = first + lane;
            if (scores[lane] >= bars[rank]) bars[rank] = heap.offer(order[rank], scores[lane], order[other]);
            if (scores[lane] >= bars[other]) bars[other] = heap.offer(order[other], scores[lane], order[rank]);
        }
    }
};

// The pairs with at least one of the `head` longest rows.
template <class Sums>
void long_row_pairs(Pairs<Sums>& pairs, int64_t columns, int64_t head, int threads) {
    constexpr int width = kTile<Sums>;
    const std::vector<Part> parts = parts_of<Sums>(pairs.rows, columns, pairs.order);
    const int64_t rows = pairs.rows.rows, blocks = (rows + kRowsPerTask - 1) / kRowsPerTask;
    parallel_for(threads, (head + width - 1) / width * blocks, [&](int64_t task, int worker) {
        auto& scratch = pairs.scratch[worker];
        const int64_t first = task / blocks * width;
        const int64_t begin = std::max(first + 1, task % blocks * kRowsPerTask),
                      end = std::min(rows, (task % blocks + 1) * kRowsPerTask);
        if (begin >= end) return;
        tile_sums<Sums>(parts, first, begin, end, scratch.tile, scratch.lines);
        for (int64_t rank = begin; rank < end; ++rank) {
            const float* line = scratch.lines[rank - begin].at;
            const auto sums_of = [&](int lane) { return Sums::of(line + lane, width); };
            pairs.template offer<width>(rank, first, rank - first, sums_of, scratch.bars);
        }
    });
}

// The entries of the rows from a rank on, by column, with the longest rows first. Most sums then belong to a few
// adjacent rows, and stay in the L1 cache.
struct Ranked {
    std::vector<int64_t> starts;   // of the columns
    std::vector<Entry> entries;    // the row, relative to the first rank
    std::vector<int64_t> offsets;  // of the rows in `before`
    std::vector<int32_t> before;   // per entry, row by row: the number of earlier entries in its column

    Ranked(const Sparse& rows, int64_t columns, const std::vector<int32_t>& order, int64_t first)
        : starts(columns + 1), offsets{0} {
        for (int64_t rank = first; rank < rows.rows; ++rank) {
            for (int64_t e = rows.indptr[order[rank]]; e < rows.indptr[order[rank] + 1]; ++e)
                ++starts[rows.indices[e] + 1];
            offsets.push_back(offsets.back() + rows.indptr[order[rank] + 1] - rows.indptr[order[rank]]);
        }
        std::partial_sum(starts.begin(), starts.end(), starts.begin());
        entries.resize(offsets.back());
        before.reserve(offsets.back());
        std::vector<int64_t> ends(starts.begin(), starts.end() - 1);
        for (int64_t rank = first; rank < rows.rows; ++rank) {
            for (int64_t e = rows.indptr[order[rank]]; e < rows.indptr[order[rank] + 1]; ++e) {
                const int32_t column = rows.indices[e];
                before.push_back(static_cast<int32_t>(ends[column] - starts[column]));
                entries[ends[column]++] = {static_cast<int32_t>(rank - first), rows.values[e]};
            }
        }
    }
};

// The pairs of the other rows: the sums of a row with the rows of lower rank, which come first in each column.
template <class Sums>
void short_row_pairs(Pairs<Sums>& pairs, int64_t columns, int64_t head, int threads) {
    const Sparse& rows = pairs.rows;
    const Ranked ranked(rows, columns, pairs.order, head);
    parallel_for(threads, rows.rows - head, [&](int64_t place, int worker) {
        auto& [bars, sums, tile, lines] = pairs.scratch[worker];
        if (sums.empty()) sums.resize(rows.rows - head + kLine);
        const int32_t row = pairs.order[head + place];
        const int32_t* before = ranked.before.data() + ranked.offsets[place];
        const int64_t end = rows.indptr[row + 1];
        for (int64_t e = rows.indptr[row]; e < end; ++e) {
            if (e + 4 < end) __builtin_prefetch(&ranked.entries[ranked.starts[rows.indices[e + 4]]]);
            const Entry* entry = &ranked.entries[ranked.starts[rows.indices[e]]];
            const float value = rows.values[e];
            for (const Entry* last = entry + *before++; entry < last; ++entry) sums[entry->at].add(value, entry->value);
        }
        for (int64_t first = 0; first < place; first += kLine) {
            const auto sums_of = [&, from = &sums[first]](int lane) { return from[lane]; };
            pairs.template offer<kLine>(head + place, head + first, place - first, sums_of, bars);
        }
        std::fill_n(sums.begin(), place, Sums{});
    });
}

template <class Sums>
void query_neighbors(const Sparse& queries, const float* query_sizes, const Sparse& by_column, int64_t rows,
                     const float* sizes, Similarity similarity, int32_t* neighbors_out, float* scores, int threads) {
    NeighborHeap heap(similarity.k, neighbors_out, scores, queries.rows);
    std::vector<std::vector<Sums>> scratch(threads);
    parallel_for(threads, queries.rows, [&](int64_t query, int worker) {
        auto& sums = scratch[worker];
        if (sums.empty()) sums.resize(rows);
        for (int64_t e = queries.indptr[query]; e < queries.indptr[query + 1]; ++e) {
            const int32_t column = queries.indices[e];
            for (int64_t o = by_column.indptr[column]; o < by_column.indptr[column + 1]; ++o)
                sums[by_column.indices[o]].add(queries.values[e], by_column.values[o]);
        }
        float bar = kMinSimilarity;
        for (int64_t other = 0; other < rows; ++other) {
            if (!sums[other].any()) continue;
            const float score = sums[other].similarity(query_sizes[query], sizes[other], similarity.shrinkage);
            if (score >= bar) bar = heap.offer(query, score, static_cast<int32_t>(other));
        }
        std::fill(sums.begin(), sums.end(), Sums{});
    });
}

template <class Work>
void with_measure(Similarity similarity, const Work& work) {
    switch (similarity.measure) {
        case Measure::pearson: work(Moments{}); break;
        case Measure::jaccard: work(Counts{}); break;
        default: similarity.shrinkage > 0 ? work(CountedProducts{}) : work(Products{});
    }
}

}  // namespace

void neighbors(const Sparse& rows, int64_t columns, const float* sizes, Similarity similarity, int32_t* neighbors_out,
               float* scores, int threads) {
    with_measure(similarity, [&]<class Sums>(Sums) {
        Pairs<Sums> pairs(rows, sizes, similarity, neighbors_out, scores, threads);
        const int64_t head = count_long_rows<Sums>(rows, columns, pairs.order);
        if constexpr (Sums::lanes > 0) long_row_pairs(pairs, columns, head, threads);
        short_row_pairs(pairs, columns, head, threads);
    });
}

void neighbors_for(const Sparse& queries, const float* query_sizes, const Sparse& by_column, int64_t rows,
                   const float* sizes, Similarity similarity, int32_t* neighbors_out, float* scores, int threads) {
    with_measure(similarity, [&]<class Sums>(Sums) {
        query_neighbors<Sums>(queries, query_sizes, by_column, rows, sizes, similarity, neighbors_out, scores, threads);
    });
}

void co_counts(const Sparse& rows, int64_t columns, const int32_t* left, const int32_t* right, int64_t pairs,
               int32_t* counts, int threads) {
    std::vector<int64_t> groups;  // the first pair of each left row
    for (int64_t p = 0; p < pairs; ++p)
        if (p == 0 || left[p] != left[p - 1]) groups.push_back(p);
    groups.push_back(pairs);
    std::vector<std::vector<uint8_t>> marks(threads);  // per column: whether the left row has it
    parallel_for(threads, static_cast<int64_t>(groups.size()) - 1, [&](int64_t group, int worker) {
        auto& marked = marks[worker];
        marked.resize(columns);
        const auto for_each_column = [&](int32_t row, const auto& visit) {
            for (int64_t e = rows.indptr[row]; e < rows.indptr[row + 1]; ++e) visit(rows.indices[e]);
        };
        const int32_t row = left[groups[group]];
        for_each_column(row, [&](int32_t column) { marked[column] = 1; });
        for (int64_t p = groups[group]; p < groups[group + 1]; ++p) {
            int32_t count = 0;
            for_each_column(right[p], [&](int32_t column) { count += marked[column]; });
            counts[p] = count;
        }
        for_each_column(row, [&](int32_t column) { marked[column] = 0; });
    });
}

}  // namespace alsatian
