// The steps of gradient descent: plain, with momentum, or Adam (Kingma and Ba 2015). A stepper is created for one row.
// A moment is stored `gap` numbers after its parameter, and changes only when the row is updated.
#pragma once
#include <cmath>
#include <cstring>
#include <vector>

#include "common/simd.h"
#include "sgd/sgd.h"

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

constexpr double kSecondMomentDecay = 0.999;  // for the second moment of Adam
constexpr float kEpsilon = 1e-8f;

// The bias corrections of the t-th step of a row, 1 / (1 - keep^t); after the last t they are 1.
struct AdamCorrections {
    static constexpr int kSteps = 20000;  // 0.999^20000 = 2e-9
    std::vector<float> first, second;

    explicit AdamCorrections(const Sgd& task) {
        double keep = 1, keep_squares = 1;
        for (int t = 0; task.moments == 2 && t < kSteps; ++t) {
            first.push_back(static_cast<float>(1 / (1 - (keep *= task.rule.momentum))));
            second.push_back(static_cast<float>(1 / (1 - (keep_squares *= kSecondMomentDecay))));
        }
    }
};

// The parameters that the steps of all rows share.
struct StepSize {
    float rate, keep;
    const float *first, *second;  // corrections

    StepSize(const StepRule& rule, const AdamCorrections& corrections)
        : rate(static_cast<float>(rule.rate)),
          keep(static_cast<float>(rule.momentum)),
          first(corrections.first.data()),
          second(corrections.second.data()) {}
};

// step(at, gap, now, slope): `now` is the value at `at`.
struct Plain {
    float rate;

    Plain(const StepSize& step_size, int32_t&) : rate(step_size.rate) {}

    template <class V>
    void step(float* at, int, V now, V slope) const {
        store(at, now + rate * slope);
    }
};

// v = keep v + slope
struct Momentum {
    float rate, keep;

    Momentum(const StepSize& step_size, int32_t&) : rate(step_size.rate), keep(step_size.keep) {}

    template <class V>
    void step(float* at, int gap, V now, V slope) const {
        const V velocity = keep * load<V>(at + gap) + slope;
        store(at + gap, velocity);
        store(at, now + rate * velocity);
    }
};

// m = keep m + (1 - keep) slope, v = 0.999 v + 0.001 slope^2; both corrected for their start at zero
struct Adam {
    float rate, keep, correction;

    Adam(const StepSize& step_size, int32_t& steps) : rate(step_size.rate), keep(step_size.keep), correction(1) {
        if (steps < AdamCorrections::kSteps) {
            rate *= step_size.first[steps];
            correction = step_size.second[steps];
            ++steps;
        }
    }

    template <class V>
    void step(float* at, int gap, V now, V slope) const {
        constexpr float keep_squares(kSecondMomentDecay), gain(1 - kSecondMomentDecay);
        const V first = keep * load<V>(at + gap) + (1 - keep) * slope;
        const V second = keep_squares * load<V>(at + 2 * gap) + gain * (slope * slope);
        store(at + gap, first);
        store(at + 2 * gap, second);
        store(at, now + rate * first / (root(correction * second) + kEpsilon));
    }
};

}  // namespace alsatian
