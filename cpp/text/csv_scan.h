// Plain delimited text: numbers and ignored fields, without quotes, read straight into columns. The scan gives up at
// the first byte that is not exactly as expected; then a careful reader, which knows all rules, starts over.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace alsatian {

struct Field {
    enum Kind { ignored, int32, int64, float32 } kind;
    void* to;
};

struct TextFile {
    int file;  // its descriptor
    int64_t size;
    int64_t chunk;  // bytes that a task takes
    std::string delimiter;
    int quote;  // a byte that must not occur, or -1
    bool header;
    bool carriage_returns;  // every line ends with "\r\n", else "\n"
};

// starts (chunks + 1): how many lines begin before each chunk. False if the file cannot be read.
bool count_lines(int file, int64_t size, int64_t chunk, int64_t* starts, int threads);

// Writes line n (without the header) to place n of each column. False if any line is not plain.
bool read_fields(const TextFile& text, const int64_t* starts, const std::vector<Field>& fields, int threads);

}  // namespace alsatian
