// Who does what: rows are dealt out longest first, and a very long one in parts, so that no thread is left with it at
// the end. The division depends on the data alone, never on the threads: so does the order of every sum.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace alsatian {

// Entries [begin, end) of one row.
struct Stretch {
    int64_t row = 0, begin = 0, end = 0;
};

struct Schedule {
    static constexpr int64_t kTask = 4096;  // about so many entries are dealt to a thread at a time
    static constexpr int64_t kPart = 32768, kShare = 64;  // a row beyond kPart entries and a kShare-th of all is parted

    std::vector<int32_t> order;    // the rows, longest first
    std::vector<int64_t> starts;   // where each task begins in that order, and the end
    std::vector<Stretch> parts;    // of the very long rows, in that order

    Schedule(const int64_t* indptr, int64_t rows) {
        std::vector<uint64_t> keys(rows);  // one number to compare: the length, descending, then the row
        for (int64_t r = 0; r < rows; ++r) keys[r] = ~static_cast<uint64_t>(indptr[r + 1] - indptr[r]) << 32 | r;
        std::sort(keys.begin(), keys.end());
        order.assign(keys.begin(), keys.end());  // the lower halves
        starts.push_back(0);
        int64_t entries = 0;
        const int64_t most = std::max(kPart, indptr[rows] / kShare);
        for (int64_t at = 0; at < rows; ++at) {
            const int64_t row = order[at], begin = indptr[row], count = indptr[row + 1] - begin;
            if (count > most) divide(row, begin, count, (count + most - 1) / most);
            entries += count + 16;  // a row is work even if it is empty
            if (entries < kTask && at + 1 < rows) continue;
            starts.push_back(at + 1);
            entries = 0;
        }
    }

    int64_t tasks() const { return static_cast<int64_t>(starts.size()) - 1; }

private:
    void divide(int64_t row, int64_t begin, int64_t count, int64_t into) {
        for (int64_t p = 0; p < into; ++p) parts.push_back({row, begin + p * count / into, begin + (p + 1) * count / into});
    }
};

}  // namespace alsatian
