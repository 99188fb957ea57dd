// Loops over OpenMP threads; serial where OpenMP is absent or one thread is asked for.
#pragma once

#include <cstdint>

namespace fw {

/// Cores this process may use.
int hardware_threads();

/// Calls fn(i) for i in [0, count), split into contiguous ranges over `threads`.
template <class Fn>
void parallel_for(int64_t count, int threads, Fn&& fn) {
    if (threads <= 1 || count <= 1) {
        for (int64_t i = 0; i < count; ++i) {
            fn(i);
        }
        return;
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < count; ++i) {
        fn(i);
    }
}

}  // namespace fw
