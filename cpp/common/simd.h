// The vector type. Each build of the core is compiled for one instruction set and uses its widest vectors. The build is
// selected when the package is imported.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

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
    // The sum of each of `lanes` vectors, as one vector.
    static Vector sums(const Vector* v) { return tree<lanes>(v); }

    static T sum(Vector v) {
        T total = 0;
        UNROLL for (int lane = 0; lane < lanes; ++lane) total += v[lane];
        return total;
    }
    // Same as sum(), but by halves: a shorter chain of dependent operations.
    static T total(Vector v) { return fold<lanes / 2>(v); }

private:
    static constexpr int within = 16 / sizeof(T);  // lanes in 128 bits, within which shuffles are cheap

    template <int Count>
    static Vector tree(const Vector* v) {
        if constexpr (Count == 1) return *v;
        else
            return join<Count>(tree<Count / 2>(v), tree<Count / 2>(v + Count / 2),
                               std::make_integer_sequence<int, lanes>());
    }
    template <int Count, int... I>
    static Vector join(Vector a, Vector b, std::integer_sequence<int, I...>) {
        if constexpr (Count > within) return pick<half(I)...>(a, b) + pick<half(I) + lanes / 2 ...>(a, b);
        else return pick<even(I)...>(a, b) + pick<even(I) + 1 ...>(a, b);
    }
    template <int Half>
    static T fold(Vector v) {
        if constexpr (Half == 0) return v[0];
        else return fold<Half / 2>(v + swap<Half>(v, std::make_integer_sequence<int, lanes>()));
    }
    template <int Half, int... I>
    static Vector swap(Vector v, std::integer_sequence<int, I...>) {
        return pick<(I ^ Half)...>(v, v);
    }
    // Selects lanes of a and b; the lanes of b follow those of a.
    template <int... Lane>
    static Vector pick(Vector a, Vector b) {
#if defined(__clang__) || __GNUC__ >= 12
        return __builtin_shufflevector(a, b, Lane...);
#else
        typedef std::conditional_t<sizeof(T) == 4, int32_t, int64_t> Index;
        typedef Index Indices __attribute__((vector_size(kVectorBytes)));
        return __builtin_shuffle(a, b, Indices{Lane...});
#endif
    }
    // even: in every 128 bits the even lanes of a, then those of b. half: the lower halves of a and b.
    static constexpr int even(int i) {
        return i / within * within + i % (within / 2) * 2 + (i % within >= within / 2) * lanes;
    }
    static constexpr int half(int i) { return i % (lanes / 2) + (i >= lanes / 2) * lanes; }
};

// n rounded up to whole vectors: the width of padded rows.
template <class T>
constexpr int padded(int n) {
    return (n + Simd<T>::lanes - 1) / Simd<T>::lanes * Simd<T>::lanes;
}

// y += a x over `width` numbers, which is a multiple of the vector width
template <class T>
inline void axpy(T a, const T* x, T* y, int width) {
    using S = Simd<T>;
    for (int c = 0; c < width; c += S::lanes) S::store(y + c, S::load(y + c) + a * S::load(x + c));
}

// x'y in double precision; width is a multiple of the vector width
template <class T>
inline double dot_exactly(const T* x, const T* y, int width) {
    constexpr int lanes = Simd<T>::lanes;
    double sums[lanes] = {};
    for (int c = 0; c < width; c += lanes) {
        UNROLL for (int lane = 0; lane < lanes; ++lane) sums[lane] += static_cast<double>(x[c + lane]) * y[c + lane];
    }
    double total = 0;
    for (int lane = 0; lane < lanes; ++lane) total += sums[lane];
    return total;
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
