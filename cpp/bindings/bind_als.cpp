// The half-sweep of alternating least squares, and the Gram matrix; see binding.h.
#include <nanobind/stl/pair.h>

#include "als/gram.h"
#include "als/half_sweep.h"
#include "bindings/binding.h"

using namespace alsatian;

namespace {

// kernels.Rows: the entries of one side, row by row.
struct Entries {
    Array<const int64_t, 1> indptr;
    Array<const int32_t, 1> indices;
    Array<const float, 1> values;
    Maybe<const float, 1> weights;
};

// kernels.Side: factors, and biases or none. Value: `const T` for the fixed side.
template <class Value>
struct Factors {
    Array<Value, 2> factors;
    Maybe<Value, 1> bias;
};

struct Solver {
    int steps;
    int64_t exact_from;
    bool nonnegative;
};

template <class T>
struct Sampling {
    Maybe<const T, 1> rhs_offset;
    Maybe<const T, 2> noise;
};

}  // namespace

namespace nanobind::detail {

template <>
struct type_caster<Entries> : TupleCaster<Entries, Array<const int64_t, 1>, Array<const int32_t, 1>,
                                          Array<const float, 1>, Maybe<const float, 1>> {};
template <>
struct type_caster<Weighting> : TupleCaster<Weighting, double, double, double, double, double> {};
template <class Value>
struct type_caster<Factors<Value>> : TupleCaster<Factors<Value>, Array<Value, 2>, Maybe<Value, 1>> {};
template <>
struct type_caster<Solver> : TupleCaster<Solver, int, int64_t, bool> {};
template <class T>
struct type_caster<Sampling<T>> : TupleCaster<Sampling<T>, Maybe<const T, 1>, Maybe<const T, 2>> {};

}  // namespace nanobind::detail

namespace {

template <class T>
std::pair<double, int64_t> py_half_sweep(const Entries& entries, const Weighting& weighting,
                                         const Factors<const T>& fixed, const Maybe<const T, 2>& gram,
                                         const Array<const T, 1>& ridge, const Factors<T>& solution,
                                         const Solver& solver, const Sampling<T>& sampling, int threads) {
    const auto& [indptr, indices, values, weights] = entries;
    const auto& [rhs_offset, noise] = sampling;
    const size_t rows = solution.factors.shape(0), columns = fixed.factors.shape(0), k = fixed.factors.shape(1);
    const bool biases = fixed.bias.has_value();
    const size_t unknowns = k + biases;
    require(biases == solution.bias.has_value(), "fixed and solution must both have biases, or neither");
    check_rows(indptr, indices.shape(0));
    check_indices(indices.data(), indices.shape(0), columns, "an index is out of bounds of the fixed side");
    require(indptr.shape(0) == rows + 1 && ridge.shape(0) == rows, "indptr and ridge must match the solution's rows");
    require(values.shape(0) == indices.shape(0), "values and indices must have the same length");
    require(!weights || weights->shape(0) == indices.shape(0), "weights and indices must have the same length");
    require(solution.factors.shape(1) == k, "both sides must have the same number of factors");
    require(!gram || (gram->shape(0) == unknowns && gram->shape(1) == unknowns), "gram must be unknowns x unknowns");
    require(!rhs_offset || rhs_offset->shape(0) == unknowns, "rhs_offset must have one number per unknown");
    require(!noise || (noise->shape(0) == rows && noise->shape(1) == unknowns), "noise must be rows x unknowns");
    require(solver.steps == 0 || (!rhs_offset && !noise),
            "rhs_offset and noise require the exact solver: steps must be 0");
    require(!solver.nonnegative || (solver.steps == 0 && !noise),
            "nonnegative factors require the exact solver without noise: steps must be 0");
    require(!biases || (fixed.bias->shape(0) == columns && solution.bias->shape(0) == rows), "biases must match");
    require(unknowns > 0, "there must be factors or biases to fit");
    require(!biases || weighting.unobserved == 0, "unobserved_weight and biases are mutually exclusive");
    const HalfSweep<T> side{
        .rows = static_cast<int64_t>(rows),
        .columns = static_cast<int64_t>(columns),
        .factors = static_cast<int>(k),
        .indptr = indptr.data(),
        .indices = indices.data(),
        .values = values.data(),
        .weights = pointer(weights),
        .weighting = weighting,
        .fixed = fixed.factors.data(),
        .fixed_bias = pointer(fixed.bias),
        .gram = pointer(gram),
        .ridge = ridge.data(),
        .rhs_offset = pointer(rhs_offset),
        .noise = pointer(noise),
        .solution = solution.factors.data(),
        .solution_bias = pointer(solution.bias),
        .steps = solver.steps,
        .exact_from = solver.exact_from,
        .nonnegative = solver.nonnegative,
    };
    const Outcome outcome = run(threads, [&] { return half_sweep(side, threads); });
    return {outcome.loss, outcome.failed};
}

template <class T>
void py_gram(Array<const T, 2> factors, double scale, Array<T, 2> out, int threads) {
    const size_t k = factors.shape(1);
    require(out.shape(0) == k && out.shape(1) == k, "out must be factors x factors");
    run(threads, [&] { gram(factors.data(), factors.shape(0), static_cast<int>(k), scale, out.data(), threads); });
}

template <class T>
void bind_precision(nb::module_& m) {
    using namespace nb::literals;
    m.def("half_sweep", &py_half_sweep<T>, "rows"_a.noconvert(), "weighting"_a, "fixed"_a.noconvert(),
          "gram"_a.noconvert().none(), "ridge"_a.noconvert(), "solution"_a.noconvert(), "solver"_a,
          "sampling"_a.noconvert(), "threads"_a);
    m.def("gram", &py_gram<T>, "factors"_a.noconvert(), "scale"_a, "out"_a.noconvert(), "threads"_a);
}

}  // namespace

void alsatian::bind_als(nb::module_& m) {
    bind_precision<float>(m);
    bind_precision<double>(m);
}
