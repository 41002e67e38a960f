#include "text/csv_scan.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>

#include "common/parallel.h"

namespace alsatian {
namespace {

constexpr int64_t kMaxLineBytes = 1 << 16;  // a line may end at most this far after its chunk

// Bytes [from, from + count) of a file, then "\n" to end the last line, and zeros so that a delimiter can be compared.
bool read(int file, int64_t from, int64_t count, std::vector<char>& bytes) {
    bytes.resize(count + 16);
    for (int64_t done = 0; done < count;) {
        const ssize_t got = pread(file, bytes.data() + done, count - done, from + done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;  // or the file was truncated
        done += got;
    }
    bytes[count] = '\n';
    std::fill(bytes.begin() + count + 1, bytes.end(), '\0');
    return true;
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// An integer in canonical form: no sign except "-", no leading zeros, no "-0". At most 18 digits, so it fits.
bool integer(const char*& at, int64_t& value) {
    const bool negative = *at == '-';
    const char* first = at += negative;
    uint64_t total = 0;
    for (; is_digit(*at); ++at) total = 10 * total + (*at - '0');
    const int64_t digits = at - first;
    if (digits == 0 || digits > 18 || (*first == '0' && (digits > 1 || negative))) return false;
    value = negative ? -static_cast<int64_t>(total) : static_cast<int64_t>(total);
    return true;
}

// The float nearest to a finite number such as 3, -3.25 or 1e-5.
bool number(const char*& at, float& value) {
    static constexpr float kPowers[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};
    const char* const first = at;
    const bool negative = *at == '-';
    at += negative;
    if (!is_digit(*at)) return false;
    uint64_t total = 0;
    for (; is_digit(*at); ++at) total = 10 * total + (*at - '0');
    int64_t digits = at - first - negative, decimals = 0;
    if (*at == '.') {
        const char* const point = at++;
        for (; is_digit(*at); ++at) total = 10 * total + (*at - '0');
        decimals = at - point - 1;
        digits += decimals;
        if (decimals == 0) return false;
    }
    // Numerator and power are exact, so the quotient is rounded once.
    if (digits <= 10 && total < (1 << 24) && *at != 'e' && *at != 'E') {
        value = static_cast<float>(total) / kPowers[decimals];
        if (negative) value = -value;
        return true;
    }
    while (is_digit(*at) || *at == 'e' || *at == 'E' || *at == '-' || *at == '+') ++at;
    const auto [end, error] = std::from_chars(first, at, value);
    return error == std::errc() && end == at;
}

class Scanner {
public:
    Scanner(const TextFile& text, const std::vector<Field>& fields) : text_(text), fields_(fields) {
        for (int byte = 0; byte < 256; ++byte) plain_[byte] = byte >= ' ' && byte < 127 && byte != text.quote;
        plain_[static_cast<unsigned char>(text.delimiter[0])] = false;
    }

    // Parses a line; on success `at` is at its "\n".
    bool line(const char*& at, int64_t place) const {
        for (size_t f = 0; f < fields_.size(); ++f) {
            if (!field(at, fields_[f], place)) return false;
            if (f + 1 == fields_.size()) break;
            if (!delimits(at)) return false;
            at += text_.delimiter.size();
        }
        if (text_.carriage_returns && *at++ != '\r') return false;
        return *at == '\n';
    }

private:
    bool delimits(const char* at) const { return std::memcmp(at, text_.delimiter.data(), text_.delimiter.size()) == 0; }

    bool field(const char*& at, const Field& field, int64_t place) const {
        int64_t whole;
        switch (field.kind) {
            case Field::int32:
                if (!integer(at, whole) || whole != static_cast<int32_t>(whole)) return false;
                static_cast<int32_t*>(field.to)[place] = static_cast<int32_t>(whole);
                return true;
            case Field::int64: return integer(at, static_cast<int64_t*>(field.to)[place]);
            case Field::float32: return number(at, static_cast<float*>(field.to)[place]);
            default:
                while (plain_[static_cast<unsigned char>(*at)] || (*at == text_.delimiter[0] && !delimits(at))) ++at;
                return true;
        }
    }

    const TextFile& text_;
    const std::vector<Field>& fields_;
    std::array<bool, 256> plain_;
};

// Parses the lines that begin in bytes [at, to); `at` is the start of the first line.
bool scan(const Scanner& scanner, const char* at, const char* to, const char* end, bool last, int64_t place,
          int64_t stop) {
    for (; at < to; ++at, ++place) {
        if (place == stop || !scanner.line(at, place)) return false;
        if (at == end && !last) return false;  // the line is too long
    }
    return place == stop;
}

}  // namespace

bool count_lines(int file, int64_t size, int64_t chunk, int64_t* starts, int threads) {
    const int64_t chunks = (size + chunk - 1) / chunk;
    std::vector<std::vector<char>> buffers(threads);
    std::atomic<bool> readable{true};
    // A line begins at 0, and after each "\n" except one at the end of the file.
    parallel_for(threads, chunks, [&](int64_t c, int worker) {
        const int64_t from = std::max<int64_t>(0, c * chunk - 1), to = std::min(size, (c + 1) * chunk) - 1;
        std::vector<char>& bytes = buffers[worker];
        if (!read(file, from, to - from, bytes)) readable = false;
        else starts[c + 1] = (c == 0) + std::count(bytes.begin(), bytes.begin() + (to - from), '\n');
    });
    starts[0] = 0;
    for (int64_t c = 0; c < chunks && readable; ++c) starts[c + 1] += starts[c];
    return readable;
}

bool read_fields(const TextFile& text, const int64_t* starts, const std::vector<Field>& fields, int threads) {
    const int64_t chunks = (text.size + text.chunk - 1) / text.chunk;
    const Scanner scanner(text, fields);
    std::vector<std::vector<char>> buffers(threads);
    std::atomic<bool> plain{true};
    parallel_for(threads, chunks, [&](int64_t c, int worker) {
        if (!plain) return;
        const int64_t from = std::max<int64_t>(0, c * text.chunk - 1), to = std::min(text.size, (c + 1) * text.chunk);
        const int64_t reach = std::min(text.size, to + kMaxLineBytes);
        std::vector<char>& bytes = buffers[worker];
        if (!read(text.file, from, reach - from, bytes)) {
            plain = false;
            return;
        }
        const char *begin = bytes.data(), *stop = begin + (to - from), *end = begin + (reach - from);
        if (c > 0 || text.header) begin = static_cast<const char*>(std::memchr(begin, '\n', end - begin + 1)) + 1;
        const int64_t skipped = text.header, place = std::max<int64_t>(0, starts[c] - skipped);
        if (!scan(scanner, begin, stop, end, reach == text.size, place, starts[c + 1] - skipped)) plain = false;
    });
    return plain;
}

}  // namespace alsatian
