// How a number moves along its slope: plainly, with momentum, or as Adam (Kingma and Ba 2015) lets it. A stepper is made
// for one row; its moments lie `gap` numbers after what they belong to, and change only when the row is met.
#pragma once
#include <cmath>
#include <cstring>
#include <vector>

#include "sgd.h"
#include "simd.h"

namespace alsatian {

using Floats = Simd<float>::Vector;

// V is one number or a vector of them.
template <class V>
V load(const float* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
template <class V>
void store(float* to, V v) {
    std::memcpy(to, &v, sizeof v);
}

inline float root(float v) { return std::sqrt(v); }
inline Floats root(Floats v) {
    UNROLL for (int lane = 0; lane < Simd<float>::lanes; ++lane) v[lane] = std::sqrt(v[lane]);
    return v;
}

constexpr double kKeepSquares = 0.999;  // of Adam's second moment
constexpr float kTiny = 1e-8f;

// What a row's t-th step divides its moments by, 1 - keep^t, as factors; from the last t on they are 1.
struct Corrections {
    static constexpr int kSteps = 20000;  // 0.999^20000 = 2e-9
    std::vector<float> first, second;

    explicit Corrections(const Sgd& task) {
        double keep = 1, keep_squares = 1;
        for (int t = 0; task.moments == 2 && t < kSteps; ++t) {
            first.push_back(static_cast<float>(1 / (1 - (keep *= task.rule.keep))));
            second.push_back(static_cast<float>(1 / (1 - (keep_squares *= kKeepSquares))));
        }
    }
};

struct Plain {
    float rate;

    Plain(const Rule& rule, const Corrections&, int32_t&) : rate(static_cast<float>(rule.rate)) {}

    template <class V>
    void step(float* at, int, V slope) const {
        store(at, load<V>(at) + rate * slope);
    }
};

// v = keep v + slope
struct Momentum {
    float rate, keep;

    Momentum(const Rule& rule, const Corrections&, int32_t&)
        : rate(static_cast<float>(rule.rate)), keep(static_cast<float>(rule.keep)) {}

    template <class V>
    void step(float* at, int gap, V slope) const {
        const V velocity = keep * load<V>(at + gap) + slope;
        store(at + gap, velocity);
        store(at, load<V>(at) + rate * velocity);
    }
};

// m = keep m + (1 - keep) slope, v = 0.999 v + 0.001 slope^2; both corrected for having begun at zero
struct Adam {
    float rate, keep, correction;

    Adam(const Rule& rule, const Corrections& corrections, int32_t& steps)
        : rate(static_cast<float>(rule.rate)), keep(static_cast<float>(rule.keep)), correction(1) {
        if (steps < Corrections::kSteps) {
            rate *= corrections.first[steps];
            correction = corrections.second[steps];
            ++steps;
        }
    }

    template <class V>
    void step(float* at, int gap, V slope) const {
        constexpr float keep_squares(kKeepSquares), gain(1 - kKeepSquares);
        const V first = keep * load<V>(at + gap) + (1 - keep) * slope;
        const V second = keep_squares * load<V>(at + 2 * gap) + gain * (slope * slope);
        store(at + gap, first);
        store(at + 2 * gap, second);
        store(at, load<V>(at) + rate * first / (root(correction * second) + kTiny));
    }
};

}  // namespace alsatian
