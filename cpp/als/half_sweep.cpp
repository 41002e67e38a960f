#include "als/half_sweep.h"

#include <atomic>
#include <numeric>

#include "als/conjugate_gradient.h"
#include "als/exact_solver.h"
#include "als/schedule.h"
#include "common/parallel.h"

namespace alsatian {
namespace {

template <class T>
bool solved_exactly(const HalfSweep<T>& side, int64_t entries) {
    return side.steps == 0 || entries >= side.exact_from;
}

template <class T>
bool solve(const Row<T>& row, EntryRange next, double& loss) {
    // Without entries, offset and noise, the solution is zero.
    if (row.begin == row.end && !row.side.rhs_offset && !row.side.noise) {
        std::fill_n(row.factors(), row.side.factors, T(0));
        if (row.side.solution_bias) row.side.solution_bias[row.row] = 0;
        loss = 0;
        return true;
    }
    return solved_exactly(row.side, row.end - row.begin) ? ExactSolver<T>(row, next).solve(loss)
                                                         : ConjugateGradient<T>(row).solve(loss);
}

// Solves one very long row exactly; all threads sum its parts.
template <class T>
bool solve_together(const HalfSweep<T>& side, const Fixed<T>& fixed, std::vector<Scratch<T>>& scratch, int64_t row,
                    double& loss) {
    const Row<T> whole(side, fixed, scratch[0], row);
    const std::vector<EntryRange> parts = Schedule::parts({row, whole.begin, whole.end});
    std::vector<PartialSums<T>> sums(parts.size());
    parallel_for(static_cast<int>(scratch.size()), static_cast<int64_t>(parts.size()), [&](int64_t p, int worker) {
        sums[p] = ExactSolver<T>(Row<T>(side, fixed, scratch[worker], row), {}).sums(parts[p]);
    });
    return ExactSolver<T>(whole, {}).solve(sums, loss);
}

}  // namespace

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads) {
    const Schedule schedule(side.indptr, side.rows);
    const Fixed<T> fixed(side);
    std::vector<Scratch<T>> scratch;
    for (int worker = 0; worker < threads; ++worker) scratch.emplace_back(side);
    std::vector<double> loss(side.rows);
    std::atomic<int64_t> failed{side.rows};
    const auto fail = [&](int64_t row) {
        for (int64_t first = failed; row < first && !failed.compare_exchange_weak(first, row);) {}
    };
    // The number of long rows that are solved exactly. They come first, since the order is by length.
    const auto* const order = schedule.order.data();
    const int64_t together = std::count_if(order, order + schedule.long_rows, [&](int64_t row) {
        return solved_exactly(side, side.indptr[row + 1] - side.indptr[row]);
    });
    for (int64_t at = 0; at < together; ++at) {
        const int64_t row = schedule.order[at];
        if (!solve_together(side, fixed, scratch, row, loss[row])) fail(row);
    }
    parallel_for(threads, schedule.tasks(), [&](int64_t task, int worker, const std::atomic<bool>& cancelled) {
        const int64_t stop = schedule.starts[task + 1];
        for (int64_t at = std::max(schedule.starts[task], together); at < stop && !cancelled; ++at) {
            const int64_t row = schedule.order[at], after = schedule.order[std::min(at + 1, stop - 1)];
            const EntryRange next{after, side.indptr[after], side.indptr[after + 1]};
            if (!solve(Row<T>(side, fixed, scratch[worker], row), next, loss[row])) fail(row);
        }
    });
    const double total = std::accumulate(loss.begin(), loss.end(), 0.0);  // in row order: reproducible
    return {total, failed == side.rows ? -1 : failed.load()};
}

template Outcome half_sweep<float>(const HalfSweep<float>&, int);
template Outcome half_sweep<double>(const HalfSweep<double>&, int);

}  // namespace alsatian
