#include "common/progress.h"

#include <unistd.h>

#include <cstdio>

namespace fw::tools {

Progress::Progress(const char* title, const char* unit, int64_t total, bool quiet, int64_t before)
    : title_(title),
      unit_(unit),
      total_(total),
      before_(before),
      enabled_(!quiet && isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
    clear();
}

void Progress::clear() {
    if (shown_) {
        std::fprintf(stderr, "\r\033[K");
        std::fflush(stderr);
        shown_ = false;
    }
}

void Progress::update(int64_t done) {
    const Clock::time_point now = Clock::now();
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    if (!enabled_ || done <= before_ || elapsed < 1.0 || now - last_ < std::chrono::milliseconds(100)) {
        return;
    }
    last_ = now;
    shown_ = true;
    const double rate = static_cast<double>(done - before_) / elapsed;
    const double left = static_cast<double>(total_ - done) / rate;
    std::fprintf(stderr, "\r\033[K%s %lld/%lld  %.1f %s/s  ETA %.0f s", title_, static_cast<long long>(done),
                 static_cast<long long>(total_), rate, unit_, left);
    std::fflush(stderr);
}

}  // namespace fw::tools
