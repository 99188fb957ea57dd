#include "base/parallel.h"

#include <thread>

namespace fw {

int hardware_threads() {
    const unsigned count = std::thread::hardware_concurrency();
    return count == 0 ? 1 : static_cast<int>(count);
}

}  // namespace fw
