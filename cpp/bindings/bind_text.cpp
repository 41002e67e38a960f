// Parsing of plain text into columns, and the numbering of texts; see binding.h.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>

#include "bindings/binding.h"
#include "text/csv_scan.h"
#include "text/dictionary.h"

using namespace alsatian;

// kernels.TextFile
template <>
struct nanobind::detail::type_caster<TextFile>
    : TupleCaster<TextFile, int, int64_t, int64_t, std::string, int, bool, bool> {};

namespace {

void check_chunks(int64_t size, int64_t chunk, size_t starts) {
    require(size > 0 && chunk > 0, "size and chunk must be positive");
    require(static_cast<int64_t>(starts) == (size + chunk - 1) / chunk + 1, "starts must have length chunks + 1");
}

bool py_count_lines(int file, int64_t size, int64_t chunk, Array<int64_t, 1> starts, int threads) {
    check_chunks(size, chunk, starts.shape(0));
    return run(threads, [&] { return count_lines(file, size, chunk, starts.data(), threads); });
}

bool py_read_fields(const TextFile& text, Array<const int64_t, 1> starts, std::vector<std::optional<AnyColumn>> columns,
                    int threads) {
    check_chunks(text.size, text.chunk, starts.shape(0));
    for (size_t c = 0; c + 1 < starts.shape(0); ++c)
        require(0 <= starts(c) && starts(c) <= starts(c + 1), "starts must not descend");
    require(starts.shape(0) == 1 || (starts(0) == 0 && starts(1) >= text.header),
            "starts must begin with 0 and include the header");
    require(!text.delimiter.empty() && text.delimiter.size() < 16, "delimiter must have 1 to 15 bytes");
    require(!columns.empty(), "columns must not be empty");
    const int64_t lines = starts(starts.shape(0) - 1) - text.header;
    std::vector<Field> fields;
    for (const auto& column : columns) {
        if (!column) {
            fields.push_back({Field::ignored, nullptr});
            continue;
        }
        const auto type = column->dtype();
        const bool whole = type == nb::dtype<int32_t>() || type == nb::dtype<int64_t>();
        require(whole || type == nb::dtype<float>(), "columns must be int32, int64 or float32");
        require(static_cast<int64_t>(column->shape(0)) == lines, "columns must have one element per line");
        fields.push_back({!whole ? Field::float32 : type.bits == 32 ? Field::int32 : Field::int64, column->data()});
    }
    return run(threads, [&] { return read_fields(text, starts.data(), fields, threads); });
}

void py_number(Dictionary& dictionary, Array<const uint8_t, 1> data, Array<const int32_t, 1> offsets,
               Maybe<const bool, 1> kept, Array<int32_t, 1> out) {
    require(offsets.shape(0) > 0 && offsets(0) >= 0, "offsets must begin with 0 or more");
    const int64_t count = offsets.shape(0) - 1;
    for (int64_t row = 0; row < count; ++row) require(offsets(row) <= offsets(row + 1), "offsets must not descend");
    require(static_cast<size_t>(offsets(count)) <= data.shape(0), "offsets must end within the data");
    require(!kept || static_cast<int64_t>(kept->shape(0)) == count, "kept must have one element per text");
    const int64_t numbered = kept ? std::count(kept->data(), kept->data() + count, true) : count;
    require(static_cast<int64_t>(out.shape(0)) == numbered, "out must have one element per kept text");
    const char* bytes = reinterpret_cast<const char*>(data.data());
    run(1, [&] { dictionary.number(bytes, offsets.data(), pointer(kept), count, out.data()); });
}

void py_sorted(const Dictionary& dictionary, Array<uint8_t, 1> data, Array<int64_t, 1> offsets,
               Array<int32_t, 1> places) {
    require(static_cast<int64_t>(data.shape(0)) == dictionary.bytes(), "data must have one element per byte");
    require(static_cast<int64_t>(offsets.shape(0)) == dictionary.size() + 1,
            "offsets must have one element per text, plus one");
    require(static_cast<int64_t>(places.shape(0)) == dictionary.size(), "places must have one element per text");
    run(1, [&] { dictionary.sorted(reinterpret_cast<char*>(data.data()), offsets.data(), places.data()); });
}

}  // namespace

void alsatian::bind_text(nb::module_& m) {
    using namespace nb::literals;
    m.def("count_lines", &py_count_lines, "file"_a, "size"_a, "chunk"_a, "starts"_a.noconvert(), "threads"_a);
    m.def("read_fields", &py_read_fields, "text"_a, "starts"_a.noconvert(), "columns"_a.noconvert(), "threads"_a);
    nb::class_<Dictionary>(m, "Dictionary")
        .def(nb::init<>())
        .def("size", &Dictionary::size)
        .def("bytes", &Dictionary::bytes)
        .def("number", &py_number, "data"_a.noconvert(), "offsets"_a.noconvert(), "kept"_a.noconvert().none(),
             "out"_a.noconvert())
        .def("sorted", &py_sorted, "data"_a.noconvert(), "offsets"_a.noconvert(), "places"_a.noconvert());
}
