#include "sgd/sgd.h"

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <vector>

#include "common/parallel.h"
#include "sgd/optimizers.h"

namespace alsatian {
namespace {

constexpr int kLanes = Simd<float>::lanes;
constexpr int64_t kPrefetchDistance = 4;  // number of entries to prefetch ahead
constexpr int64_t kMinEntriesForThreads = int64_t{1} << 17;

Floats at(const float* from) { return load<Floats>(from); }

// Prefetches `count` numbers into the L1 cache. Written: 1 if they will be modified.
template <int Written>
void prefetch(const float* from, int64_t count) {
    for (const float* const end = from + count; from < end; from += 64 / sizeof(float))
        __builtin_prefetch(from, Written);
}

// Runs tasks on threads, or on the calling thread if there are so few entries that starting threads takes longer.
template <class Body>
void for_all(const Sgd& task, int threads, int64_t tasks, const Body& body) {
    if (task.blocks.starts[task.blocks.stripes * task.blocks.stripes] >= kMinEntriesForThreads)
        parallel_for(threads, tasks, body);
    else
        for (int64_t task_index = 0; task_index < tasks; ++task_index) body(task_index, 0);
}

// The rows of one side. Width: the width of a row of factors if known at compile time, else 0.
template <int Width>
struct SideRows {
    float *all, *biases;
    int32_t* steps;
    const float* share;
    int moments, runtime_width;
    float reg, bias_reg;

    SideRows(const Sgd& task, const SgdSide& side)
        : all(side.factors),
          biases(side.bias),
          steps(side.steps),
          share(side.share),
          moments(task.moments),
          runtime_width(task.width),
          reg(static_cast<float>(task.rule.reg)),
          bias_reg(static_cast<float>(task.rule.bias_reg)) {}

    int width() const { return Width ? Width : runtime_width; }
    int64_t stride() const { return static_cast<int64_t>(1 + moments) * width(); }
    float* factors(int64_t row) const { return all + row * stride(); }
    float* bias(int64_t row) const { return biases + row * (1 + moments); }
    void prefetch(int64_t row) const { alsatian::prefetch<1>(factors(row), stride()); }
};

// The arrays and settings to process entries. Functions take a copy, so that the compiler can assume no aliasing.
template <int Width>
struct Walk {
    Blocks blocks;
    SideRows<Width> users, items;
    const float* sums;
    float* slopes;
    StepSize step_size;
    float mean;

    Walk(const Sgd& task, const AdamCorrections& corrections)
        : blocks(task.blocks),
          users(task, task.users),
          items(task, task.items),
          sums(task.sums),
          slopes(task.slopes),
          step_size(task.rule, corrections),
          mean(static_cast<float>(task.rule.mean)) {}

    int width() const { return users.width(); }
    float weight(int64_t e) const { return blocks.weights ? blocks.weights[e] : 1; }

    // v - prediction
    template <bool Implicit>
    [[gnu::always_inline]] float difference(int64_t e) const {
        const int64_t u = blocks.users[e], i = blocks.items[e];
        const float *x = users.factors(u), *y = items.factors(i);
        Floats even{}, odd{};
        int c = 0;
        for (; c + 2 * kLanes <= width(); c += 2 * kLanes) {
            even += at(x + c) * at(y + c);
            odd += at(x + c + kLanes) * at(y + c + kLanes);
        }
        if (c < width()) even += at(x + c) * at(y + c);
        if constexpr (Implicit)
            for (c = 0; c < width(); c += kLanes) odd += at(sums + u * width() + c) * at(y + c);
        return blocks.values[e] - mean - users.bias(u)[0] - items.bias(i)[0] - Simd<float>::total(even + odd);
    }

