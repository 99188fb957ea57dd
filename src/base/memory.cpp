#include "base/memory.h"

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

}  // namespace fw
