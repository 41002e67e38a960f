// Numbers distinct texts in order of first occurrence.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace alsatian {

class Dictionary {
public:
    // Text n is the bytes [offsets[n], offsets[n + 1]). Writes the numbers of texts where `kept` is true (null: all).
    void number(const char* data, const int32_t* offsets, const bool* kept, int64_t count, int32_t* out);

    int64_t size() const { return static_cast<int64_t>(offsets_.size()) - 1; }
    int64_t bytes() const { return static_cast<int64_t>(data_.size()); }

    // Writes the texts sorted by bytes, size() + 1 offsets, and the position of each number in this order.
    void sorted(char* data, int64_t* offsets, int32_t* places) const;

private:
    std::string_view text(int32_t number) const {
        return {data_.data() + offsets_[number], static_cast<size_t>(offsets_[number + 1] - offsets_[number])};
    }
    int32_t find_or_add(std::string_view text);
    void widen();

    std::vector<char> data_;
    std::vector<int64_t> offsets_{0};
    std::vector<uint64_t> hashes_;
    std::vector<int32_t> slots_;  // open addressing: the number of a text, or -1
};

}  // namespace alsatian
