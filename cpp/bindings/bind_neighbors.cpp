// Neighbors of sparse rows; see binding.h.
#include <nanobind/stl/string.h>

#include <string>

#include "bindings/binding.h"
#include "neighbors/neighbors.h"

using namespace alsatian;

namespace {

// The name of a similarity, and the shrinkage of similarities that rest on few shared columns.
struct NamedSimilarity {
    std::string name;
    float shrinkage;
};

}  // namespace

template <>
struct nanobind::detail::type_caster<NamedSimilarity> : TupleCaster<NamedSimilarity, std::string, float> {};

namespace {

Similarity checked(const NamedSimilarity& similarity, const Array<int32_t, 2>& neighbors_out,
                   const Array<float, 2>& scores, size_t rows) {
    const auto& [name, shrinkage] = similarity;
    require(name == "cosine" || name == "pearson" || name == "jaccard",
            "similarity must be cosine, pearson or jaccard");
    require(shrinkage >= 0, "shrinkage must not be negative");
    const size_t k = neighbors_out.shape(1);
    require(k > 0 && neighbors_out.shape(0) == rows && scores.shape(0) == rows && scores.shape(1) == k,
            "neighbors_out and scores must be rows x k");
    const Measure measure = name == "cosine"    ? Measure::cosine
                            : name == "pearson" ? Measure::pearson
                                                : Measure::jaccard;
    return {measure, shrinkage, static_cast<int>(k)};
}

void py_neighbors(const SparseArrays& rows, size_t columns, Array<const float, 1> sizes,
                  const NamedSimilarity& similarity, Array<int32_t, 2> neighbors_out, Array<float, 2> scores,
                  int threads) {
    const Sparse sparse = checked(rows, columns);
    require(static_cast<int64_t>(sizes.shape(0)) == sparse.rows, "sizes must match the rows");
    const Similarity measure = checked(similarity, neighbors_out, scores, sparse.rows);
    run(threads,
        [&] { neighbors(sparse, columns, sizes.data(), measure, neighbors_out.data(), scores.data(), threads); });
}

void py_neighbors_for(const SparseArrays& queries, Array<const float, 1> query_sizes, const SparseArrays& by_column,
                      Array<const float, 1> sizes, const NamedSimilarity& similarity, Array<int32_t, 2> neighbors_out,
                      Array<float, 2> scores, int threads) {
    const Sparse columns = checked(by_column, sizes.shape(0)), rows = checked(queries, columns.rows);
    require(static_cast<int64_t>(query_sizes.shape(0)) == rows.rows, "query_sizes must match the queries");
    const Similarity measure = checked(similarity, neighbors_out, scores, rows.rows);
    run(threads, [&] {
        neighbors_for(rows, query_sizes.data(), columns, sizes.shape(0), sizes.data(), measure, neighbors_out.data(),
                      scores.data(), threads);
    });
}

void py_co_counts(const SparseArrays& rows, size_t columns, Array<const int32_t, 1> left, Array<const int32_t, 1> right,
                  Array<int32_t, 1> counts, int threads) {
    const Sparse sparse = checked(rows, columns);
    const size_t pairs = counts.shape(0);
    require(left.shape(0) == pairs && right.shape(0) == pairs, "left, right and counts must have the same length");
    for (const auto& side : {left, right}) check_indices(side.data(), pairs, sparse.rows, "a row is out of bounds");
    run(threads, [&] { co_counts(sparse, columns, left.data(), right.data(), pairs, counts.data(), threads); });
}

}  // namespace

void alsatian::bind_neighbors(nb::module_& m) {
    using namespace nb::literals;
    m.def("neighbors", &py_neighbors, "rows"_a, "columns"_a, "sizes"_a.noconvert(), "similarity"_a,
          "neighbors_out"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
    m.def("neighbors_for", &py_neighbors_for, "queries"_a, "query_sizes"_a.noconvert(), "by_column"_a,
          "sizes"_a.noconvert(), "similarity"_a, "neighbors_out"_a.noconvert(), "scores"_a.noconvert(), "threads"_a);
    m.def("co_counts", &py_co_counts, "rows"_a, "columns"_a, "left"_a.noconvert(), "right"_a.noconvert(),
          "counts"_a.noconvert(), "threads"_a);
}
