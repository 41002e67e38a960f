// Bounded least squares on a formed system: min x'A x / 2 - b'x, where the first unknowns must not be negative.
//
// Cyclic projected coordinate descent that maintains r = b - A x (Franc, Hlavac and Navara 2005, "Sequential
// coordinate-wise algorithm for the non-negative least squares problem"). Every step minimizes over one unknown, so the
// objective never increases. If A is positive definite, the minimum is unique and independent of the starting point.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "common/simd.h"

namespace alsatian {

constexpr int kMaxSweeps = 1000;  // most systems need a few dozen

// The descent stops when no step of a sweep exceeds this share of the largest unknown. Both are scaled by the square
// roots of their diagonal entries, so that the units of the unknowns do not matter.
template <class T>
constexpr T kConverged = 16 * std::numeric_limits<T>::epsilon();

// Copies the upper triangle of a symmetric matrix to the lower one.
template <class T>
void mirror(T* a, long ld, int n) {
    for (int row = 1; row < n; ++row)
        for (int c = 0; c < row; ++c) a[row * ld + c] = a[c * ld + row];
}

// a: n rows of ld numbers, padded with zeros to `width`. x: the starting point, and the result. r: b, and on return
// b - A x. inverse: scratch, n numbers. An unknown whose diagonal entry is zero becomes zero.
// Returns false if a diagonal entry is negative or not finite.
template <class T>
bool descend(const T* a, long ld, int n, int width, int bounded, T* inverse, T* x, T* r) {
    for (int c = 0; c < n; ++c) {
        const T pivot = a[c * ld + c];
        if (!(pivot >= 0) || !std::isfinite(pivot)) return false;
        inverse[c] = pivot >= std::numeric_limits<T>::min() ? 1 / pivot : 0;
        if (x[c] != 0) axpy(-x[c], a + c * ld, r, width);
    }
    for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
        double step = 0, size = 0;  // the largest ones, squared
        for (int c = 0; c < n; ++c) {
            T to = inverse[c] > 0 ? x[c] + inverse[c] * r[c] : 0;
            if (c < bounded && to < 0) to = 0;
            const T by = to - x[c];
            if (by != 0) axpy(-by, a + c * ld, r, width);
            x[c] = to;
            const double pivot = a[c * ld + c];
            step = std::max(step, pivot * by * by);
            size = std::max(size, pivot * to * to);
        }
        if (!(step > kConverged<T> * kConverged<T> * size)) break;
    }
    return true;
}

}  // namespace alsatian