    // Computes the slopes of an entry and passes them to both of its rows.
    template <bool Implicit, class SlopeTarget>
    [[gnu::always_inline]] void send_slopes(int64_t e, const SlopeTarget& user, const SlopeTarget& item) const {
        const int64_t u = blocks.users[e], i = blocks.items[e];
        const float *x = users.factors(u), *y = items.factors(i);
        const float error = weight(e) * difference<Implicit>(e), a_u = users.share[u], a_i = items.share[i];
        const float reg_u = users.reg * a_u, reg_i = items.reg * a_i, b_u = users.bias(u)[0], b_i = items.bias(i)[0];
        for (int c = 0; c < width(); c += kLanes) {
            const Floats X = at(x + c), Y = at(y + c);
            Floats whole = X;
            if constexpr (Implicit) {
                float* slope = slopes + u * width() + c;
                store(slope, at(slope) + error * Y);
                whole += at(sums + u * width() + c);
            }
            user.factors(c, X, error * Y - reg_u * X);
            item.factors(c, Y, error * whole - reg_i * Y);
        }
        user.bias(b_u, error - users.bias_reg * a_u * b_u);
        item.bias(b_i, error - items.bias_reg * a_i * b_i);
    }
};

// A row that is updated immediately.
template <class Stepper>
struct MovingRow {
    Stepper stepper;
    float *row, *row_bias;
    int width;

    template <int Width>
    MovingRow(const StepSize& step_size, const SideRows<Width>& rows, int64_t row)
        : stepper(step_size, rows.steps[row]), row(rows.factors(row)), row_bias(rows.bias(row)), width(rows.width()) {}

    void factors(int c, Floats now, Floats slope) const { stepper.step(row + c, width, now, slope); }
    void bias(float now, float slope) const { stepper.step(row_bias, 1, now, slope); }
};

template <class Stepper, bool Implicit, int Width>
void walk_entries(const Walk<Width> walk, int64_t begin, int64_t end) {
    using Row = MovingRow<Stepper>;
    for (int64_t e = begin; e < end; ++e) {
        if (e + kPrefetchDistance < end) {
            walk.users.prefetch(walk.blocks.users[e + kPrefetchDistance]);
            walk.items.prefetch(walk.blocks.items[e + kPrefetchDistance]);
        }
        const Row user(walk.step_size, walk.users, walk.blocks.users[e]),
            item(walk.step_size, walk.items, walk.blocks.items[e]);
        walk.template send_slopes<Implicit>(e, user, item);
    }
}

// The rows of one side in a batch, and the sums of their slopes.
class Batch {
    const SideRows<0>& rows;
    std::vector<int32_t>& places;  // index of each row in `met`, or -1; shared, as blocks of a round share no rows
    std::vector<int64_t> met;
    std::vector<float> sums;  // (met, width + 1), the bias last

public:
    struct Row {
        float* sums;
        int width;
        void factors(int c, Floats, Floats slope) const { store(sums + c, at(sums + c) + slope); }
        void bias(float, float slope) const { sums[width] += slope; }
    };

    Batch(const SideRows<0>& rows, std::vector<int32_t>& places) : rows(rows), places(places) {}

    Row operator[](int64_t row) {
        if (places[row] < 0) {
            places[row] = static_cast<int32_t>(met.size());
            met.push_back(row);
            sums.resize(met.size() * (rows.width() + 1), 0.0f);
        }
        return {&sums[static_cast<size_t>(places[row]) * (rows.width() + 1)], rows.width()};
    }

