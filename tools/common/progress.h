// A progress line with the time that is left, on a terminal only.
#pragma once

#include <chrono>
#include <cstdint>

namespace fw::tools {

/// Shows "calibrating 37/100  4.2 images/s  ETA 15 s" on stderr, at most ten times a second, once a second has passed.
class Progress {
public:
    /// Nothing is shown when `quiet` or when stderr is no terminal. `before` of the total were done earlier.
    Progress(const char* title, const char* unit, int64_t total, bool quiet, int64_t before = 0);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void update(int64_t done);
    /// Takes the line away, so that something else can be printed.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    const char* title_;
    const char* unit_;
    int64_t total_;
    int64_t before_;
    bool enabled_;
    bool shown_ = false;
    Clock::time_point start_;
    Clock::time_point last_;
};

}  // namespace fw::tools
