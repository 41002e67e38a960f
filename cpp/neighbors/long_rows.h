// The sums of the pairs with a long row, computed with dense tiles.
//
// A tile has 64 of the longest rows in 2,048 columns, as a dense matrix with one line per column. It stays in the L2
// cache while the entries of every later row are processed: for each entry, its value times the line of its column is
// added to the sums of the row, all in registers. There are no look-ups and no scattered writes. A tile with two values
// per line of 64 is already faster than one sum per pair of entries.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/parallel.h"
#include "common/simd.h"
#include "neighbors/neighbors.h"

namespace alsatian {

struct Entry {
    int32_t at;  // the column or row, relative to the start of its part
    float value;
};

// The rows by descending length. The rank of a row is its position in this order.
inline std::vector<int32_t> by_length(const Sparse& rows) {
    const auto length = [&](int32_t row) { return rows.indptr[row + 1] - rows.indptr[row]; };
    std::vector<int32_t> order(rows.rows);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return length(a) > length(b); });
    return order;
}

constexpr int kLine = 8 * Simd<float>::lanes;  // sums kept in registers
constexpr int kTileColumns = 2048;             // columns of a tile
constexpr int64_t kRowsPerTask = 32768;        // rows whose sums a thread computes at a time

struct alignas(64) Line {
    float at[kLine];
};

template <class Sums>
constexpr int kTile = kLine / std::max(1, Sums::lanes);  // rows of a tile

// The number of first rows for which dense tiles pay off: a later entry finds two values in a line on average.
template <class Sums>
int64_t count_long_rows(const Sparse& rows, int64_t columns, const std::vector<int32_t>& order) {
    if (Sums::lanes == 0) return 0;
    std::vector<int32_t> left(columns);  // entries of each column in rows from this rank on
    int64_t later = rows.indptr[rows.rows], rank = 0;
    for (int64_t e = 0; e < later; ++e) ++left[rows.indices[e]];
    while (rank < rows.rows) {
        const int64_t first = rank, lines = later;
        int64_t pairs = 0;
        for (; rank < std::min<int64_t>(first + kTile<Sums>, rows.rows); ++rank) {
            const int32_t row = order[rank];
            for (int64_t e = rows.indptr[row]; e < rows.indptr[row + 1]; ++e) pairs += --left[rows.indices[e]];
            later -= rows.indptr[row + 1] - rows.indptr[row];
        }
        if (pairs < 2 * lines) return first;
    }
    return rows.rows;
}

// The entries of 2,048 columns, row by row.
struct Part {
    struct Run {
        int32_t rank;
        int64_t end;  // of the entries of the row
    };
    std::vector<Run> runs;
    std::vector<Entry> entries;

    // The position of the first run with this rank or a later one.
    size_t from(int64_t rank) const {
        const auto before = [](const Run& run, int64_t rank) { return run.rank < rank; };
        return std::lower_bound(runs.begin(), runs.end(), rank, before) - runs.begin();
    }
    int64_t start(size_t run) const { return run ? runs[run - 1].end : 0; }
};

template <class Sums>
std::vector<Part> parts_of(const Sparse& rows, int64_t columns, const std::vector<int32_t>& order) {
    std::vector<Part> parts((columns + kTileColumns - 1) / kTileColumns);
    std::vector<int64_t> counts(parts.size());
    for (int64_t e = 0; e < rows.indptr[rows.rows]; ++e) ++counts[rows.indices[e] / kTileColumns];
    for (size_t p = 0; p < parts.size(); ++p) parts[p].entries.reserve(counts[p]);
    for (int32_t rank = 0; rank < static_cast<int32_t>(rows.rows); ++rank) {
        for (int64_t e = rows.indptr[order[rank]]; e < rows.indptr[order[rank] + 1]; ++e) {
            Part& part = parts[rows.indices[e] / kTileColumns];
            if (part.runs.empty() || part.runs.back().rank != rank) part.runs.push_back({rank, 0});
            part.entries.push_back({rows.indices[e] % kTileColumns, Sums::term(rows.values[e])});
            part.runs.back().end = static_cast<int64_t>(part.entries.size());
        }
    }
    return parts;
}

// sums += value times line, over a run of entries. If a pair has two sums, a line has values, then ones.
template <class Sums>
inline void add_lines(Line& sums, const Entry* entry, const Entry* last, const Line* tile) {
    using S = Simd<float>;
    constexpr int products = 8 / Sums::lanes;
    typename S::Vector registers[8];
    UNROLL for (int v = 0; v < 8; ++v) registers[v] = S::load(sums.at + v * S::lanes);
    for (; entry < last; ++entry) {
        const float* line = tile[entry->at].at;
        UNROLL for (int v = 0; v < products; ++v) registers[v] += entry->value * S::load(line + v * S::lanes);
        UNROLL for (int v = products; v < 8; ++v) registers[v] += S::load(line + v * S::lanes);
    }
    UNROLL for (int v = 0; v < 8; ++v) S::store(sums.at + v * S::lanes, registers[v]);
}

template <class Sums>
void fill_tile(const Part& part, int64_t first, std::vector<Line>& tile) {
    tile.assign(kTileColumns, Line{});
    const size_t last = part.from(first + kTile<Sums>);
    for (size_t run = part.from(first); run < last; ++run) {
        const int64_t place = part.runs[run].rank - first;
        for (int64_t e = part.start(run); e < part.runs[run].end; ++e) {
            float* line = tile[part.entries[e].at].at;
            line[place] = part.entries[e].value;
            if (Sums::lanes == 2) line[place + kTile<Sums>] = 1;
        }
    }
}

// The sums of the rows of ranks [begin, end) with the rows of the tile that begins at `first`.
template <class Sums>
void tile_sums(const std::vector<Part>& parts, int64_t first, int64_t begin, int64_t end, std::vector<Line>& tile,
               std::vector<Line>& sums) {
    sums.assign(end - begin, Line{});
    for (const Part& part : parts) {
        fill_tile<Sums>(part, first, tile);
        const Entry* entries = part.entries.data();
        const size_t last = part.from(end);
        for (size_t run = part.from(begin); run < last; ++run) {
            Line& of = sums[part.runs[run].rank - begin];
            add_lines<Sums>(of, entries + part.start(run), entries + part.runs[run].end, tile.data());
        }
    }
}

}  // namespace alsatian
