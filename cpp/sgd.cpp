#include "sgd.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "descent.h"
#include "parallel.h"

namespace alsatian {
namespace {

constexpr int kLanes = Simd<float>::lanes;
constexpr int64_t kAhead = 3;                 // entries: so far ahead are factors fetched
constexpr int64_t kAlone = int64_t{1} << 17;  // entries: fewer are walked before threads would have started

Floats at(const float* from) { return load<Floats>(from); }

// One side's rows, as its entries meet them.
struct Rows {
    const Descending& side;
    int width;
    int64_t stride;  // of the factors, moments included
    int bias_stride;
    float reg, bias_reg;

    Rows(const Sgd& task, const Descending& side)
        : side(side), width(task.width), stride(static_cast<int64_t>(1 + task.moments) * task.width), bias_stride(1 + task.moments),
          reg(static_cast<float>(task.rule.reg)), bias_reg(static_cast<float>(task.rule.bias_reg)) {}

    float* factors(int64_t row) const { return side.factors + row * stride; }
    float* bias(int64_t row) const { return side.bias + row * bias_stride; }
    void prefetch(int64_t row) const {
        const float *from = factors(row), *const end = from + stride;
        for (; from < end; from += 16) __builtin_prefetch(from, 1);
    }
};

struct Walk {
    const Sgd& task;
    const Blocks& blocks;
    const Corrections corrections;
    const Rows users, items;
    const int width;
    const float mean;

    explicit Walk(const Sgd& task)
        : task(task), blocks(task.blocks), corrections(task), users(task, task.users), items(task, task.items), width(task.width),
          mean(static_cast<float>(task.rule.mean)) {}

    float weight(int64_t e) const { return blocks.weights ? blocks.weights[e] : 1; }

    // v - prediction
    float difference(int64_t e) const {
        const int64_t u = blocks.users[e], i = blocks.items[e];
        const float *x = users.factors(u), *y = items.factors(i), *s = task.sums ? task.sums + u * width : nullptr;
        Floats even{}, odd{};
        int c = 0;
        for (; c + 2 * kLanes <= width; c += 2 * kLanes) {
            even += at(x + c) * at(y + c);
            odd += at(x + c + kLanes) * at(y + c + kLanes);
        }
        if (c < width) even += at(x + c) * at(y + c);
        for (c = 0; s && c < width; c += kLanes) odd += at(s + c) * at(y + c);
        return blocks.values[e] - mean - users.bias(u)[0] - items.bias(i)[0] - Simd<float>::total(even + odd);
    }

    // Tells both rows of an entry their slopes.
    template <bool Implicit, class Told>
    void meet(int64_t e, const Told& user, const Told& item) const {
        const int64_t u = blocks.users[e], i = blocks.items[e];
        const float *x = users.factors(u), *y = items.factors(i);
        const float error = weight(e) * difference(e), a_u = users.side.share[u], a_i = items.side.share[i];
        const float reg_u = users.reg * a_u, reg_i = items.reg * a_i;
        for (int c = 0; c < width; c += kLanes) {
            const Floats X = at(x + c), Y = at(y + c);
            Floats whole = X;
            if constexpr (Implicit) {
                float* slope = task.slopes + u * width + c;
                store(slope, at(slope) + error * Y);
                whole += at(task.sums + u * width + c);
            }
            user.factors(c, error * Y - reg_u * X);
            item.factors(c, error * whole - reg_i * Y);
        }
        user.bias(error - users.bias_reg * a_u * users.bias(u)[0]);
        item.bias(error - items.bias_reg * a_i * items.bias(i)[0]);
    }
};

// A row that moves at once.
template <class Stepper>
struct Moving {
    const Stepper stepper;
    float *row, *row_bias;
    int width;

    Moving(const Walk& walk, const Rows& rows, int64_t row)
        : stepper(walk.task.rule, walk.corrections, rows.side.steps[row]), row(rows.factors(row)), row_bias(rows.bias(row)), width(rows.width) {}

    void factors(int c, Floats slope) const { stepper.step(row + c, width, slope); }
    void bias(float slope) const { stepper.step(row_bias, 1, slope); }
};

template <class Stepper, bool Implicit>
void walk_entries(const Walk& walk, int64_t begin, int64_t end) {
    using Row = Moving<Stepper>;
    for (int64_t e = begin; e < end; ++e) {
        if (e + kAhead < end) {
            walk.users.prefetch(walk.blocks.users[e + kAhead]);
            walk.items.prefetch(walk.blocks.items[e + kAhead]);
        }
        walk.meet<Implicit>(e, Row(walk, walk.users, walk.blocks.users[e]), Row(walk, walk.items, walk.blocks.items[e]));
    }
}

// The rows of one side that a batch has met, and the sums of their slopes.
class Batch {
    const Rows& rows;
    std::vector<int32_t>& places;  // of each row among those met, or -1; shared, as no two blocks of a round share rows
    std::vector<int64_t> met;
    std::vector<float> sums;  // (met, width + 1), the bias last

public:
    struct Row {
        float* sums;
        int width;
        void factors(int c, Floats slope) const { store(sums + c, at(sums + c) + slope); }
        void bias(float slope) const { sums[width] += slope; }
    };

