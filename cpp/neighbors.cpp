#include "neighbors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numeric>
#include <vector>

#include "parallel.h"

namespace alsatian {
namespace {

// What is summed up over the columns that two rows share, and what it makes of them. All are symmetric to the last
// bit, so it does not matter from which side a pair is seen.

struct Products {
    float xy = 0;
    bool any() const { return xy != 0; }  // whether there is anything to take back to zero
    void add(float x, float y) { xy += x * y; }
    float similarity(float size, float other, float) const { return xy / (size * other); }
};

struct CountedProducts : Products {
    float shared = 0;
    bool any() const { return shared != 0; }
    void add(float x, float y) { Products::add(x, y), shared += 1; }
    float similarity(float size, float other, float shrinkage) const {
        return xy / (size * other) * (shared / (shared + shrinkage));
    }
};

struct Counts {
    int32_t shared = 0;
    bool any() const { return shared != 0; }
    void add(float, float) { ++shared; }
    float similarity(float size, float other, float shrinkage) const {
        const float n = static_cast<float>(shared);
        return n / (size + other - n) * (n / (n + shrinkage));
    }
};

// The correlation over the shared columns alone, with the means that the rows have there.
struct Moments {
    double xy = 0, x = 0, y = 0, xx = 0, yy = 0;
    int32_t shared = 0;
    bool any() const { return shared != 0; }
    void add(float a, float b) {
        const double p = a, q = b;
        xy += p * q, x += p, y += q, xx += p * p, yy += q * q, ++shared;
    }
    float similarity(float, float, float shrinkage) const {
        const double n = shared, vx = xx - x * x / n, vy = yy - y * y / n;
        if (vx <= 1e-12 * xx || vy <= 1e-12 * yy) return 0;  // a constant, or a single column, correlates with nothing
        return static_cast<float>(std::min(1.0, (xy - x * y / n) / std::sqrt(vx * vy)) * (n / (n + shrinkage)));
    }
};

// The best k of a row, kept sorted in the arrays of the answer. Rows share locks, as threads seldom meet.
class Nearest {
public:
    Nearest(int k, int32_t* best, float* scores, int64_t rows) : k(k), best(best), scores(scores) {
        std::fill_n(best, rows * k, -1);
        std::fill_n(scores, rows * k, 0.0f);
    }

    // Returns what a similarity must reach to get into the list of `row`.
    float offer(int64_t row, float score, int32_t other) {
        std::lock_guard guard(locks[row % locks.size()]);
        int32_t* rows = best + row * k;
        float* values = scores + row * k;
        int place = 0, end = k;
        while (place < end) {
            const int middle = (place + end) / 2;
            const bool after = score > values[middle] || (score == values[middle] && other < rows[middle]);
            if (after) end = middle;
            else place = middle + 1;
        }
        if (place < k) {
            std::copy_backward(rows + place, rows + k - 1, rows + k);
            std::copy_backward(values + place, values + k - 1, values + k);
            rows[place] = other, values[place] = score;
        }
        return values[k - 1];
    }

private:
    const int k;
    int32_t* best;
    float* scores;
    std::array<std::mutex, 1024> locks;
};

struct Entry {
    int32_t rank;
    float value;
};

// The entries by column, those of the longest rows first: `rank` counts the rows from the longest on. Most sums then
// belong to a few rows that lie side by side, and stay in the first cache.
struct Ranked {
    std::vector<int32_t> order;     // the rows by rank
    std::vector<int64_t> starts;    // of the columns
    std::vector<Entry> entries;
    std::vector<int32_t> before;    // of each entry by row: how many of its column come before it

    Ranked(const Sparse& rows, int64_t columns) : order(rows.rows), starts(columns + 1), before(rows.indptr[rows.rows]) {
        const auto length = [&](int32_t row) { return rows.indptr[row + 1] - rows.indptr[row]; };
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return length(a) > length(b); });
        for (size_t e = 0; e < before.size(); ++e) ++starts[rows.indices[e] + 1];
        std::partial_sum(starts.begin(), starts.end(), starts.begin());
        entries.resize(before.size());
        std::vector<int64_t> ends(starts.begin(), starts.end() - 1);
        for (int32_t rank = 0; rank < static_cast<int32_t>(order.size()); ++rank) {
            for (int64_t e = rows.indptr[order[rank]]; e < rows.indptr[order[rank] + 1]; ++e) {
                const int32_t column = rows.indices[e];
                before[e] = static_cast<int32_t>(ends[column] - starts[column]);
                entries[ends[column]++] = {rank, rows.values[e]};
            }
        }
    }
};

