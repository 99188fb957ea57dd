// Recorder: turns operations (layer/operation.h) into dispatches of shaders.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "fw/span.h"
#include "layer/operation.h"
#include "layer/vulkan/matrix_tiles.h"
#include "vulkan/device.h"

namespace fw::vulkan {

/// Constants on the device; they stay where they are until the object goes.
class Constants {
public:
    explicit Constants(std::shared_ptr<Device> device) : device_(std::move(device)) {}

    /// kUnsupported where a shader could not see so many words.
    Status check(uint64_t words) const;
    /// Copies words to the device. Fails with kUnsupported where a shader could not see them all.
    Result<BufferRange> add(Span<const uint32_t> words);
    /// The same, once for each `key`: `make` is called for the first.
    template <class Make>
    Result<BufferRange> add_once(const std::vector<int>& key, Make&& make) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = known_.find(key);
        if (found != known_.end()) {
            return found->second;
        }
        const std::vector<uint32_t> words = make();
        FW_ASSIGN_OR_RETURN(const BufferRange range, add(words));
        known_.emplace(key, range);
        return range;
    }
    uint64_t bytes() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return bytes_;
    }

private:
    Status upload(Span<const uint32_t> words, const Buffer& to, uint64_t offset);

    std::shared_ptr<Device> device_;
    mutable std::mutex mutex_;
    std::map<std::vector<int>, BufferRange> known_;
    std::vector<Buffer> blocks_;
    uint64_t used_ = 0;  ///< of the last block
    uint64_t bytes_ = 0;
};

/// One run of a shader. Bindings 0 to 2 are parts of the arena, which is not known yet; 3 are constants.
struct Dispatch {
    const Shader* shader = nullptr;
    std::vector<uint32_t> specialization;
    uint32_t subgroup_size = 0;  ///< that the shader needs; 0 = any
    std::vector<uint32_t> push;  ///< at most kPushBytes
    std::array<uint64_t, 3> arena_offset = {};
    BufferRange constants;
    std::array<uint32_t, 3> groups = {1, 1, 1};
};

/// Address of the arena's first byte in the Tensors that a Recorder gets: nothing lies there.
constexpr uintptr_t kArenaAddress = uintptr_t{1} << 20;

class Recorder {
public:
    /// How floats are kept on the device; arithmetic is float32. With kHalf the arena there is half as large: what has
    /// the address kArenaAddress + 2n in float32 is at n, and int8 has no shader.
    /// kHalfArithmetic: as kHalf, but convolutions multiply in float16.
    enum class Storage : uint8_t { kFloat, kHalf, kHalfArithmetic };

    /// `weights` outlives plans, `constants` belongs to one.
    /// Shaders' scratch memory begins `scratch_offset` bytes after the arena's start.
    Recorder(const Device& device, Storage storage, uint64_t scratch_offset, Constants* weights, Constants* constants)
        : device_(device),
          half_(storage != Storage::kFloat),
          half_arithmetic_(storage == Storage::kHalfArithmetic),
          scratch_offset_(scratch_offset),
          weights_(weights),
          constants_(constants) {}

    /// Appends the dispatches of an operation of the step `step`. kUnsupported, with the reason, where this device or
    /// these shaders cannot do it.
    Status record(int step, const Operation& operation, Span<const Tensor> in, Span<const Tensor> out,
                  std::vector<Dispatch>* dispatches);
    /// Scratch memory that the recorded dispatches need, with what aligns it; one operation uses it after another.
    uint64_t scratch_bytes() const { return scratch_bytes_; }

private:
    /// Where a shader finds an address: the start of a binding and the element in it.
    struct Place {
        uint64_t offset = 0;
        int32_t element = 0;
    };
    /// Fails where the elements between the first and the last (`span` further on) do not fit a binding.
    Result<Place> place(const void* address, int64_t span, DType type) const;
    Result<Place> place(const Tensor& tensor) const;
    Status check_type(DType type) const;
    const Shader* of_floats(const Shader& in_float32, const Shader& in_float16) const {
        return half_ ? &in_float16 : &in_float32;
    }

    Status check_conv(const ConvOperation& op, const Tensor& out) const;
    /// Where its products are made by cooperative matrices.
    std::optional<MatrixTiles> conv_tiles(const ConvOperation& op, bool int8) const;
    Status conv(const ConvOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    bool takes_winograd(const ConvOperation& op, const Tensor& in, const Tensor& out) const;
    Status winograd(const ConvOperation& op, const Tensor& in, const Tensor& out, std::vector<Dispatch>* dispatches);
    /// The offset in the arena of what begins at least `bytes` after the start of the scratch memory.
    uint64_t scratch(uint64_t bytes) const;
    Status pool(const PoolOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status copy(const CopyOperation::Part& part, DType type, Dispatch* dispatch);
    Status map(const MapOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status combine(const CombineOperation& op, const Tensor& out, Dispatch* dispatch);
    Status affine(const AffineOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status constant(const ConstantOperation& op, const Tensor& out, Dispatch* dispatch);
    Status lrn(const LrnOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status gather(const GatherOperation& op, Dispatch* dispatch);
    Status resize(const ResizeOperation& op, Dispatch* dispatch);
    Status reduce(const ReduceOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status argmax(const ArgMaxOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status embed(const EmbedOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status norm(const NormOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);
    Status product(const ProductOperation& op, Dispatch* dispatch);
    Status gemm(const GemmOperation& op, std::vector<Dispatch>* dispatches);
    /// A dense blob of floats in the scratch memory, of which `used` bytes are taken.
    Tensor scratch_tensor(const Shape& shape, uint64_t* used);
    Status attention(const AttentionOperation& op, Span<const Tensor> in, const Tensor& out,
                     std::vector<Dispatch>* dispatches);
    Status softmax(const SoftmaxOperation& op, const Tensor& in, const Tensor& out, Dispatch* dispatch);

    struct Loops;  // of elements.comp
    Status elements(const Loops& loops, const std::vector<uint32_t>& parameters, Dispatch* dispatch);

    /// Loops, push constants and groups of parts.glsl; `given` is a number for the shader, `specialization` its own.
    Status parts(const LoopNest& nest, const LoopNest& inner, const Tensor& in, const Tensor& out,
                 const std::vector<uint32_t>& specialization, size_t given, Dispatch* dispatch);

    const Device& device_;
    bool half_;
    bool half_arithmetic_;
    uint64_t scratch_offset_;
    uint64_t scratch_bytes_ = 0;
    Constants* weights_;
    Constants* constants_;
    int step_ = 0;
    int part_ = 0;  ///< of the step: which of its weights
};

/// Bits of push constants and parameters.
uint32_t word(float x);
inline uint32_t word(int x) {
    return static_cast<uint32_t>(x);
}
/// Bytes in words, four a word, the rest of the last one 0.
std::vector<uint32_t> packed_bytes(Span<const int8_t> bytes);
/// Groups of a dispatch of `count` invocations, `size` a group, spread over two dimensions where there are many.
std::array<uint32_t, 3> linear_groups(int64_t count, int64_t size = 64);
/// Reads of whole words are possible: every pixel of four or more int8 channels begins on one.
bool is_aligned(const Tensor& t, int32_t element, int channels);

}  // namespace fw::vulkan
