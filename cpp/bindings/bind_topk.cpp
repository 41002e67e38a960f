// Top-n lists from factors, from dense scores, and from sums of sparse rows; see binding.h.
#include <nanobind/stl/string.h>

#include <string>

#include "bindings/binding.h"
#include "topk/list_selection.h"
#include "topk/topk.h"

using namespace alsatian;

namespace {

// kernels.Panels
struct PanelArrays {
    Array<const float, 3> cells;
    Array<const int32_t, 1> order;
    Array<const float, 1> max_norm, max_bias;
};

// The items that users have seen, as compressed rows.
struct Seen {
    Array<const int64_t, 1> indptr;
    Array<const int32_t, 1> indices;
};

// The divisor of a sum, and the damping that is added to it.
struct NamedDivisor {
    std::string name;
    float damping;
};

}  // namespace

namespace nanobind::detail {

template <>
struct type_caster<PanelArrays> : TupleCaster<PanelArrays, Array<const float, 3>, Array<const int32_t, 1>,
                                              Array<const float, 1>, Array<const float, 1>> {};
template <>
struct type_caster<Seen> : TupleCaster<Seen, Array<const int64_t, 1>, Array<const int32_t, 1>> {};
template <>
struct type_caster<NamedDivisor> : TupleCaster<NamedDivisor, std::string, float> {};

}  // namespace nanobind::detail

