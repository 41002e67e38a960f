// The border to Python: checks shapes and bounds, releases the GIL. Outputs are arrays that the caller made.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>

#include "als/gram.h"
#include "als/half_sweep.h"
#include "bindings/binding.h"
#include "sort/counting_sort.h"
#include "text/csv_scan.h"
#include "text/dictionary.h"
#include "topk/topk.h"

using namespace alsatian;

namespace {

template <class T>
std::pair<double, int64_t> py_half_sweep(Array<const int64_t, 1> indptr, Array<const int32_t, 1> indices,
                                         Array<const float, 1> values, Maybe<const float, 1> weights,
                                         std::tuple<double, double, double, double, double> form,
                                         Array<const T, 2> fixed, Maybe<const T, 1> fixed_bias, Maybe<const T, 2> gram,
                                         Array<const T, 1> ridge, Maybe<const T, 1> rhs_offset, Maybe<const T, 2> noise,
                                         Array<T, 2> solution, Maybe<T, 1> solution_bias, int steps, int64_t exact_from,
                                         bool nonnegative, int threads) {
    const size_t rows = solution.shape(0), k = fixed.shape(1), n = k + fixed_bias.has_value();
    require(fixed_bias.has_value() == solution_bias.has_value(), "biases belong to both sides or none");
    check_rows(indptr, indices.shape(0));
    check_indices(indices.data(), indices.shape(0), fixed.shape(0), "an index lies outside the fixed side");
    require(indptr.shape(0) == rows + 1 && ridge.shape(0) == rows, "indptr and ridge must match the solution's rows");
    require(values.shape(0) == indices.shape(0), "values and indices must have one length");
    require(!weights || weights->shape(0) == indices.shape(0), "weights and indices must have one length");
    require(solution.shape(1) == k, "both sides must have the same number of factors");
    require(!gram || (gram->shape(0) == n && gram->shape(1) == n), "gram must be unknowns x unknowns");
    require(!rhs_offset || rhs_offset->shape(0) == n, "rhs_offset must have one number an unknown");
    require(!noise || (noise->shape(0) == rows && noise->shape(1) == n), "noise must be rows x unknowns");
    require(steps == 0 || (!rhs_offset && !noise), "rhs_offset and noise need the exact solver: steps must be 0");
    require(!nonnegative || (steps == 0 && !noise),
            "nonnegative factors need the exact solver without noise: steps must be 0");
    require(!fixed_bias || (fixed_bias->shape(0) == fixed.shape(0) && solution_bias->shape(0) == rows),
            "biases must match");
    require(n > 0, "there is nothing to learn without factors and biases");
    const auto [cs, cf, ts, tf, w0] = form;
    require(!fixed_bias || w0 == 0, "unobserved_weight and biases exclude each other");
    const HalfSweep<T> side{static_cast<int64_t>(rows),
                            static_cast<int64_t>(fixed.shape(0)),
                            static_cast<int>(k),
                            indptr.data(),
                            indices.data(),
                            values.data(),
                            pointer(weights),
                            {cs, cf, ts, tf, w0},
                            fixed.data(),
                            pointer(fixed_bias),
                            pointer(gram),
                            ridge.data(),
                            pointer(rhs_offset),
                            pointer(noise),
                            solution.data(),
                            pointer(solution_bias),
                            steps,
                            exact_from,
                            nonnegative};
    const Outcome outcome = run(threads, [&] { return half_sweep(side, threads); });
    return {outcome.loss, outcome.failed};
}

template <class T>
void py_gram(Array<const T, 2> factors, double scale, Array<T, 2> out, int threads) {
    const size_t k = factors.shape(1);
    require(out.shape(0) == k && out.shape(1) == k, "out must be factors x factors");
    run(threads, [&] { gram(factors.data(), factors.shape(0), static_cast<int>(k), scale, out.data(), threads); });
}

void py_pack_items(Array<const float, 2> factors, Maybe<const float, 1> bias, Array<const int32_t, 1> order,
                   Array<float, 3> out) {
    const size_t items = factors.shape(0), k = factors.shape(1);
    require(out.shape(0) == (items + kPanel - 1) / kPanel && out.shape(1) == k + 1 && out.shape(2) == kPanel,
            "out must be panels x (factors + 1) x 16");
    require(!bias || bias->shape(0) == items, "bias must match the items");
    require(order.shape(0) == items, "order must match the items");
    check_indices(order.data(), items, items, "order names an item out of bounds");
    run(1, [&] { pack_items(factors.data(), pointer(bias), order.data(), items, static_cast<int>(k), out.data()); });
}

void py_top_k(Array<const float, 3> cells, Array<const int32_t, 1> order, Array<const float, 1> longest,
              Array<const float, 1> highest, Array<const float, 2> queries, Array<const int32_t, 1> rows,
              Maybe<const int64_t, 1> seen_indptr, Maybe<const int32_t, 1> seen_indices,
              Maybe<const uint8_t, 1> allowed, Array<int32_t, 2> best, Array<float, 2> scores, int threads) {
    const size_t count = rows.shape(0), n = best.shape(1);
    const Panels panels{cells.data(),
                        order.data(),
                        longest.data(),
                        highest.data(),
                        static_cast<int64_t>(order.shape(0)),
                        static_cast<int>(queries.shape(1))};
    require(cells.shape(1) == queries.shape(1) + 1 && cells.shape(2) == kPanel,
            "panels and queries must have the same factors");
    require(static_cast<size_t>(panels.count()) == cells.shape(0), "order must match the panels");
    require(longest.shape(0) == cells.shape(0) && highest.shape(0) == cells.shape(0), "bounds must match the panels");
    require(n > 0 && best.shape(0) == count && scores.shape(0) == count && scores.shape(1) == n,
            "best and scores must be count x n");
    require(!allowed || allowed->shape(0) == order.shape(0), "allowed must have one byte an item");
    require(seen_indptr.has_value() == seen_indices.has_value(), "seen needs indptr and indices");
    check_indices(rows.data(), count, queries.shape(0), "a row lies outside the queries");
    if (seen_indptr) check_seen(rows, queries.shape(0), *seen_indptr, *seen_indices);
    const TopK task{panels,
                    static_cast<int>(n),
                    queries.data(),
                    rows.data(),
                    static_cast<int64_t>(count),
                    {pointer(seen_indptr), pointer(seen_indices), pointer(allowed)},
                    best.data(),
                    scores.data()};
    run(threads, [&] { top_k(task, threads); });
}

void py_pair_scores(Array<const float, 2> left, Array<const int32_t, 1> left_rows, Array<const float, 2> right,
                    Array<const int32_t, 1> right_rows, Array<float, 1> out, int threads) {
    const size_t pairs = out.shape(0);
    require(left.shape(1) == right.shape(1), "both sides must have the same number of factors");
    require(left_rows.shape(0) == pairs && right_rows.shape(0) == pairs, "rows and out must have one length");
    check_indices(left_rows.data(), pairs, left.shape(0), "a left row is out of bounds");
    check_indices(right_rows.data(), pairs, right.shape(0), "a right row is out of bounds");
    run(threads, [&] {
        pair_scores(left.data(), left_rows.data(), right.data(), right_rows.data(), pairs,
                    static_cast<int>(left.shape(1)), out.data(), threads);
    });
}

template <class Column>
int entry_bytes(const Column& column) {
    const int bytes = static_cast<int>(column.itemsize());
    require(bytes == 4 || bytes == 8, "columns hold entries of 4 or 8 bytes");
    return bytes;
}

void py_counting_sort(Array<const int32_t, 1> keys, std::vector<AnyInput> columns, std::vector<AnyColumn> outputs,
                      Array<int64_t, 1> indptr, int threads) {
    require(columns.size() == outputs.size() && indptr.shape(0) > 0, "every column needs an output");
    std::vector<Column> moved;
    for (size_t c = 0; c < columns.size(); ++c) {
        const int bytes = entry_bytes(columns[c]);
        require(static_cast<int>(outputs[c].itemsize()) == bytes, "an output must have its column's type");
        require(columns[c].shape(0) == keys.shape(0) && outputs[c].shape(0) == keys.shape(0),
                "columns must be as long as keys");
        moved.push_back({columns[c].data(), outputs[c].data(), bytes});
    }
    const int64_t bad = run(threads, [&] {
        return counting_sort(keys.data(), keys.shape(0), indptr.shape(0) - 1, moved, indptr.data(), threads);
    });
    if (bad >= 0) throw std::out_of_range("key " + std::to_string(keys(bad)) + " is out of range");
}

int64_t py_sort_rows(Array<const int64_t, 1> indptr, Array<int32_t, 1> keys, std::vector<AnyColumn> columns,
                     int threads) {
    check_rows(indptr, keys.shape(0));
    std::vector<Column> moved;
    for (const AnyColumn& column : columns) {
        require(column.shape(0) == keys.shape(0), "columns must be as long as keys");
        moved.push_back({nullptr, column.data(), entry_bytes(column)});
    }
    check_indices(keys.data(), keys.shape(0), size_t{1} << 31, "a key is negative");
    for (size_t r = 0; r + 1 < indptr.shape(0); ++r)
        require(indptr(r + 1) - indptr(r) < int64_t{1} << 32, "a row is too long");
    return run(threads, [&] { return sort_rows(indptr.data(), indptr.shape(0) - 1, keys.data(), moved, threads); });
}

void check_chunks(int64_t size, int64_t chunk, size_t starts) {
    require(size > 0 && chunk > 0, "size and chunk must be positive");
    require(static_cast<int64_t>(starts) == (size + chunk - 1) / chunk + 1, "starts must be chunks + 1");
}

bool py_count_lines(int file, int64_t size, int64_t chunk, Array<int64_t, 1> starts, int threads) {
    check_chunks(size, chunk, starts.shape(0));
    return run(threads, [&] { return count_lines(file, size, chunk, starts.data(), threads); });
}

bool py_read_fields(int file, int64_t size, int64_t chunk, const std::string& delimiter, int quote, bool header,
                    bool carriage_returns, Array<const int64_t, 1> starts,
                    std::vector<std::optional<AnyColumn>> columns, int threads) {
    check_chunks(size, chunk, starts.shape(0));
    for (size_t c = 0; c + 1 < starts.shape(0); ++c)
        require(0 <= starts(c) && starts(c) <= starts(c + 1), "starts must not descend");
    require(starts.shape(0) == 1 || (starts(0) == 0 && starts(1) >= header),
            "starts must begin with 0 and hold the header");
    require(!delimiter.empty() && delimiter.size() < 16, "a delimiter has 1 to 15 bytes");
    require(!columns.empty(), "a line has a field");
    const int64_t lines = starts(starts.shape(0) - 1) - header;
    std::vector<Field> fields;
    for (const auto& column : columns) {
        if (!column) {
            fields.push_back({Field::ignored, nullptr});
            continue;
        }
        const auto type = column->dtype();
        const bool whole = type == nb::dtype<int32_t>() || type == nb::dtype<int64_t>();
        require(whole || type == nb::dtype<float>(), "columns are int32, int64 or float32");
        require(static_cast<int64_t>(column->shape(0)) == lines, "columns must be as long as there are lines");
        fields.push_back({!whole ? Field::float32 : type.bits == 32 ? Field::int32 : Field::int64, column->data()});
    }
    const Text text{file, size, chunk, delimiter, quote, header, carriage_returns};
    return run(threads, [&] { return read_fields(text, starts.data(), fields, threads); });
}

void py_number(Dictionary& known, Array<const uint8_t, 1> data, Array<const int32_t, 1> offsets,
               Maybe<const bool, 1> kept, Array<int32_t, 1> out) {
    require(offsets.shape(0) > 0 && offsets(0) >= 0, "offsets must begin with 0 or more");
    const int64_t count = offsets.shape(0) - 1;
    for (int64_t row = 0; row < count; ++row) require(offsets(row) <= offsets(row + 1), "offsets must not descend");
    require(static_cast<size_t>(offsets(count)) <= data.shape(0), "offsets must end within the data");
    require(!kept || static_cast<int64_t>(kept->shape(0)) == count, "kept must have one place a text");
    const int64_t numbered = kept ? std::count(kept->data(), kept->data() + count, true) : count;
    require(static_cast<int64_t>(out.shape(0)) == numbered, "out must have one place for each text that is kept");
    const char* bytes = reinterpret_cast<const char*>(data.data());
    run(1, [&] { known.number(bytes, offsets.data(), pointer(kept), count, out.data()); });
}

void py_sorted(const Dictionary& known, Array<uint8_t, 1> data, Array<int64_t, 1> offsets, Array<int32_t, 1> places) {
    require(static_cast<int64_t>(data.shape(0)) == known.bytes(), "data must have a place for every byte");
    require(static_cast<int64_t>(offsets.shape(0)) == known.size() + 1,
            "offsets must be one more than there are texts");
    require(static_cast<int64_t>(places.shape(0)) == known.size(), "places must be as many as there are texts");
    run(1, [&] { known.sorted(reinterpret_cast<char*>(data.data()), offsets.data(), places.data()); });
}

bool check_signals() {
    nb::gil_scoped_acquire acquired;
    return PyErr_CheckSignals() != 0;
}

bool supports(const std::string& set) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (set == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return set == "baseline";
}

}  // namespace

