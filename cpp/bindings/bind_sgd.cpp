// Stochastic gradient descent; see binding.h.
#include "bindings/binding.h"
#include "common/simd.h"
#include "sgd/sgd.h"

using namespace alsatian;

namespace {

// kernels.Blocks: the entries, in a grid of blocks.
struct BlockArrays {
    Array<const int32_t, 1> users, items;
    Array<const float, 1> values;
    Maybe<const float, 1> weights;
    Array<const int64_t, 1> starts;
};

// kernels.SgdSide: the parameters of one side.
struct SideArrays {
    Array<float, 3> factors;
    Array<float, 2> bias;
    Array<int32_t, 1> steps;
    Array<const float, 1> share;
};

}  // namespace

namespace nanobind::detail {

template <>
struct type_caster<BlockArrays> : TupleCaster<BlockArrays, Array<const int32_t, 1>, Array<const int32_t, 1>,
                                              Array<const float, 1>, Maybe<const float, 1>, Array<const int64_t, 1>> {};
template <>
struct type_caster<SideArrays>
    : TupleCaster<SideArrays, Array<float, 3>, Array<float, 2>, Array<int32_t, 1>, Array<const float, 1>> {};
template <>
struct type_caster<StepRule> : TupleCaster<StepRule, double, double, double, double, double, int64_t> {};

}  // namespace nanobind::detail

namespace {

Blocks checked(const BlockArrays& blocks, size_t user_rows, size_t item_rows) {
    const auto& [users, items, values, weights, starts] = blocks;
    const size_t count = values.shape(0);
    require(users.shape(0) == count && items.shape(0) == count, "users, items and values must have the same length");
    require(!weights || weights->shape(0) == count, "weights and values must have the same length");
    check_rows(starts, count);
    int stripes = 0;
    while (static_cast<size_t>(stripes) * stripes + 1 < starts.shape(0)) ++stripes;
    require(stripes > 0 && static_cast<size_t>(stripes) * stripes + 1 == starts.shape(0),
            "starts must have length stripes * stripes + 1");
    check_indices(users.data(), count, user_rows, "a user is out of bounds");
    check_indices(items.data(), count, item_rows, "an item is out of bounds");
    return {stripes, starts.data(), users.data(), items.data(), values.data(), pointer(weights)};
}

SgdSide checked(const SideArrays& side, size_t moments, size_t width) {
    const auto& [factors, bias, steps, share] = side;
    const size_t rows = factors.shape(0);
    require(factors.shape(1) == 1 + moments && factors.shape(2) == width,
            "both sides must have the same moments and width");
    require(bias.shape(0) == rows && bias.shape(1) == 1 + moments, "bias must be rows x (1 + moments)");
    require(steps.shape(0) == rows && share.shape(0) == rows, "steps and share must match the rows");
    check_indices(steps.data(), rows, size_t{1} << 31, "steps must not be negative");
    return {static_cast<int64_t>(rows), factors.data(), bias.data(), steps.data(), share.data()};
}

Sgd checked(const BlockArrays& blocks, const SideArrays& users, const SideArrays& items,
            const Maybe<const float, 2>& sums, const Maybe<float, 2>& slopes, const StepRule& rule) {
    const size_t rows = users.factors.shape(0), moments = users.factors.shape(1) - 1, width = users.factors.shape(2);
    require(moments <= 2, "there must be at most two moments");
    require(width % Simd<float>::lanes == 0, "width must be a multiple of the vector width");
    require(!sums || (sums->shape(0) == rows && sums->shape(1) == width), "sums must be users x width");
    require(!slopes || (sums && slopes->shape(0) == rows && slopes->shape(1) == width),
            "slopes must have the shape of sums");
    require(rule.batch >= 1, "batch must be 1 or more");
    return {
        .blocks = checked(blocks, rows, items.factors.shape(0)),
        .width = static_cast<int>(width),
        .moments = static_cast<int>(moments),
        .users = checked(users, moments, width),
        .items = checked(items, moments, width),
        .sums = pointer(sums),
        .slopes = pointer(slopes),
        .rule = rule,
    };
}

void py_sgd(const BlockArrays& blocks, Array<const int32_t, 1> rounds, const SideArrays& users, const SideArrays& items,
            const Maybe<const float, 2>& sums, const Maybe<float, 2>& slopes, const StepRule& rule, int threads) {
    require(sums.has_value() == slopes.has_value(), "sums and slopes must be passed together");
    const Sgd task = checked(blocks, users, items, sums, slopes, rule);
    check_indices(rounds.data(), rounds.shape(0), task.blocks.stripes, "a round is out of bounds");
    run(threads, [&] { sgd(task, rounds.data(), rounds.shape(0), threads); });
}

double py_squared_error(const BlockArrays& blocks, const SideArrays& users, const SideArrays& items,
                        const Maybe<const float, 2>& sums, double mean, int threads) {
    const Sgd task = checked(blocks, users, items, sums, {}, {mean, 0, 0, 0, 0, 1});
    return run(threads, [&] { return squared_error(task, threads); });
}

void py_row_sums(Array<const int64_t, 1> indptr, Array<const int32_t, 1> indices, Array<const float, 2> from,
                 Array<float, 2> to, int threads) {
    check_rows(indptr, indices.shape(0));
    require(to.shape(0) + 1 == indptr.shape(0) && to.shape(1) == from.shape(1), "to must be rows x width");
    require(to.shape(1) % Simd<float>::lanes == 0, "width must be a multiple of the vector width");
    check_indices(indices.data(), indices.shape(0), from.shape(0), "an index is out of bounds");
    const RowSums task{static_cast<int64_t>(to.shape(0)),
                       static_cast<int>(to.shape(1)),
                       indptr.data(),
                       indices.data(),
                       from.data(),
                       to.data()};
    run(threads, [&] { row_sums(task, threads); });
}

}  // namespace

void alsatian::bind_sgd(nb::module_& m) {
    using namespace nb::literals;
    m.def("sgd", &py_sgd, "blocks"_a.noconvert(), "rounds"_a.noconvert(), "users"_a.noconvert(), "items"_a.noconvert(),
          "sums"_a.noconvert().none(), "slopes"_a.noconvert().none(), "rule"_a, "threads"_a);
    m.def("squared_error", &py_squared_error, "blocks"_a.noconvert(), "users"_a.noconvert(), "items"_a.noconvert(),
          "sums"_a.noconvert().none(), "mean"_a, "threads"_a);
    m.def("row_sums", &py_row_sums, "indptr"_a.noconvert(), "indices"_a.noconvert(), "from_rows"_a.noconvert(),
          "to"_a.noconvert(), "threads"_a);
}
