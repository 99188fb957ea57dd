#include "base/memory.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <cstring>

namespace fw {

namespace {

class SystemAllocator final : public Allocator {
public:
    void* allocate(size_t bytes, size_t alignment) override {
        void* pointer = nullptr;
        return posix_memalign(&pointer, alignment, bytes) == 0 ? pointer : nullptr;
    }
    void deallocate(void* pointer) override { std::free(pointer); }
};

}  // namespace

Allocator* default_allocator() {
    static SystemAllocator allocator;
    return &allocator;
}

std::shared_ptr<void> allocate_shared_bytes(size_t bytes, Allocator* allocator) {
    if (allocator == nullptr) {
        allocator = default_allocator();
    }
    if (bytes > SIZE_MAX - kOverread - kAlignment) {
        return nullptr;
    }
    const size_t total = round_up(bytes + kOverread, kAlignment);
    void* pointer = allocator->allocate(total, kAlignment);
    if (pointer == nullptr) {
        return nullptr;
    }
    std::memset(static_cast<char*>(pointer) + bytes, 0, total - bytes);
    return std::shared_ptr<void>(pointer, [allocator](void* p) { allocator->deallocate(p); });
}

void populate_pages(void* memory, size_t bytes) {
#if defined(MADV_POPULATE_WRITE)
    constexpr size_t kLeastBytes = 32 * 1024;
    if (bytes < kLeastBytes) {
        return;
    }
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const uintptr_t begin = round_up(reinterpret_cast<uintptr_t>(memory), page);
    const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) / page * page;
    if (begin < end) {
        // Kernels before 5.14 refuse; the pages then come one by one.
        static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE));
    }
#else
    static_cast<void>(memory);
    static_cast<void>(bytes);
#endif
}

}  // namespace fw
