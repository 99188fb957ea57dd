// Aligned memory, the default Allocator, checked size arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "fw/mat.h"

namespace fw {

/// Alignment of every blob and packed weight: a cache line, and the widest vector register.
constexpr size_t kAlignment = 64;
/// Bytes that kernels may read (never write) past the end of any blob or packed weight; every allocation has them.
constexpr size_t kOverread = 64;

/// Process-wide allocator used where an Option names none.
Allocator* default_allocator();

/// Memory of `bytes` + kOverread, kAlignment-aligned, released through `allocator` (nullptr = the default one). An
/// empty pointer when there is no memory. The over-read tail is zeroed, so that reading it is defined; the rest is not.
std::shared_ptr<void> allocate_shared_bytes(size_t bytes, Allocator* allocator);

/// Has the system back `bytes` at `memory`, which are about to be written, in one go instead of a page fault for each 4
/// KiB. Only a hint: where the system cannot, nothing happens.
void populate_pages(void* memory, size_t bytes);

/// allocate_shared_bytes by the default allocator, and populate_pages.
std::shared_ptr<void> allocate_populated(size_t bytes);

/// Memory for what is written at once and kept together, as the packed weights of a network: pieces lie one after the
/// other in huge pages, where the system has them and a MiB or more comes together; large ones, from 4 MiB, have huge
/// pages of their own as far as they fill them. A piece outlives the pool.
class PagePool {
public:
    PagePool() = default;
    ~PagePool() { trim(); }
    PagePool(const PagePool&) = delete;
    PagePool& operator=(const PagePool&) = delete;

    /// About so many bytes are going to be asked for behind the next piece. With this the first pieces can be in huge
    /// pages and the last ones, if they are few, in small ones; where less comes, up to a huge page stays unused until
    /// allocate_last() or the end of the pool.
    void expect(size_t bytes) { expected_ = bytes; }
    /// As allocate_populated.
    std::shared_ptr<void> allocate(size_t bytes);
    /// The same for the last piece, which takes what is left of the last huge page and, where that is not enough, whole
    /// huge pages and small ones behind it; memory of its own where all that is not enough. Its pages go back to the
    /// system when it is released.
    std::shared_ptr<void> allocate_last(size_t bytes);

private:
    void trim();
    void avoid_waste(size_t want);

    std::shared_ptr<char> chunk_;
    size_t expected_ = 0;
    size_t size_ = 0;
    size_t used_ = 0;   ///< of the chunk
    size_t total_ = 0;  ///< of all pieces
};

/// a * b, false on overflow.
inline bool checked_mul(uint64_t a, uint64_t b, uint64_t* out) {
    return !__builtin_mul_overflow(a, b, out);
}
inline size_t round_up(size_t n, size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

}  // namespace fw
