#include "base/parallel.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#else
#include <thread>
#endif

namespace fw {

int hardware_threads() {
#if defined(__unix__) || defined(__APPLE__)
    const long count = sysconf(_SC_NPROCESSORS_ONLN);  // std::thread brings all of its library to a static program
#else
    const unsigned count = std::thread::hardware_concurrency();
#endif
    return count <= 0 ? 1 : static_cast<int>(count);
}

}  // namespace fw
