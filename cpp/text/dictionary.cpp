#include "text/dictionary.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace alsatian {

void Dictionary::number(const char* data, const int32_t* offsets, const bool* kept, int64_t count, int32_t* out) {
    std::string_view last;
    int32_t number = -1;
    for (int64_t row = 0; row < count; ++row) {
        if (kept && !kept[row]) continue;
        const std::string_view here(data + offsets[row], offsets[row + 1] - offsets[row]);
        if (number < 0 || here != last) number = find_or_add(here);  // consecutive rows often have the same user
        last = here;
        *out++ = number;
    }
}

int32_t Dictionary::find_or_add(std::string_view wanted) {
    if (2 * hashes_.size() >= slots_.size()) widen();
    const uint64_t hash = std::hash<std::string_view>{}(wanted);
    const size_t mask = slots_.size() - 1;
    size_t slot = hash & mask;
    for (; slots_[slot] >= 0; slot = (slot + 1) & mask)
        if (hashes_[slots_[slot]] == hash && text(slots_[slot]) == wanted) return slots_[slot];
    if (hashes_.size() == INT32_MAX) throw std::length_error("there are more than 2,147,483,647 distinct texts");
    hashes_.push_back(hash);
    data_.insert(data_.end(), wanted.begin(), wanted.end());
    offsets_.push_back(bytes());
    return slots_[slot] = static_cast<int32_t>(hashes_.size()) - 1;
}

void Dictionary::widen() {
    slots_.assign(std::max<size_t>(1024, 2 * slots_.size()), -1);
    const size_t mask = slots_.size() - 1;
    for (size_t number = 0; number < hashes_.size(); ++number) {
        size_t slot = hashes_[number] & mask;
        while (slots_[slot] >= 0) slot = (slot + 1) & mask;
        slots_[slot] = static_cast<int32_t>(number);
    }
}

void Dictionary::sorted(char* data, int64_t* offsets, int32_t* places) const {
    std::vector<int32_t> order(size());
    std::iota(order.begin(), order.end(), 0);
    // string_view compares bytes as unsigned.
    std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return text(a) < text(b); });
    offsets[0] = 0;
    for (size_t place = 0; place < order.size(); ++place) {
        const std::string_view here = text(order[place]);
        std::copy(here.begin(), here.end(), data + offsets[place]);
        offsets[place + 1] = offsets[place] + static_cast<int64_t>(here.size());
        places[order[place]] = static_cast<int32_t>(place);
    }
}

}  // namespace alsatian
