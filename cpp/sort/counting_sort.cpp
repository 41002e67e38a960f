#include "sort/counting_sort.h"

#include <algorithm>

#include "common/parallel.h"

namespace alsatian {
namespace {

constexpr int64_t kBatch = 4096;

template <class T>
void scatter(const Column& column, int64_t first, const int64_t* places, int64_t count) {
    const T* from = static_cast<const T*>(column.from) + first;
    T* to = static_cast<T*>(column.to);
    for (int64_t i = 0; i < count; ++i) to[places[i]] = from[i];
}

// The scratch space of a thread: sorts the keys of a row, and reorders its columns accordingly.
class RowSorter {
public:
    void sort(int32_t* keys, int64_t length) {
        if (static_cast<int64_t>(order_.size()) < length)
            order_.resize(length), other_.resize(length), moved_.resize(8 * length);
        length_ = length;
        uint64_t bits = 0;
        for (int64_t i = 0; i < length; ++i) {
            bits |= static_cast<uint32_t>(keys[i]);
            order_[i] = static_cast<uint64_t>(keys[i]) << 32 | i;  // a key and its position, so that any sort is stable
        }
        if (length < kShort) std::sort(order_.begin(), order_.begin() + length);
        else
            for (int shift = 0; bits >> shift; shift += 8) by_byte(32 + shift);
        for (int64_t i = 0; i < length; ++i) keys[i] = order_[i] >> 32;
    }

    template <class T>
    void move(T* entries) {
        T* moved = reinterpret_cast<T*>(moved_.data());
        for (int64_t i = 0; i < length_; ++i) moved[i] = entries[static_cast<uint32_t>(order_[i])];
        std::copy(moved, moved + length_, entries);
    }

private:
    static constexpr int64_t kShort = 64;

    void by_byte(int shift) {
        uint32_t places[257] = {};
        for (int64_t i = 0; i < length_; ++i) ++places[(order_[i] >> shift & 255) + 1];
        for (int byte = 0; byte < 255; ++byte) places[byte + 1] += places[byte];
        for (int64_t i = 0; i < length_; ++i) other_[places[order_[i] >> shift & 255]++] = order_[i];
        order_.swap(other_);
    }

    int64_t length_ = 0;
    std::vector<uint64_t> order_, other_;
    std::vector<char> moved_;
};

}  // namespace

// The keys of each chunk of the input are counted. A running sum over keys, and within a key over chunks, gives the
// positions to which each chunk writes. The result is the stable order for any number of chunks.
int64_t counting_sort(const int32_t* keys, int64_t count, int64_t n_keys, const std::vector<Column>& columns,
                      int64_t* indptr, int threads) {
    const int64_t chunks = std::max<int64_t>(1, std::min<int64_t>(threads, count / 65536));
    const auto begin = [&](int64_t chunk) { return count * chunk / chunks; };
    std::vector<std::vector<int64_t>> places(chunks);
    std::vector<int64_t> bad(chunks, -1);
    parallel_for(threads, chunks, [&](int64_t chunk, int) {
        std::vector<int64_t> counts(n_keys);
        for (int64_t i = begin(chunk); i < begin(chunk + 1); ++i) {
            if (keys[i] < 0 || keys[i] >= n_keys) {
                bad[chunk] = i;
                return;
            }
            ++counts[keys[i]];
        }
        places[chunk] = std::move(counts);
    });
    for (const int64_t place : bad)
        if (place >= 0) return place;
    int64_t total = 0;
    for (int64_t key = 0; key < n_keys; ++key) {
        indptr[key] = total;
        for (auto& counts : places) {
            const int64_t here = counts[key];
            counts[key] = total;
            total += here;
        }
    }
    indptr[n_keys] = total;
    parallel_for(threads, chunks, [&](int64_t chunk, int, const std::atomic<bool>& cancelled) {
        int64_t batch[kBatch];
        for (int64_t first = begin(chunk); first < begin(chunk + 1) && !cancelled; first += kBatch) {
            const int64_t size = std::min(kBatch, begin(chunk + 1) - first);
            for (int64_t i = 0; i < size; ++i) batch[i] = places[chunk][keys[first + i]]++;
            for (const Column& column : columns)
                column.bytes == 4 ? scatter<int32_t>(column, first, batch, size)
                                  : scatter<int64_t>(column, first, batch, size);
        }
    });
    return -1;
}

int64_t sort_rows(const int64_t* indptr, int64_t rows, int32_t* keys, const std::vector<Column>& columns, int threads) {
    const int64_t blocks = std::min<int64_t>(rows, 64 * threads), count = indptr[rows];
    const auto begin = [&](int64_t block) {
        return std::lower_bound(indptr, indptr + rows, count * block / blocks) - indptr;
    };
    std::atomic<int64_t> repeated{0};
    parallel_for(threads, blocks, [&](int64_t block, int, const std::atomic<bool>& cancelled) {
        RowSorter sorter;
        int64_t equal = 0;
        const int64_t end = block + 1 < blocks ? begin(block + 1) : rows;
        for (int64_t row = begin(block); row < end && !cancelled; ++row) {
            const int64_t first = indptr[row], length = indptr[row + 1] - first;
            int32_t* const here = keys + first;
            if (!std::is_sorted(here, here + length)) {
                sorter.sort(here, length);
                for (const Column& column : columns)
                    column.bytes == 4 ? sorter.move(static_cast<int32_t*>(column.to) + first)
                                      : sorter.move(static_cast<int64_t*>(column.to) + first);
            }
            for (int64_t i = 1; i < length; ++i) equal += here[i] == here[i - 1];
        }
        repeated += equal;
    });
    return repeated;
}

}  // namespace alsatian
