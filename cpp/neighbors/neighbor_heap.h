// The lists of the k nearest rows, sorted in the output arrays while pairs arrive in any order.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <mutex>

namespace alsatian {

constexpr float kMinSimilarity = std::numeric_limits<float>::denorm_min();  // only positive similarities count

// Rows share locks, since threads rarely access the same lock.
class NeighborHeap {
public:
    NeighborHeap(int k, int32_t* neighbors_out, float* scores, int64_t rows)
        : k(k), neighbors_out(neighbors_out), scores(scores) {
        std::fill_n(neighbors_out, rows * k, -1);
        std::fill_n(scores, rows * k, 0.0f);
    }

    // Returns the similarity that the next candidate must reach to enter the list of `row`.
    float offer(int64_t row, float score, int32_t other) {
        std::lock_guard guard(locks[row % locks.size()]);
        int32_t* rows = neighbors_out + row * k;
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
        return std::max(values[k - 1], kMinSimilarity);
    }

private:
    const int k;
    int32_t* neighbors_out;
    float* scores;
    std::array<std::mutex, 1024> locks;
};

}  // namespace alsatian