void bind_sgd(nb::module_& m);        // bind_sgd.cpp
void bind_neighbors(nb::module_& m);  // bind_neighbors.cpp

NB_MODULE(MODULE_NAME, m) {
    m.doc() = "The native kernels, compiled for one instruction set; see kernels/reference.py for what they compute.";
    interrupted = check_signals;
    using namespace nb::literals;
#define SWEEP_ARGUMENTS                                                                                                \
    "indptr"_a.noconvert(), "indices"_a.noconvert(), "values"_a.noconvert(), "weights"_a.noconvert().none(), "form"_a, \
        "fixed"_a.noconvert(), "fixed_bias"_a.noconvert().none(), "gram"_a.noconvert().none(), "ridge"_a.noconvert(),  \
        "rhs_offset"_a.noconvert().none(), "noise"_a.noconvert().none(), "solution"_a.noconvert(),                     \
        "solution_bias"_a.noconvert().none(), "steps"_a, "exact_from"_a, "nonnegative"_a, "threads"_a
    m.def("half_sweep", &py_half_sweep<float>, SWEEP_ARGUMENTS);
    m.def("half_sweep", &py_half_sweep<double>, SWEEP_ARGUMENTS);
    m.def("gram", &py_gram<float>, "factors"_a.noconvert(), "scale"_a, "out"_a.noconvert(), "threads"_a);
    m.def("gram", &py_gram<double>, "factors"_a.noconvert(), "scale"_a, "out"_a.noconvert(), "threads"_a);
    m.def("pack_items", &py_pack_items, "factors"_a.noconvert(), "bias"_a.noconvert().none(), "order"_a.noconvert(),
          "out"_a.noconvert());
    m.def("top_k", &py_top_k, "cells"_a.noconvert(), "order"_a.noconvert(), "longest"_a.noconvert(),
          "highest"_a.noconvert(), "queries"_a.noconvert(), "rows"_a.noconvert(), "seen_indptr"_a.noconvert().none(),
          "seen_indices"_a.noconvert().none(), "allowed"_a.noconvert().none(), "best"_a.noconvert(),
          "scores"_a.noconvert(), "threads"_a);
    m.def("pair_scores", &py_pair_scores, "left"_a.noconvert(), "left_rows"_a.noconvert(), "right"_a.noconvert(),
          "right_rows"_a.noconvert(), "out"_a.noconvert(), "threads"_a);
    m.def("counting_sort", &py_counting_sort, "keys"_a.noconvert(), "columns"_a.noconvert(), "outputs"_a.noconvert(),
          "indptr"_a.noconvert(), "threads"_a);
    m.def("sort_rows", &py_sort_rows, "indptr"_a.noconvert(), "keys"_a.noconvert(), "columns"_a.noconvert(),
          "threads"_a);
    m.def("count_lines", &py_count_lines, "file"_a, "size"_a, "chunk"_a, "starts"_a.noconvert(), "threads"_a);
    m.def("read_fields", &py_read_fields, "file"_a, "size"_a, "chunk"_a, "delimiter"_a, "quote"_a, "header"_a,
          "carriage_returns"_a, "starts"_a.noconvert(), "columns"_a.noconvert(), "threads"_a);
    nb::class_<Dictionary>(m, "Dictionary")
        .def(nb::init<>())
        .def("size", &Dictionary::size)
        .def("bytes", &Dictionary::bytes)
        .def("number", &py_number, "data"_a.noconvert(), "offsets"_a.noconvert(), "kept"_a.noconvert().none(),
             "out"_a.noconvert())
        .def("sorted", &py_sorted, "data"_a.noconvert(), "offsets"_a.noconvert(), "places"_a.noconvert());
    bind_sgd(m);
    bind_neighbors(m);
    m.def("supports", &supports, "instruction_set"_a, "Whether this processor can run the build of that name.");
}
