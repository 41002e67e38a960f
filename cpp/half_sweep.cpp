#include "half_sweep.h"

#include <atomic>
#include <numeric>

#include "conjugate_gradient.h"
#include "exact.h"
#include "parallel.h"

namespace alsatian {
namespace {

constexpr int64_t kRows = 8;  // rows dealt to a thread at a time

template <class T>
bool solve(const Row<T>& row, Stretch next, double& loss) {
    if (row.begin == row.end) {  // nothing is known: the regression's answer is zero
        std::fill_n(row.factors(), row.side.factors, T(0));
        if (row.side.solution_bias) row.side.solution_bias[row.row] = 0;
        loss = 0;
        return true;
    }
    return row.side.steps == 0 ? Exact<T>(row, next).solve(loss) : ConjugateGradient<T>(row).solve(loss);
}

// The rows in descending order of their length, so that no thread is left with a long one at the end.
std::vector<int32_t> longest_first(const int64_t* indptr, int64_t rows) {
    std::vector<int32_t> order(rows);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        return indptr[a + 1] - indptr[a] > indptr[b + 1] - indptr[b];
    });
    return order;
}

}  // namespace

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads) {
    const std::vector<int32_t> order = longest_first(side.indptr, side.rows);
    const int64_t tasks = (side.rows + kRows - 1) / kRows;
    std::vector<Scratch<T>> scratch;
    for (int worker = 0; worker < threads; ++worker) scratch.emplace_back(side);
    std::vector<double> loss(side.rows);
    std::atomic<int64_t> failed{side.rows};
    parallel_for(threads, tasks, [&](int64_t task, int worker, const std::atomic<bool>& cancelled) {
        const int64_t stop = std::min(side.rows, (task + 1) * kRows);
        for (int64_t at = task * kRows; at < stop && !cancelled; ++at) {
            const int64_t row = order[at], after = order[std::min(at + 1, stop - 1)];
            const Stretch next{side.indptr[after], std::min(side.indptr[after] + kDepth, side.indptr[after + 1])};
            if (solve(Row<T>(side, scratch[worker], row), next, loss[row])) continue;
            for (int64_t first = failed; row < first && !failed.compare_exchange_weak(first, row);) {}
        }
    });
    const double total = std::accumulate(loss.begin(), loss.end(), 0.0);  // in row order: same bits always
    return {total, failed == side.rows ? -1 : failed.load()};
}

template Outcome half_sweep<float>(const HalfSweep<float>&, int);
template Outcome half_sweep<double>(const HalfSweep<double>&, int);

}  // namespace alsatian
