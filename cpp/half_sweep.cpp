#include "half_sweep.h"

#include <atomic>
#include <numeric>

#include "conjugate_gradient.h"
#include "exact.h"
#include "parallel.h"

namespace alsatian {
namespace {

constexpr int64_t kEntries = 4096;  // about so many are dealt to a thread at a time

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

// Where each task begins in that order, and the end.
std::vector<int64_t> tasks_of(const std::vector<int32_t>& order, const int64_t* indptr) {
    std::vector<int64_t> starts{0};
    int64_t entries = 0;
    for (size_t at = 0; at < order.size(); ++at) {
        entries += indptr[order[at] + 1] - indptr[order[at]] + 16;  // a row is work even if it is empty
        if (entries < kEntries && at + 1 < order.size()) continue;
        starts.push_back(static_cast<int64_t>(at) + 1);
        entries = 0;
    }
    return starts;
}

}  // namespace

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads) {
    const std::vector<int32_t> order = longest_first(side.indptr, side.rows);
    const std::vector<int64_t> starts = tasks_of(order, side.indptr);
    const Fixed<T> fixed(side, side.columns);
    std::vector<Scratch<T>> scratch;
    for (int worker = 0; worker < threads; ++worker) scratch.emplace_back(side);
    std::vector<double> loss(side.rows);
    std::atomic<int64_t> failed{side.rows};
    parallel_for(threads, static_cast<int64_t>(starts.size()) - 1, [&](int64_t task, int worker, const std::atomic<bool>& cancelled) {
        const int64_t stop = starts[task + 1];
        for (int64_t at = starts[task]; at < stop && !cancelled; ++at) {
            const int64_t row = order[at], after = order[std::min(at + 1, stop - 1)];
            const Stretch next{side.indptr[after], side.indptr[after + 1]};
            if (solve(Row<T>(side, fixed, scratch[worker], row), next, loss[row])) continue;
            for (int64_t first = failed; row < first && !failed.compare_exchange_weak(first, row);) {}
        }
    });
    const double total = std::accumulate(loss.begin(), loss.end(), 0.0);  // in row order: same bits always
    return {total, failed == side.rows ? -1 : failed.load()};
}

template Outcome half_sweep<float>(const HalfSweep<float>&, int);
template Outcome half_sweep<double>(const HalfSweep<double>&, int);

}  // namespace alsatian