    Batch(const Rows& rows, std::vector<int32_t>& places) : rows(rows), places(places) {}

    Row operator[](int64_t row) {
        if (places[row] < 0) {
            places[row] = static_cast<int32_t>(met.size());
            met.push_back(row);
            sums.resize(met.size() * (rows.width + 1), 0.0f);
        }
        return {&sums[static_cast<size_t>(places[row]) * (rows.width + 1)], rows.width};
    }

    // One step of every row that was met.
    template <class Stepper>
    void step(const Walk& walk) {
        for (size_t m = 0; m < met.size(); ++m) {
            const Moving<Stepper> row(walk, rows, met[m]);
            const float* slopes = &sums[m * (rows.width + 1)];
            for (int c = 0; c < rows.width; c += kLanes) row.factors(c, at(slopes + c));
            row.bias(slopes[rows.width]);
            places[met[m]] = -1;
        }
        met.clear();
        sums.clear();
    }
};

template <class Stepper, bool Implicit>
void walk_batches(const Walk& walk, int64_t begin, int64_t end, Batch users, Batch items) {
    for (int64_t first = begin; first < end; first += walk.task.rule.batch) {
        const int64_t last = std::min(end, first + walk.task.rule.batch);
        for (int64_t e = first; e < last; ++e) walk.meet<Implicit>(e, users[walk.blocks.users[e]], items[walk.blocks.items[e]]);
        users.step<Stepper>(walk);
        items.step<Stepper>(walk);
    }
}

template <class Stepper, bool Implicit>
void walk_rounds(const Sgd& task, const int32_t* rounds, int64_t count, int threads) {
    const Walk walk(task);
    const int stripes = task.blocks.stripes;
    const bool single = task.rule.batch == 1;
    std::vector<int32_t> users(single ? 0 : task.users.rows, -1), items(single ? 0 : task.items.rows, -1);
    for (int64_t r = 0; r < count; ++r) {
        const auto walk_block = [&](int64_t stripe, int) {
            const int64_t* block = task.blocks.starts + stripe * stripes + (stripe + rounds[r]) % stripes;
            if (single) walk_entries<Stepper, Implicit>(walk, block[0], block[1]);
            else walk_batches<Stepper, Implicit>(walk, block[0], block[1], Batch(walk.users, users), Batch(walk.items, items));
        };
        if (task.blocks.starts[stripes * stripes] >= kAlone) parallel_for(threads, stripes, walk_block);
        else for (int64_t stripe = 0; stripe < stripes; ++stripe) walk_block(stripe, 0);
    }
}

template <class Stepper>
void walk_rounds(const Sgd& task, const int32_t* rounds, int64_t count, int threads) {
    if (task.sums) walk_rounds<Stepper, true>(task, rounds, count, threads);
    else walk_rounds<Stepper, false>(task, rounds, count, threads);
}

}  // namespace

void sgd(const Sgd& task, const int32_t* rounds, int64_t count, int threads) {
    if (task.moments == 0) walk_rounds<Plain>(task, rounds, count, threads);
    else if (task.moments == 1) walk_rounds<Momentum>(task, rounds, count, threads);
    else walk_rounds<Adam>(task, rounds, count, threads);
}

double squared_error(const Sgd& task, int threads) {
    const Walk walk(task);
    const int64_t blocks = static_cast<int64_t>(task.blocks.stripes) * task.blocks.stripes;
    std::vector<double> sums(blocks);
    const auto sum_block = [&](int64_t block, int) {
        const int64_t end = task.blocks.starts[block + 1];
        for (int64_t e = task.blocks.starts[block]; e < end; ++e) {
            if (e + kAhead < end) walk.items.prefetch(walk.blocks.items[e + kAhead]);
            const double difference = walk.difference(e);
            sums[block] += walk.weight(e) * difference * difference;
        }
    };
    if (task.blocks.starts[blocks] >= kAlone) parallel_for(threads, blocks, sum_block);
    else for (int64_t block = 0; block < blocks; ++block) sum_block(block, 0);
    return std::accumulate(sums.begin(), sums.end(), 0.0);  // in the order of the blocks: same bits always
}

void row_sums(const RowSums& task, int threads) {
    constexpr int64_t kRows = 64;  // are dealt out at a time
    const auto sum_rows = [&](int64_t part, int) {
        for (int64_t row = part * kRows; row < std::min(task.rows, (part + 1) * kRows); ++row) {
            float* to = task.to + row * task.width;
            std::fill_n(to, task.width, 0.0f);
            for (int64_t e = task.indptr[row]; e < task.indptr[row + 1]; ++e)
                axpy(1.0f, task.from + static_cast<int64_t>(task.indices[e]) * task.width, to, task.width);
        }
    };
    parallel_for(threads, (task.rows + kRows - 1) / kRows, sum_rows);
}

}  // namespace alsatian
