// The border of neighbours and of lists made from them to Python; see binding.h.
#include <nanobind/stl/string.h>

#include <string>

#include "bindings/binding.h"
#include "neighbors/neighbors.h"
#include "topk/list_selection.h"

using namespace alsatian;

namespace {

using Rows = std::tuple<Array<const int64_t, 1>, Array<const int32_t, 1>, Array<const float, 1>>;
using Seen = std::optional<std::tuple<Array<const int64_t, 1>, Array<const int32_t, 1>>>;
using Measured = std::tuple<std::string, float>;  // similarity and shrinkage
using Divided = std::tuple<std::string, float>;   // by what, and damping

Sparse checked(const Rows& rows, size_t columns) {
    const auto& [indptr, indices, values] = rows;
    check_rows(indptr, indices.shape(0));
    require(values.shape(0) == indices.shape(0), "values and indices must have one length");
    check_indices(indices.data(), indices.shape(0), columns, "an index is out of bounds");
    return {static_cast<int64_t>(indptr.shape(0)) - 1, indptr.data(), indices.data(), values.data()};
}

Similarity checked(const Measured& similarity, const Array<int32_t, 2>& best, const Array<float, 2>& scores,
                   size_t rows) {
    const auto& [name, shrinkage] = similarity;
    require(name == "cosine" || name == "pearson" || name == "jaccard", "similarity is cosine, pearson or jaccard");
    require(shrinkage >= 0, "shrinkage must not be negative");
    const size_t k = best.shape(1);
    require(k > 0 && best.shape(0) == rows && scores.shape(0) == rows && scores.shape(1) == k,
            "best and scores must be rows x k");
    const Measure measure = name == "cosine"    ? Measure::cosine
                            : name == "pearson" ? Measure::pearson
                                                : Measure::jaccard;
    return {measure, shrinkage, static_cast<int>(k)};
}

void py_neighbors(Rows rows, size_t columns, Array<const float, 1> sizes, Measured similarity, Array<int32_t, 2> best,
                  Array<float, 2> scores, int threads) {
    const Sparse all = checked(rows, columns);
    require(static_cast<int64_t>(sizes.shape(0)) == all.rows, "sizes must match the rows");
    const Similarity how = checked(similarity, best, scores, all.rows);
    run(threads, [&] { neighbors(all, columns, sizes.data(), how, best.data(), scores.data(), threads); });
}

void py_neighbors_of(Rows queries, Array<const float, 1> query_sizes, Rows by_column, Array<const float, 1> sizes,
                     Measured similarity, Array<int32_t, 2> best, Array<float, 2> scores, int threads) {
    const Sparse all = checked(by_column, sizes.shape(0)), asked = checked(queries, all.rows);
    require(static_cast<int64_t>(query_sizes.shape(0)) == asked.rows, "query_sizes must match the queries");
    const Similarity how = checked(similarity, best, scores, asked.rows);
    run(threads, [&] {
        neighbors_of(asked, query_sizes.data(), all, sizes.shape(0), sizes.data(), how, best.data(), scores.data(),
                     threads);
    });
}

void py_shared(Rows rows, size_t columns, Array<const int32_t, 1> left, Array<const int32_t, 1> right,
               Array<int32_t, 1> counts, int threads) {
    const Sparse all = checked(rows, columns);
    const size_t pairs = counts.shape(0);
    require(left.shape(0) == pairs && right.shape(0) == pairs, "left, right and counts must have one length");
    for (const auto& side : {left, right}) check_indices(side.data(), pairs, all.rows, "a row is out of bounds");
    run(threads, [&] { shared(all, columns, left.data(), right.data(), pairs, counts.data(), threads); });
}

Lists checked(const Array<const int32_t, 1>& rows, size_t bound, size_t items, const Seen& seen,
              const Maybe<const uint8_t, 1>& allowed, Array<int32_t, 2>& best, Array<float, 2>& scores) {
    const size_t count = rows.shape(0), n = best.shape(1);
    require(n > 0 && best.shape(0) == count && scores.shape(0) == count && scores.shape(1) == n,
            "best and scores must be count x n");
    require(!allowed || allowed->shape(0) == items, "allowed must have one byte an item");
    check_indices(rows.data(), count, bound, "a row is out of bounds");
    Excluded excluded{nullptr, nullptr, pointer(allowed)};
    if (seen) {
        const auto& [indptr, indices] = *seen;
        check_seen(rows, bound, indptr, indices);
        excluded.indptr = indptr.data(), excluded.indices = indices.data();
    }
    return {static_cast<int64_t>(items),
            static_cast<int>(n),
            rows.data(),
            static_cast<int64_t>(count),
            excluded,
            best.data(),
            scores.data()};
}

void py_best(Array<const float, 2> lines, Array<const int32_t, 1> rows, Seen seen, Maybe<const uint8_t, 1> allowed,
             Array<int32_t, 2> best_items, Array<float, 2> scores, int threads) {
    require(lines.shape(0) == rows.shape(0), "every row needs a line of scores");
    require(!seen || std::get<0>(*seen).shape(0) > 0, "seen rows out of bounds");
    const size_t bound = seen ? std::get<0>(*seen).shape(0) - 1 : size_t{1} << 31;
    const Lists lists = checked(rows, bound, lines.shape(1), seen, allowed, best_items, scores);
    run(threads, [&] { best(lines.data(), lists, threads); });
}

void py_best_sums(Rows weights, Rows parts, size_t items, Maybe<const float, 1> start, Maybe<const float, 1> base,
                  Divided divided, Array<const int32_t, 1> rows, Seen seen, Maybe<const uint8_t, 1> allowed,
                  Array<int32_t, 2> best_items, Array<float, 2> scores, int threads) {
    const Sparse summed = checked(parts, items), weighted = checked(weights, summed.rows);
    require(!start || static_cast<int64_t>(start->shape(0)) == weighted.rows, "start must match the weights' rows");
    require(!base || base->shape(0) == items, "base must match the items");
    const auto& [name, damping] = divided;
    require(name == "nothing" || name == "weights" || name == "parts", "sums are divided by nothing, weights or parts");
    const Divide divide = name == "nothing" ? Divide::nothing : name == "weights" ? Divide::weights : Divide::parts;
    const Lists lists = checked(rows, weighted.rows, items, seen, allowed, best_items, scores);
    const Sums sums{weighted, summed, pointer(start), pointer(base), divide, damping};
    run(threads, [&] { best_sums(sums, lists, threads); });
}

}  // namespace

void bind_neighbors(nb::module_& m) {
    using namespace nb::literals;
    m.def("neighbors", &py_neighbors, "rows"_a, "columns"_a, "sizes"_a.noconvert(), "similarity"_a,
          "best"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
    m.def("neighbors_of", &py_neighbors_of, "queries"_a, "query_sizes"_a.noconvert(), "by_column"_a,
          "sizes"_a.noconvert(), "similarity"_a, "best"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
    m.def("shared", &py_shared, "rows"_a, "columns"_a, "left"_a.noconvert(), "right"_a.noconvert(),
          "counts"_a.noconvert(), "threads"_a);
    m.def("best", &py_best, "lines"_a.noconvert(), "rows"_a.noconvert(), "seen"_a.none(),
          "allowed"_a.noconvert().none(), "best"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
    m.def("best_sums", &py_best_sums, "weights"_a, "parts"_a, "items"_a, "start"_a.noconvert().none(),
          "base"_a.noconvert().none(), "divided"_a, "rows"_a.noconvert(), "seen"_a.none(),
          "allowed"_a.noconvert().none(), "best"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
}