template <class Sums>
struct Scratch {
    std::vector<Sums> sums;
    std::vector<float> bars;  // what a similarity must reach, as far as this thread knows; never too high
};

// Every pair once: the sums of a row with those of lower rank, over the heads of its columns.
template <class Sums>
void all_pairs(const Sparse& rows, int64_t columns, const float* sizes, Similarity how, int32_t* best, float* scores,
               int threads) {
    const Ranked ranked(rows, columns);
    Nearest nearest(how.k, best, scores, rows.rows);
    std::vector<Scratch<Sums>> scratch(threads);
    parallel_for(threads, rows.rows, [&](int64_t rank, int worker) {
        auto& [sums, bars] = scratch[worker];
        if (sums.empty()) sums.resize(rows.rows), bars.resize(rows.rows);
        const int32_t row = ranked.order[rank];
        const int64_t end = rows.indptr[row + 1];
        for (int64_t e = rows.indptr[row]; e < end; ++e) {
            if (e + 4 < end) __builtin_prefetch(&ranked.entries[ranked.starts[rows.indices[e + 4]]]);
            const Entry* entry = &ranked.entries[ranked.starts[rows.indices[e]]];
            const float value = rows.values[e];
            for (const Entry* last = entry + ranked.before[e]; entry < last; ++entry)
                sums[entry->rank].add(value, entry->value);
        }
        for (int64_t other = 0; other < rank; ++other) {
            if (!sums[other].any()) continue;
            const int32_t with = ranked.order[other];
            const float score = sums[other].similarity(sizes[row], sizes[with], how.shrinkage);
            sums[other] = {};
            if (!(score > 0)) continue;
            if (score >= bars[rank]) bars[rank] = nearest.offer(row, score, with);
            if (score >= bars[other]) bars[other] = nearest.offer(with, score, row);
        }
    });
}

template <class Sums>
void each_query(const Sparse& queries, const float* query_sizes, const Sparse& by_column, int64_t rows,
                const float* sizes, Similarity how, int32_t* best, float* scores, int threads) {
    Nearest nearest(how.k, best, scores, queries.rows);
    std::vector<std::vector<Sums>> scratch(threads);
    parallel_for(threads, queries.rows, [&](int64_t query, int worker) {
        auto& sums = scratch[worker];
        if (sums.empty()) sums.resize(rows);
        for (int64_t e = queries.indptr[query]; e < queries.indptr[query + 1]; ++e) {
            const int32_t column = queries.indices[e];
            for (int64_t o = by_column.indptr[column]; o < by_column.indptr[column + 1]; ++o)
                sums[by_column.indices[o]].add(queries.values[e], by_column.values[o]);
        }
        float bar = 0;
        for (int64_t other = 0; other < rows; ++other) {
            if (!sums[other].any()) continue;
            const float score = sums[other].similarity(query_sizes[query], sizes[other], how.shrinkage);
            if (score > 0 && score >= bar) bar = nearest.offer(query, score, static_cast<int32_t>(other));
        }
        std::fill(sums.begin(), sums.end(), Sums{});
    });
}

template <class Work>
void with_sums(Similarity how, const Work& work) {
    switch (how.measure) {
        case Measure::pearson: work(Moments{}); break;
        case Measure::jaccard: work(Counts{}); break;
        default: how.shrinkage > 0 ? work(CountedProducts{}) : work(Products{});
    }
}

}  // namespace

void neighbors(const Sparse& rows, int64_t columns, const float* sizes, Similarity similarity, int32_t* best,
               float* scores, int threads) {
    with_sums(similarity, [&]<class Sums>(Sums) {
        all_pairs<Sums>(rows, columns, sizes, similarity, best, scores, threads);
    });
}

void neighbors_of(const Sparse& queries, const float* query_sizes, const Sparse& by_column, int64_t rows,
                  const float* sizes, Similarity similarity, int32_t* best, float* scores, int threads) {
    with_sums(similarity, [&]<class Sums>(Sums) {
        each_query<Sums>(queries, query_sizes, by_column, rows, sizes, similarity, best, scores, threads);
    });
}

}  // namespace alsatian
