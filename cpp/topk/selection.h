// Selects the n best of many scores that arrive item by item. All top-n lists use it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace alsatian {

// The items that must not be listed: those in the row of `seen`, and those that are not allowed.
struct Excluded {
    const int64_t* indptr;   // or null: no item was seen
    const int32_t* indices;  // ascending within a row
    const uint8_t* allowed;  // (items), or null: all

    bool excluded(int32_t row, int32_t item) const {
        if (allowed && !allowed[item]) return true;
        if (!indptr) return false;
        return std::binary_search(indices + indptr[row], indices + indptr[row + 1], item);
    }
};

struct Scored {
    float score;
    int32_t item;
    // For the heap, "less" means "better", so that its top is the worst selected item.
    bool operator<(const Scored& other) const {
        return score > other.score || (score == other.score && item < other.item);
    }
};

// The current n best items of a query.
struct Selection {
    std::vector<Scored> heap;
    float threshold = -std::numeric_limits<float>::infinity();

    // Whether an item would be selected now; an item that scores -inf never is. If items arrive in ascending order,
    // comparing the score with the threshold is sufficient.
    bool takes(float score, int32_t item) const {
        if (score != threshold) return score > threshold;
        return !heap.empty() && Scored{score, item} < heap.front();
    }

    void offer(float score, int32_t item, size_t n) {
        if (heap.size() == n) {
            std::pop_heap(heap.begin(), heap.end());
            heap.back() = {score, item};
        } else {
            heap.push_back({score, item});
        }
        std::push_heap(heap.begin(), heap.end());
        if (heap.size() == n) threshold = heap.front().score;
    }

    // Descending by score, then ascending by item; -1 (score 0) past the end.
    void write(int n, int32_t* items, float* scores) {
        std::sort_heap(heap.begin(), heap.end());
        std::fill_n(items, n, -1);
        std::fill_n(scores, n, 0.0f);
        for (size_t i = 0; i < heap.size(); ++i) items[i] = heap[i].item, scores[i] = heap[i].score;
    }
};

}  // namespace alsatian
