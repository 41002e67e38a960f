// The sums over the columns that two rows share, and the similarities computed from them. All are bitwise symmetric, so
// the order of a pair does not matter.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace alsatian {

// lanes: the number of floats of the sums of a pair in a dense tile (long_rows.h): products, then counts; 0: not
// supported in tiles. of: the sums of a pair from its lanes, which are `width` apart. term: the factor of a product,
// given a value.

// sum + x y, rounded once if the instruction set has fused multiply-add, like the vector code that compilers generate.
// A pair thus has the same bits however its sum is computed.
inline float plus_product(float sum, float x, float y) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(x, y, sum);
#else
    return sum + x * y;
#endif
}

struct Products {
    static constexpr int lanes = 1;
    static Products of(const float* sums, int) { return {sums[0]}; }
    static float term(float value) { return value; }

    float xy = 0;
    bool any() const { return xy != 0; }  // whether the sums must be reset to zero
    void add(float x, float y) { xy = plus_product(xy, x, y); }
    float similarity(float size, float other, float) const { return xy / (size * other); }
};

struct CountedProducts {
    static constexpr int lanes = 2;
    static CountedProducts of(const float* sums, int width) { return {sums[0], sums[width]}; }
    static float term(float value) { return value; }

    float xy = 0, shared = 0;
    bool any() const { return shared != 0; }
    void add(float x, float y) { xy = plus_product(xy, x, y), shared += 1; }
    float similarity(float size, float other, float shrinkage) const {
        return xy / (size * other) * (shared / (shared + shrinkage));
    }
};

struct Counts {
    static constexpr int lanes = 1;
    static Counts of(const float* sums, int) { return {sums[0]}; }
    static float term(float) { return 1; }

    float shared = 0;
    bool any() const { return shared != 0; }
    void add(float, float) { shared += 1; }
    float similarity(float size, float other, float shrinkage) const {
        return shared / (size + other - shared) * (shared / (shared + shrinkage));
    }
};

// The correlation over the shared columns, with the means over these columns.
struct Moments {
    static constexpr int lanes = 0;

    double xy = 0, x = 0, y = 0, xx = 0, yy = 0;
    int32_t shared = 0;
    bool any() const { return shared != 0; }
    void add(float a, float b) {
        const double p = a, q = b;
        xy += p * q, x += p, y += q, xx += p * p, yy += q * q, ++shared;
    }
    float similarity(float, float, float shrinkage) const {
        const double n = shared, vx = xx - x * x / n, vy = yy - y * y / n;
        if (vx <= 1e-12 * xx || vy <= 1e-12 * yy) return 0;  // constant rows, or a single column, have no correlation
        return static_cast<float>(std::min(1.0, (xy - x * y / n) / std::sqrt(vx * vy)) * (n / (n + shrinkage)));
    }
};

}  // namespace alsatian
