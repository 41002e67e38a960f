// Plain delimited text: numbers and ignored fields without quotes, parsed directly into columns. The scan stops at the
// first unexpected byte. The file is then read again by the general reader, which implements all rules.
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
    int64_t chunk;  // bytes per task
    std::string delimiter;
    int quote;  // a byte that must not occur, or -1
    bool header;
    bool carriage_returns;  // whether lines end with "\r\n", else "\n"
};

// starts (chunks + 1): the number of lines that begin before each chunk. Returns false if the file cannot be read.
bool count_lines(int file, int64_t size, int64_t chunk, int64_t* starts, int threads);

// Writes line n (without the header) to element n of each column. Returns false if a line is not plain.
bool read_fields(const TextFile& text, const int64_t* starts, const std::vector<Field>& fields, int threads);

}  // namespace alsatian
