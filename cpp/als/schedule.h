// The schedule of rows: the longest rows are assigned first, and very long rows are split into parts, so that no thread
// is still busy with one at the end. The split of a row depends only on its length, so its sums are bitwise independent
// of the number of threads and of other rows.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace alsatian {

// Entries [begin, end) of one row.
struct EntryRange {
    int64_t row = 0, begin = 0, end = 0;
};

struct Schedule {
    static constexpr int64_t kEntriesPerTask = 4096;       // approximate number of entries of a task
    static constexpr int64_t kMaxUnsplitEntries = 131072;  // longer rows are solved in parts
    static constexpr int64_t kEntriesPerPart = 16384;      // approximate size of a part

    std::vector<int32_t> order;   // the rows, longest first
    std::vector<int64_t> starts;  // the first position of each task in the order, and the end
    int64_t long_rows = 0;        // the number of rows longer than kMaxUnsplitEntries; they come first

    Schedule(const int64_t* indptr, int64_t rows) {
        std::vector<uint64_t> keys(rows);  // sort keys: descending length, then the row
        for (int64_t r = 0; r < rows; ++r) keys[r] = ~static_cast<uint64_t>(indptr[r + 1] - indptr[r]) << 32 | r;
        std::sort(keys.begin(), keys.end());
        order.assign(keys.begin(), keys.end());  // the lower halves
        starts.push_back(0);
        int64_t entries = 0;
        for (int64_t at = 0; at < rows; ++at) {
            const int64_t row = order[at], count = indptr[row + 1] - indptr[row];
            long_rows += count > kMaxUnsplitEntries;
            entries += count + 16;  // the overhead of a row
            if (entries < kEntriesPerTask && at + 1 < rows) continue;
            starts.push_back(at + 1);
            entries = 0;
        }
    }

    int64_t tasks() const { return static_cast<int64_t>(starts.size()) - 1; }

    static std::vector<EntryRange> parts(EntryRange row) {
        const int64_t count = row.end - row.begin, into = (count + kEntriesPerPart - 1) / kEntriesPerPart;
        std::vector<EntryRange> parts;
        for (int64_t p = 0; p < into; ++p)
            parts.push_back({row.row, row.begin + p * count / into, row.begin + (p + 1) * count / into});
        return parts;
    }
};

}  // namespace alsatian
