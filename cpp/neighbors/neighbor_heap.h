// The lists of the k nearest, kept sorted in the arrays of the answer while pairs arrive in any order.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <mutex>

namespace alsatian {

constexpr float kLeast = std::numeric_limits<float>::denorm_min();  // only positive similarities count

// Rows share locks, as threads seldom meet.
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
        return std::max(values[k - 1], kLeast);
    }

private:
    const int k;
    int32_t* best;
    float* scores;
    std::array<std::mutex, 1024> locks;
};

}  // namespace alsatian
