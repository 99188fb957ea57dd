#include "model/weight.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/half.h"

namespace fw {

namespace {

constexpr size_t kLeastRelease = 64 * 1024;  // less is not worth the calls

// Pages that are shared with neighbours go too: they are as well on the disk.
void release_range(const char* begin, size_t bytes) {
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const uintptr_t first = reinterpret_cast<uintptr_t>(begin) / page * page;
    ::madvise(reinterpret_cast<void*>(first), reinterpret_cast<uintptr_t>(begin) + bytes - first, MADV_DONTNEED);
}

}  // namespace

Weight Weight::from_floats(std::vector<float> values) {
    auto owner = std::make_shared<std::vector<float>>(std::move(values));
    const auto count = static_cast<int64_t>(owner->size());
    const void* data = owner->data();
    return view(WeightStorage::kFloat32, data, count, std::move(owner));
}

Weight Weight::from_codebook(std::vector<float> values) {
    Weight weight = from_floats(std::move(values));
    weight.codebook_ = true;
    return weight;
}

Weight Weight::from_int8(std::vector<int8_t> values) {
    auto owner = std::make_shared<std::vector<int8_t>>(std::move(values));
    const auto count = static_cast<int64_t>(owner->size());
    const void* data = owner->data();
    return view(WeightStorage::kInt8, data, count, std::move(owner));
}

Weight Weight::view(WeightStorage storage, const void* data, int64_t count, std::shared_ptr<const void> keep_alive,
                    bool mapped) {
    Weight weight;
    weight.storage_ = storage;
    weight.count_ = count;
    weight.data_ = data;
    weight.mapped_ = mapped;
    weight.owner_ = std::move(keep_alive);
    return weight;
}

Weight Weight::with_scales(std::vector<float> scales) const {
    Weight weight = *this;
    weight.storage_ = WeightStorage::kScaledInt8;
    weight.scales_ = std::make_shared<const std::vector<float>>(std::move(scales));
    return weight;
}

Span<const float> Weight::scales() const {
    return scales_ != nullptr ? Span<const float>(*scales_) : Span<const float>();
}

bool Weight::known_finite() const {
    constexpr float kLargest = 128.0F;
    return scales_ != nullptr && std::all_of(scales_->begin(), scales_->end(), [](float scale) {
               return scale == 0.0F || std::isfinite(kLargest / scale);
           });
}

size_t Weight::bytes() const {
    const size_t size = storage_ == WeightStorage::kFloat32 ? 4 : storage_ == WeightStorage::kFloat16 ? 2 : 1;
    return static_cast<size_t>(count_) * size;
}

std::vector<float> Weight::to_floats() const {
    std::vector<float> out(static_cast<size_t>(count_));
    if (count_ == 0) {
        return out;
    }
    switch (storage_) {
        case WeightStorage::kFloat32: std::memcpy(out.data(), data_, bytes()); break;
        case WeightStorage::kFloat16: {
            const auto* from = static_cast<const uint8_t*>(data_);
            for (size_t i = 0; i < out.size(); ++i) {
                uint16_t half;
                std::memcpy(&half, from + 2 * i, sizeof half);
                out[i] = half_to_float(half);
            }
            break;
        }
        case WeightStorage::kInt8: std::copy_n(static_cast<const int8_t*>(data_), out.size(), out.begin()); break;
        case WeightStorage::kScaledInt8: {
            const auto* from = static_cast<const int8_t*>(data_);
            const size_t row = out.size() / scales_->size();
            auto to = out.begin();
            for (const double scale : *scales_) {
                to = std::transform(from, from + row, to,
                                    [&](int8_t q) { return scale == 0.0 ? 0.0F : static_cast<float>(q / scale); });
                from += row;
            }
            break;
        }
    }
    return out;
}

std::vector<int8_t> Weight::to_int8() const {
    if ((storage_ != WeightStorage::kInt8 && storage_ != WeightStorage::kScaledInt8) || count_ == 0) {
        return {};
    }
    const auto* from = static_cast<const int8_t*>(data_);
    return std::vector<int8_t>(from, from + count_);
}

Span<const float> Weight::floats(std::vector<float>* storage) const {
    const bool aligned = reinterpret_cast<uintptr_t>(data_) % alignof(float) == 0;
    if (storage_ == WeightStorage::kFloat32 && aligned) {
        return {static_cast<const float*>(data_), static_cast<size_t>(count_)};
    }
    *storage = to_floats();
    return *storage;
}

void Weight::release_pages() const {
    if (mapped_ && bytes() >= kLeastRelease) {
        release_range(static_cast<const char*>(data_), bytes());
    }
}

void PageRelease::add(const Weight& weight) {
    if (!weight.mapped_ || weight.owner_ == nullptr) {
        return;
    }
    constexpr ptrdiff_t kGap = 4096;  // more may be weights that are yet to be read
    const char* begin = static_cast<const char*>(weight.data_);
    if (owner_ != weight.owner_ || begin < end_ || begin - end_ > kGap) {
        release();
        owner_ = weight.owner_;
        begin_ = begin;
    }
    end_ = begin + weight.bytes();
    if (static_cast<size_t>(end_ - begin_) >= kLeastRelease) {
        release();
        begin_ = end_;
    }
}

void PageRelease::release() {
    if (begin_ != end_) {
        release_range(begin_, static_cast<size_t>(end_ - begin_));
    }
}

}  // namespace fw