    // Updates every row of the batch by one step.
    template <class Stepper>
    void step(const StepSize& step_size) {
        for (size_t m = 0; m < met.size(); ++m) {
            const MovingRow<Stepper> row(step_size, rows, met[m]);
            const float* slopes = &sums[m * (rows.width() + 1)];
            for (int c = 0; c < rows.width(); c += kLanes) row.factors(c, at(row.row + c), at(slopes + c));
            row.bias(row.row_bias[0], slopes[rows.width()]);
            places[met[m]] = -1;
        }
        met.clear();
        sums.clear();
    }
};

template <class Stepper, bool Implicit>
void walk_batches(const Walk<0>& walk, int64_t batch, int64_t begin, int64_t end, Batch users, Batch items) {
    for (int64_t first = begin; first < end; first += batch) {
        const int64_t last = std::min(end, first + batch);
        for (int64_t e = first; e < last; ++e)
            walk.send_slopes<Implicit>(e, users[walk.blocks.users[e]], items[walk.blocks.items[e]]);
        users.step<Stepper>(walk.step_size);
        items.step<Stepper>(walk.step_size);
    }
}

// Calls work(width) with a compile-time constant for common widths, else 0.
template <class Work>
void with_width(int width, const Work& work) {
    if (width == 16) work(std::integral_constant<int, 16>());
    else if (width == 32) work(std::integral_constant<int, 32>());
    else if (width == 64) work(std::integral_constant<int, 64>());
    else if (width == 128) work(std::integral_constant<int, 128>());
    else work(std::integral_constant<int, 0>());
}

template <class Stepper, bool Implicit>
void walk_rounds(const Sgd& task, const int32_t* rounds, int64_t count, int threads) {
    const AdamCorrections corrections(task);
    const int stripes = task.blocks.stripes;
    const auto walk_all = [&](const auto& walk_block) {
        for (int64_t r = 0; r < count; ++r) {
            const auto walk_stripe = [&](int64_t stripe, int) {
                const int64_t* block = task.blocks.starts + stripe * stripes + (stripe + rounds[r]) % stripes;
                walk_block(block[0], block[1]);
            };
            for_all(task, threads, stripes, walk_stripe);
        }
    };
    if (task.rule.batch == 1) {
        with_width(task.width, [&](auto width) {
            const Walk<width> walk(task, corrections);
            walk_all([&](int64_t begin, int64_t end) { walk_entries<Stepper, Implicit>(walk, begin, end); });
        });
    } else {
        const Walk<0> walk(task, corrections);
        std::vector<int32_t> users(task.users.rows, -1), items(task.items.rows, -1);
        walk_all([&](int64_t begin, int64_t end) {
            walk_batches<Stepper, Implicit>(walk, task.rule.batch, begin, end, Batch(walk.users, users),
                                            Batch(walk.items, items));
        });
    }
}

template <class Stepper>
void walk_rounds(const Sgd& task, const int32_t* rounds, int64_t count, int threads) {
    if (task.sums) walk_rounds<Stepper, true>(task, rounds, count, threads);
    else walk_rounds<Stepper, false>(task, rounds, count, threads);
}

template <bool Implicit, int Width>
double squared_error(const Walk<Width> walk, int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t e = begin; e < end; ++e) {
        if (e + kPrefetchDistance < end) walk.items.prefetch(walk.blocks.items[e + kPrefetchDistance]);
        const double difference = walk.template difference<Implicit>(e);
        sum += walk.weight(e) * difference * difference;
    }
    return sum;
}

}  // namespace

void sgd(const Sgd& task, const int32_t* rounds, int64_t count, int threads) {
    if (task.moments == 0) walk_rounds<Plain>(task, rounds, count, threads);
    else if (task.moments == 1) walk_rounds<Momentum>(task, rounds, count, threads);
    else walk_rounds<Adam>(task, rounds, count, threads);
}

double squared_error(const Sgd& task, int threads) {
    const AdamCorrections corrections(task);
    const int64_t blocks = static_cast<int64_t>(task.blocks.stripes) * task.blocks.stripes;
    std::vector<double> sums(blocks);
    with_width(task.width, [&](auto width) {
        const Walk<width> walk(task, corrections);
        const int64_t* starts = task.blocks.starts;
        for_all(task, threads, blocks, [&](int64_t block, int) {
            sums[block] = task.sums ? squared_error<true>(walk, starts[block], starts[block + 1])
                                    : squared_error<false>(walk, starts[block], starts[block + 1]);
        });
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);  // in the order of the blocks: reproducible
}

void row_sums(const RowSums& task, int threads) {
    constexpr int64_t kRows = 64;  // rows per task
    const int64_t entries = task.indptr[task.rows];
    const auto from = [&](int64_t e) { return task.from + static_cast<int64_t>(task.indices[e]) * task.width; };
    const auto sum_rows = [&](int64_t part, int) {
        for (int64_t row = part * kRows; row < std::min(task.rows, (part + 1) * kRows); ++row) {
            float* to = task.to + row * task.width;
            std::fill_n(to, task.width, 0.0f);
            for (int64_t e = task.indptr[row]; e < task.indptr[row + 1]; ++e) {
                if (e + kPrefetchDistance < entries) prefetch<0>(from(e + kPrefetchDistance), task.width);
                axpy(1.0f, from(e), to, task.width);
            }
        }
    };
    parallel_for(threads, (task.rows + kRows - 1) / kRows, sum_rows);
}

}  // namespace alsatian
