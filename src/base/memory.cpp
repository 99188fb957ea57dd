#include "base/memory.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <algorithm>
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

// AddressSanitizer sees what is read and written around a piece only where that is an allocation of its own.
#if defined(__SANITIZE_ADDRESS__)
#define FW_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FW_ADDRESS_SANITIZER
#endif
#endif
#if defined(__linux__) && defined(MADV_HUGEPAGE) && UINTPTR_MAX > UINT32_MAX && !defined(FW_MINSIZE) && \
    !defined(FW_ADDRESS_SANITIZER)
#define FW_HUGE_PAGES

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kChunk = size_t{16} << 20;  // address space: only what is written takes memory

// Huge pages as far as they are used as a whole; what lies behind them is left to the system.
std::shared_ptr<char> map_huge_pages(size_t bytes) {
    const size_t mapped = bytes + kHugePage;
    void* memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return nullptr;
    }
    auto* begin = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(memory), kHugePage));
    static_cast<void>(::madvise(begin, bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
    return {begin, [memory, mapped](char* /*begin*/) { ::munmap(memory, mapped); }};
}

#else

constexpr size_t kChunk = 0;  // none

std::shared_ptr<char> map_huge_pages(size_t /*bytes*/) {
    return nullptr;
}

#endif

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

std::shared_ptr<void> allocate_populated(size_t bytes) {
    std::shared_ptr<void> memory = allocate_shared_bytes(bytes, nullptr);
    if (memory != nullptr) {
        populate_pages(memory.get(), bytes);
    }
    return memory;
}

std::shared_ptr<void> PagePool::allocate(size_t bytes) {
    constexpr size_t kMany = size_t{1} << 20;
    const size_t want = round_up(bytes + kOverread, kAlignment);
    total_ += want;
    if (total_ + expected_ < kMany || bytes > SIZE_MAX / 2) {
        return allocate_populated(bytes);
    }
    std::shared_ptr<void> piece;
    if (want > kChunk / 4) {
        piece = map_huge_pages(want);
    } else {
        if (want > size_ - used_) {
            trim();
            chunk_ = map_huge_pages(kChunk);
            size_ = chunk_ == nullptr ? 0 : kChunk;
            used_ = 0;
        }
        if (chunk_ != nullptr) {
            piece = std::shared_ptr<void>(chunk_, chunk_.get() + used_);
            avoid_waste(want);
            used_ += want;
        }
    }
    if (piece == nullptr) {
        return allocate_populated(bytes);
    }
    populate_pages(piece.get(), want);
    return piece;
}

std::shared_ptr<void> PagePool::allocate_last(size_t bytes) {
    std::shared_ptr<void> piece;
#if defined(FW_HUGE_PAGES)
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t begin = round_up(used_, page);
    const size_t size = round_up(std::min(bytes, size_) + kOverread, page);
    if (begin + size <= size_) {
        used_ = begin + size;
        const size_t small = std::max(round_up(begin, kHugePage), used_ / kHugePage * kHugePage);
        if (small < used_) {
            static_cast<void>(::madvise(chunk_.get() + small, used_ - small, MADV_NOHUGEPAGE));
        }
        piece = std::shared_ptr<void>(chunk_.get() + begin, [chunk = chunk_, size](void* memory) {
            static_cast<void>(::madvise(memory, size, MADV_DONTNEED));
        });
    }
#endif
    trim();
    chunk_.reset();
    size_ = 0;
    used_ = 0;
    if (piece == nullptr) {
        return allocate_populated(bytes);
    }
    populate_pages(piece.get(), bytes);
    return piece;
}

// Small pages for the last ones if the next piece begins another huge page, but less than half of it is to come.
void PagePool::avoid_waste(size_t want) {
#if defined(FW_HUGE_PAGES)
    const size_t last = (used_ + want - 1) / kHugePage * kHugePage;
    if (last >= used_ && used_ + want - last + expected_ < kHugePage / 2) {
        static_cast<void>(::madvise(chunk_.get() + last, kHugePage, MADV_NOHUGEPAGE));
    }
#else
    static_cast<void>(want);
#endif
}

// Gives back what is left of the last huge page.
void PagePool::trim() {
#if defined(FW_HUGE_PAGES)
    if (chunk_ != nullptr) {
        const size_t begin = round_up(used_, static_cast<size_t>(::sysconf(_SC_PAGESIZE)));
        const size_t end = std::min(round_up(used_, kHugePage), size_);
        if (begin < end) {
            ::madvise(chunk_.get() + begin, end - begin, MADV_DONTNEED);
        }
    }
#endif
}

}  // namespace fw
