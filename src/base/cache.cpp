#include "base/cache.h"

#include <algorithm>

#include "base/system_file.h"

#if defined(__linux__)
#include <unistd.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace fw {

namespace {

constexpr int64_t kKibi = 1024;

// A number with K or M behind it; 0 if the file cannot be read or holds something else.
int64_t read_size(const std::string& path) {
    char unit = 0;
    const long number = read_number(path, &unit);
    if (number <= 0 || number > (1L << 20)) {
        return 0;
    }
    return number * (unit == 'K' ? kKibi : unit == 'M' ? kKibi * kKibi : 1);
}

int64_t ask_system() {
#if defined(__linux__)
#if defined(_SC_LEVEL2_CACHE_SIZE)
    const long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (size > 0) {
        return size;
    }
#endif
    return read_second_level_cache("/sys/devices/system/cpu/cpu0/cache");
#elif defined(__APPLE__)
    int64_t size = 0;
    size_t length = sizeof(size);
    return sysctlbyname("hw.l2cachesize", &size, &length, nullptr, 0) == 0 ? size : 0;
#else
    return 0;
#endif
}

}  // namespace

int64_t read_second_level_cache(const std::string& folder) {
    constexpr int kMostCaches = 8;
    for (int i = 0; i < kMostCaches; ++i) {
        const std::string cache = folder + "/index" + std::to_string(i);
        if (read_size(cache + "/level") == 2) {
            return read_size(cache + "/size");
        }
    }
    return 0;
}

int64_t second_level_cache() {
    static const int64_t kSize = [] {
        const int64_t size = ask_system();
        return size == 0 ? 512 * kKibi : std::clamp(size, 256 * kKibi, 2048 * kKibi);
    }();
    return kSize;
}

}  // namespace fw
