// The processor's own limits, measured: multiply-accumulates a second from registers alone, bytes a second from memory.
#pragma once

#include <cstdint>

#include "base/isa.h"
#include "fw/span.h"

namespace fw::bench {

/// A loop of nothing but multiply-accumulates.
struct PeakLoop {
    const char* name;
    Isa level;
    bool int8;                    ///< int8 products summed in int32, by the widest way the level has; else float32
    int64_t macs;                 ///< of one round
    void (*run)(int64_t rounds);  ///< needs a processor with `level`
};

/// Every loop of this build, in the order of peaks.inc.
Span<const PeakLoop> peak_loops();

/// Multiply-accumulates a second of `threads` running at once, in 1e9: the best of rounds within `seconds`.
double measure_peak(const PeakLoop& loop, int threads, double seconds);

/// The best of the loops that may run where `level` is in use, likewise.
double measure_peak(bool int8, Isa level, int threads, double seconds);

/// Bytes a second that `threads` read from a buffer larger than caches, in 1e9; 0 where there is no memory for it.
double measure_read_bandwidth(int threads, double seconds);

}  // namespace fw::bench