namespace {

// Checks that `seen` has `users` rows, and that the entries of the requested `rows` are within its indices.
void check_seen(const Array<const int32_t, 1>& rows, size_t users, const Seen& seen) {
    require(seen.indptr.shape(0) == users + 1, "seen must have one row per query");
    for (size_t i = 0; i < rows.shape(0); ++i) {
        const int64_t begin = seen.indptr(rows(i)), end = seen.indptr(rows(i) + 1);
        require(0 <= begin && begin <= end && end <= static_cast<int64_t>(seen.indices.shape(0)),
                "seen rows out of bounds");
    }
}

// users: the bound of `rows`.
TopNRequest checked(const Array<const int32_t, 1>& rows, size_t users, size_t items, const std::optional<Seen>& seen,
                    const Maybe<const uint8_t, 1>& allowed, const Array<int32_t, 2>& items_out,
                    const Array<float, 2>& scores) {
    const size_t count = rows.shape(0), n = items_out.shape(1);
    require(n > 0 && items_out.shape(0) == count && scores.shape(0) == count && scores.shape(1) == n,
            "items_out and scores must be count x n");
    require(!allowed || allowed->shape(0) == items, "allowed must have one byte per item");
    check_indices(rows.data(), count, users, "a row is out of bounds");
    Excluded excluded{nullptr, nullptr, pointer(allowed)};
    if (seen) {
        check_seen(rows, users, *seen);
        excluded.indptr = seen->indptr.data(), excluded.indices = seen->indices.data();
    }
    return {
        .items = static_cast<int64_t>(items),
        .n = static_cast<int>(n),
        .rows = rows.data(),
        .count = static_cast<int64_t>(count),
        .seen = excluded,
        .items_out = items_out.data(),
        .scores = scores.data(),
    };
}

void py_pack_items(Array<const float, 2> factors, Maybe<const float, 1> bias, Array<const int32_t, 1> order,
                   Array<float, 3> out) {
    const size_t items = factors.shape(0), k = factors.shape(1);
    require(out.shape(0) == (items + kPanel - 1) / kPanel && out.shape(1) == k + 1 && out.shape(2) == kPanel,
            "out must be panels x (factors + 1) x 16");
    require(!bias || bias->shape(0) == items, "bias must match the items");
    require(order.shape(0) == items, "order must match the items");
    check_indices(order.data(), items, items, "order has an item out of bounds");
    run(1, [&] { pack_items(factors.data(), pointer(bias), order.data(), items, static_cast<int>(k), out.data()); });
}

void py_top_k(const PanelArrays& panels, Array<const float, 2> queries, Array<const int32_t, 1> rows,
              const std::optional<Seen>& seen, const Maybe<const uint8_t, 1>& allowed, Array<int32_t, 2> items_out,
              Array<float, 2> scores, int threads) {
    const auto& [cells, order, max_norm, max_bias] = panels;
    const size_t items = order.shape(0), k = queries.shape(1);
    const Panels packed{cells.data(),       order.data(), max_norm.data(), max_bias.data(), static_cast<int64_t>(items),
                        static_cast<int>(k)};
    require(cells.shape(1) == k + 1 && cells.shape(2) == kPanel, "panels and queries must have the same factors");
    require(static_cast<size_t>(packed.count()) == cells.shape(0), "order must match the panels");
    require(max_norm.shape(0) == cells.shape(0) && max_bias.shape(0) == cells.shape(0), "bounds must match the panels");
    check_indices(rows.data(), rows.shape(0), queries.shape(0), "a row is out of bounds of the queries");
    const TopNRequest request = checked(rows, queries.shape(0), items, seen, allowed, items_out, scores);
    const TopK task{packed,        request.n,    queries.data(),    rows.data(),
                    request.count, request.seen, request.items_out, request.scores};
    run(threads, [&] { top_k(task, threads); });
}

void py_pair_scores(Array<const float, 2> left, Array<const int32_t, 1> left_rows, Array<const float, 2> right,
                    Array<const int32_t, 1> right_rows, Array<float, 1> out, int threads) {
    const size_t pairs = out.shape(0);
    require(left.shape(1) == right.shape(1), "both sides must have the same number of factors");
    require(left_rows.shape(0) == pairs && right_rows.shape(0) == pairs, "rows and out must have the same length");
    check_indices(left_rows.data(), pairs, left.shape(0), "a left row is out of bounds");
    check_indices(right_rows.data(), pairs, right.shape(0), "a right row is out of bounds");
    run(threads, [&] {
        pair_scores(left.data(), left_rows.data(), right.data(), right_rows.data(), pairs,
                    static_cast<int>(left.shape(1)), out.data(), threads);
    });
}

void py_top_n_dense(Array<const float, 2> lines, Array<const int32_t, 1> rows, const std::optional<Seen>& seen,
                    const Maybe<const uint8_t, 1>& allowed, Array<int32_t, 2> items_out, Array<float, 2> scores,
                    int threads) {
    require(lines.shape(0) == rows.shape(0), "lines must have one row per list");
    require(!seen || seen->indptr.shape(0) > 0, "seen rows out of bounds");
    const size_t users = seen ? seen->indptr.shape(0) - 1 : size_t{1} << 31;
    const TopNRequest request = checked(rows, users, lines.shape(1), seen, allowed, items_out, scores);
    run(threads, [&] { top_n_dense(lines.data(), request, threads); });
}

void py_top_n_sums(const SparseArrays& weights, const SparseArrays& parts, size_t items,
                   const Maybe<const float, 1>& start, const Maybe<const float, 1>& base, const NamedDivisor& divided,
                   Array<const int32_t, 1> rows, const std::optional<Seen>& seen,
                   const Maybe<const uint8_t, 1>& allowed, Array<int32_t, 2> items_out, Array<float, 2> scores,
                   int threads) {
    const Sparse summed = checked(parts, items), weighted = checked(weights, summed.rows);
    require(!start || static_cast<int64_t>(start->shape(0)) == weighted.rows, "start must match the weights' rows");
    require(!base || base->shape(0) == items, "base must match the items");
    const auto& [name, damping] = divided;
    require(name == "nothing" || name == "weights" || name == "parts", "divide must be nothing, weights or parts");
    const Divisor kind = name == "nothing" ? Divisor::nothing : name == "weights" ? Divisor::weights : Divisor::parts;
    const TopNRequest request = checked(rows, weighted.rows, items, seen, allowed, items_out, scores);
    const SparseSums sums{weighted, summed, pointer(start), pointer(base), kind, damping};
    run(threads, [&] { top_n_sums(sums, request, threads); });
}

}  // namespace

void alsatian::bind_topk(nb::module_& m) {
    using namespace nb::literals;
    m.def("pack_items", &py_pack_items, "factors"_a.noconvert(), "bias"_a.noconvert().none(), "order"_a.noconvert(),
          "out"_a.noconvert());
    m.def("top_k", &py_top_k, "panels"_a.noconvert(), "queries"_a.noconvert(), "rows"_a.noconvert(),
          "seen"_a.noconvert().none(), "allowed"_a.noconvert().none(), "items_out"_a.noconvert(),
          "scores"_a.noconvert(), "threads"_a);
    m.def("pair_scores", &py_pair_scores, "left"_a.noconvert(), "left_rows"_a.noconvert(), "right"_a.noconvert(),
          "right_rows"_a.noconvert(), "out"_a.noconvert(), "threads"_a);
    m.def("top_n_dense", &py_top_n_dense, "lines"_a.noconvert(), "rows"_a.noconvert(), "seen"_a.none(),
          "allowed"_a.noconvert().none(), "items_out"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
    m.def("top_n_sums", &py_top_n_sums, "weights"_a, "parts"_a, "items"_a, "start"_a.noconvert().none(),
          "base"_a.noconvert().none(), "divided"_a, "rows"_a.noconvert(), "seen"_a.none(),
          "allowed"_a.noconvert().none(), "items_out"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
}
