#include "peak/peak.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>

#include "base/cpu.h"
#include "base/parallel.h"
#include "peak/loop.h"

namespace fw {

#define FW_PEAK(name, level, int8, macs) void name(int64_t rounds);
#include "peak/peaks.inc"
#undef FW_PEAK

namespace bench {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

constexpr PeakLoop kLoops[] = {
#define FW_PEAK(name, level, int8, macs) {#name, Isa::level, int8, (macs)*kPeakAccumulators, name},
#include "peak/peaks.inc"
#undef FW_PEAK
};

/// Short enough that some rounds are not interrupted, long enough that starting threads does not count.
constexpr double kRoundSeconds = 1e-3;

/// Fastest time of `run` among as many calls as fit in `seconds`, at least three.
template <class Run>
double fastest(double seconds, Run&& run) {
    const Clock::time_point start = Clock::now();
    double best = 1e300;
    for (int i = 0; i < 3 || seconds_since(start) < seconds; ++i) {
        const Clock::time_point begin = Clock::now();
        run();
        best = std::min(best, seconds_since(begin));
    }
    return best;
}

}  // namespace

Span<const PeakLoop> peak_loops() {
    return kLoops;
}

double measure_peak(const PeakLoop& loop, int threads, double seconds) {
    int64_t rounds = 1000;
    for (;;) {
        const Clock::time_point begin = Clock::now();
        loop.run(rounds);
        const double spent = seconds_since(begin);
        if (spent >= kRoundSeconds || rounds > int64_t{1} << 40) {
            break;
        }
        rounds *= 2;
    }
    const double best =
        fastest(seconds, [&] { parallel_for(threads, threads, [&](int64_t /*thread*/) { loop.run(rounds); }); });
    return static_cast<double>(loop.macs) * static_cast<double>(rounds) * threads / best * 1e-9;
}

double measure_peak(bool int8, Isa level, int threads, double seconds) {
    int candidates = 0;
    for (const PeakLoop& loop : kLoops) {
        candidates += loop.int8 == int8 && isa_covers(level, loop.level) ? 1 : 0;
    }
    double best = 0.0;
    for (const PeakLoop& loop : kLoops) {
        if (loop.int8 == int8 && isa_covers(level, loop.level)) {
            best = std::max(best, measure_peak(loop, threads, seconds / candidates));
        }
    }
    return best;
}

double measure_read_bandwidth(int threads, double seconds) {
    constexpr int64_t kWords = int64_t{64} << 17;  // 64 MiB
    const std::unique_ptr<uint64_t[]> buffer(new (std::nothrow) uint64_t[kWords]());
    if (buffer == nullptr) {
        return 0.0;
    }
    const int64_t share = kWords / threads;
    const auto read = [&](int64_t thread) {
        const uint64_t* from = buffer.get() + thread * share;
        uint64_t sums[8] = {};
        for (int64_t i = 0; i + 8 <= share; i += 8) {
            for (int j = 0; j < 8; ++j) {
                sums[j] += from[i + j];
            }
        }
        for (uint64_t& sum : sums) {
            asm volatile("" : "+r"(sum));
        }
    };
    const double best = fastest(seconds, [&] { parallel_for(threads, threads, read); });
    return static_cast<double>(share) * threads * 8 / best * 1e-9;
}

}  // namespace bench
}  // namespace fw
