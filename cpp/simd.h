// One vector type. Each build of the core is compiled for one instruction set and gets its widest
// vectors; the build is chosen when the package is imported.
#pragma once
#include <cstring>

#define UNROLL _Pragma("GCC unroll 16")

namespace alsatian {

#if defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;  // SSE2, NEON
#endif

template <class T>
struct Simd {
    typedef T Vector __attribute__((vector_size(kVectorBytes)));
    static constexpr int lanes = kVectorBytes / sizeof(T);

    static Vector load(const T* from) {
        Vector v;
        std::memcpy(&v, from, sizeof v);
        return v;
    }
    static void store(T* to, Vector v) { std::memcpy(to, &v, sizeof v); }
    static T sum(Vector v) {
        T total = 0;
        UNROLL for (int lane = 0; lane < lanes; ++lane) total += v[lane];
        return total;
    }
};

// n rounded up to whole vectors: the width of every padded row below.
template <class T>
constexpr int padded(int n) {
    return (n + Simd<T>::lanes - 1) / Simd<T>::lanes * Simd<T>::lanes;
}

// y += a x over `width` numbers, a whole number of vectors
template <class T>
inline void axpy(T a, const T* x, T* y, int width) {
    using S = Simd<T>;
    for (int c = 0; c < width; c += S::lanes) S::store(y + c, S::load(y + c) + a * S::load(x + c));
}

template <class T>
inline T dot(const T* x, const T* y, int width) {
    using S = Simd<T>;
    typename S::Vector even{}, odd{};
    int c = 0;
    for (; c + 2 * S::lanes <= width; c += 2 * S::lanes) {
        even += S::load(x + c) * S::load(y + c);
        odd += S::load(x + c + S::lanes) * S::load(y + c + S::lanes);
    }
    if (c < width) even += S::load(x + c) * S::load(y + c);
    return S::sum(even + odd);
}

}  // namespace alsatian
