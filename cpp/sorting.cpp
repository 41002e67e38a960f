#include "sorting.h"

#include <algorithm>

#include "parallel.h"

namespace alsatian {
namespace {

constexpr int64_t kBatch = 4096;

template <class T>
void scatter(const Column& column, int64_t first, const int64_t* places, int64_t count) {
    const T* from = static_cast<const T*>(column.from) + first;
    T* to = static_cast<T*>(column.to);
    for (int64_t i = 0; i < count; ++i) to[places[i]] = from[i];
}

}  // namespace

// Each chunk of the input counts its keys; a running sum over keys, and within a key over chunks, says
// where each chunk writes. The result is the stable order, whatever the number of chunks.
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
                column.bytes == 4 ? scatter<int32_t>(column, first, batch, size) : scatter<int64_t>(column, first, batch, size);
        }
    });
    return -1;
}

}  // namespace alsatian
