// Weight: one blob of a .bin file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"

namespace fw {

/// How a blob is stored in the file (docs/param-format.md). The reader expands a codebook blob to
/// float32 that remembers its origin. kScaledInt8 is an int8 blob that knows its scales; files have them apart.
enum class WeightStorage : uint8_t { kFloat32, kFloat16, kInt8, kScaledInt8 };

/// One weight blob: a view of the mapped file or of memory it owns. Unaligned data is allowed; use the accessors.
class Weight {
public:
    Weight() = default;
    /// Owning, from values made in this process (importers, passes).
    static Weight from_floats(std::vector<float> values);
    /// The same, remembered as the expansion of a codebook: at most 256 different values, and written as one again.
    static Weight from_codebook(std::vector<float> values);
    static Weight from_int8(std::vector<int8_t> values);
    /// A view of `count` stored elements; `keep_alive` holds the memory, which is a `mapped` file or not.
    static Weight view(WeightStorage storage, const void* data, int64_t count, std::shared_ptr<const void> keep_alive,
                       bool mapped = false);

    /// An int8 blob of scales.size() rows as the real weights that it stands for: q / scale, 0 where the scale is 0.
    Weight with_scales(std::vector<float> scales) const;

    WeightStorage storage() const { return storage_; }
    /// Of kScaledInt8, one a row; else empty.
    Span<const float> scales() const;
    /// True if no value can be inf or nan, seen from the scales alone.
    bool known_finite() const;
    bool is_codebook() const { return codebook_; }
    int64_t count() const { return count_; }
    const void* data() const { return data_; }
    size_t bytes() const;
    /// Values as float32 (float16 is widened; int8 is returned as whole numbers).
    std::vector<float> to_floats() const;
    /// The bytes of an int8 blob, with or without scales; empty for another storage.
    std::vector<int8_t> to_int8() const;
    /// Float32 values without a copy where the data is aligned float32, else through `*storage`.
    Span<const float> floats(std::vector<float>* storage) const;
    /// Lets go of the memory that a mapped file's pages take, until they are read again.
    void release_pages() const;

private:
    friend class PageRelease;
    WeightStorage storage_ = WeightStorage::kFloat32;
    bool codebook_ = false;
    bool mapped_ = false;
    int64_t count_ = 0;
    const void* data_ = nullptr;
    std::shared_ptr<const void> owner_;
    std::shared_ptr<const std::vector<float>> scales_;
};

/// Weight::release_pages for weights in the order of their file: small ones go together, and with the few bytes that
/// lie between.
class PageRelease {
public:
    PageRelease() = default;
    ~PageRelease() { release(); }
    PageRelease(const PageRelease&) = delete;
    PageRelease& operator=(const PageRelease&) = delete;

    void add(const Weight& weight);

private:
    void release();

    std::shared_ptr<const void> owner_;
    const char* begin_ = nullptr;
    const char* end_ = nullptr;
};

}  // namespace fw
