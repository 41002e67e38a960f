#include "als/gram.h"

#include <algorithm>
#include <vector>

#include "common/parallel.h"
#include "common/tiles.h"

namespace alsatian {

template <class T>
void gram(const T* factors, int64_t rows, int k, double scale, T* out, int threads) {
    constexpr int64_t block = 4096, depth_most = 48;
    const int width = padded<T>(k);
    const int64_t tasks = (rows + block - 1) / block;
    std::vector<std::vector<T>> parts(tasks);
    parallel_for(threads, tasks, [&](int64_t task, int) {
        std::vector<T> part(static_cast<size_t>(k) * width + width), gathered(depth_most * width);
        for (int64_t r = task * block; r < std::min(rows, (task + 1) * block); r += depth_most) {
            const int64_t depth = std::min<int64_t>({depth_most, rows - r, (task + 1) * block - r});
            for (int64_t d = 0; d < depth; ++d) std::copy_n(factors + (r + d) * k, k, &gathered[d * width]);
            rank_update(part.data(), part.data(), width, gathered.data(), width, gathered.data(), width, depth, k);
        }
        parts[task] = std::move(part);
    });
    for (int r = 0; r < k; ++r) {
        for (int c = r; c < k; ++c) {
            double total = 0;
            for (const auto& part : parts) total += part[static_cast<size_t>(r) * width + c];
            out[r * static_cast<long>(k) + c] = out[c * static_cast<long>(k) + r] = static_cast<T>(scale * total);
        }
    }
}

template void gram<float>(const float*, int64_t, int, double, float*, int);
template void gram<double>(const double*, int64_t, int, double, double*, int);

}  // namespace alsatian
