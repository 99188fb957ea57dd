// Memory that ends at an unmapped page: a kernel that reads beyond what its contract allows crashes.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace fw::test {

/// `bytes` bytes followed by `tail` more readable ones (filled with 0x7f), then the unmapped page. The start is aligned
/// only as far as `bytes` + `tail` allows.
class GuardedBuffer {
public:
    explicit GuardedBuffer(size_t bytes, size_t tail = 0) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        mapped_ = (bytes + tail + page - 1) / page * page + page;
        void* base = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        base_ = base == MAP_FAILED ? nullptr : static_cast<char*>(base);
        if (base_ == nullptr || mprotect(base_ + mapped_ - page, page, PROT_NONE) != 0) {
            std::abort();
        }
        data_ = base_ + mapped_ - page - tail - bytes;
        std::memset(base_, 0x7f, mapped_ - page);
    }
    ~GuardedBuffer() { munmap(base_, mapped_); }
    GuardedBuffer(const GuardedBuffer&) = delete;
    GuardedBuffer& operator=(const GuardedBuffer&) = delete;

    template <class T = void>
    T* data() const {
        return reinterpret_cast<T*>(data_);
    }

private:
    char* base_ = nullptr;
    char* data_ = nullptr;
    size_t mapped_ = 0;
};

}  // namespace fw::test
