#include "half_sweep.h"

#include <atomic>
#include <numeric>
#include <span>

#include "conjugate_gradient.h"
#include "exact.h"
#include "parallel.h"
#include "schedule.h"

namespace alsatian {
namespace {

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

// The sums of the very long rows' parts, by row.
template <class T>
class LongRows {
public:
    LongRows(const Schedule& schedule, const HalfSweep<T>& side, const Fixed<T>& fixed, std::vector<Scratch<T>>& scratch)
        : parts_(side.steps == 0 ? schedule.parts : std::vector<Stretch>{}), sums_(parts_.size()) {
        parallel_for(static_cast<int>(scratch.size()), parts_.size(), [&](int64_t p, int worker) {
            sums_[p] = Exact<T>(Row<T>(side, fixed, scratch[worker], parts_[p].row), {}).sums(parts_[p]);
        });
    }

    // The sums of a row, or none.
    std::span<const Sums<T>> of(int64_t row) const {
        const auto is_its = [&](const Stretch& part) { return part.row == row; };
        const auto first = std::find_if(parts_.begin(), parts_.end(), is_its);
        const auto last = std::find_if_not(first, parts_.end(), is_its);
        return {sums_.data() + (first - parts_.begin()), static_cast<size_t>(last - first)};
    }

private:
    const std::vector<Stretch> parts_;
    std::vector<Sums<T>> sums_;
};

}  // namespace

template <class T>
Outcome half_sweep(const HalfSweep<T>& side, int threads) {
    const Schedule schedule(side.indptr, side.rows);
    const Fixed<T> fixed(side);
    std::vector<Scratch<T>> scratch;
    for (int worker = 0; worker < threads; ++worker) scratch.emplace_back(side);
    const LongRows<T> long_rows(schedule, side, fixed, scratch);
    std::vector<double> loss(side.rows);
    std::atomic<int64_t> failed{side.rows};
    parallel_for(threads, schedule.tasks(), [&](int64_t task, int worker, const std::atomic<bool>& cancelled) {
        const int64_t stop = schedule.starts[task + 1];
        for (int64_t at = schedule.starts[task]; at < stop && !cancelled; ++at) {
            const int64_t row = schedule.order[at], after = schedule.order[std::min(at + 1, stop - 1)];
            const Stretch next{after, side.indptr[after], side.indptr[after + 1]};
            const Row<T> current(side, fixed, scratch[worker], row);
            const auto sums = long_rows.of(row);
            if (sums.empty() ? solve(current, next, loss[row]) : Exact<T>(current, next).solve(sums, loss[row])) continue;
            for (int64_t first = failed; row < first && !failed.compare_exchange_weak(first, row);) {}
        }
    });
    const double total = std::accumulate(loss.begin(), loss.end(), 0.0);  // in row order: same bits always
    return {total, failed == side.rows ? -1 : failed.load()};
}

template Outcome half_sweep<float>(const HalfSweep<float>&, int);
template Outcome half_sweep<double>(const HalfSweep<double>&, int);

}  // namespace alsatian
