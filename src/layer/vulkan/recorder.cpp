#include "layer/vulkan/recorder.h"

#include <algorithm>
#include <cstring>

#include "base/memory.h"
#include "vulkan/commands.h"

namespace fw::vulkan {

namespace {

// Blocks of constants grow with what there is already, so that small networks, and plans, take little.
constexpr uint64_t kLeastBlockBytes = uint64_t{256} << 10;
constexpr uint64_t kMostBlockBytes = uint64_t{16} << 20;
constexpr uint64_t kMostGroups = 65535;  // of a dimension: what every device has

}  // namespace

uint32_t word(float x) {
    uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits;
}

std::vector<uint32_t> packed_bytes(Span<const int8_t> bytes) {
    std::vector<uint32_t> words((bytes.size() + 3) / 4, 0);
    for (size_t i = 0; i < bytes.size(); ++i) {
        words[i / 4] |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (8 * (i % 4));
    }
    return words;
}

std::array<uint32_t, 3> linear_groups(int64_t count, int64_t size) {
    const auto groups = static_cast<uint64_t>((count + size - 1) / size);
    const uint64_t rows = std::max<uint64_t>((groups + kMostGroups - 1) / kMostGroups, 1);
    return {static_cast<uint32_t>((groups + rows - 1) / rows), static_cast<uint32_t>(rows), 1};
}

bool is_aligned(const Tensor& t, int32_t element, int channels) {
    bool aligned = t.dtype == DType::kInt8 && channels % 4 == 0 && element % 4 == 0;
    for (int axis = t.rank() >= 3 ? 1 : 0; axis < t.rank() && aligned && t.rank() >= 2; ++axis) {
        aligned = t.shape[axis] == 1 || t.stride[axis] % 4 == 0;
    }
    return aligned;
}

Status Constants::check(uint64_t words) const {
    const VkPhysicalDeviceLimits& limits = device_->limits();
    const uint64_t bytes = words * sizeof(uint32_t);
    if (bytes > limits.maxStorageBufferRange) {
        return Status::error(Code::kUnsupported, "%llu bytes of weights, shaders of this device see at most %u",
                             static_cast<unsigned long long>(bytes), limits.maxStorageBufferRange);
    }
    return {};
}

Result<BufferRange> Constants::add(Span<const uint32_t> words) {
    const VkPhysicalDeviceLimits& limits = device_->limits();
    const uint64_t bytes = words.size() * sizeof(uint32_t);
    FW_RETURN_IF_ERROR(check(words.size()));
    const uint64_t alignment = std::max<uint64_t>(limits.minStorageBufferOffsetAlignment, sizeof(uint32_t));
    uint64_t offset = (used_ + alignment - 1) / alignment * alignment;
    if (blocks_.empty() || offset + bytes > blocks_.back().bytes()) {
        const uint64_t block_bytes = std::max(bytes, std::clamp(bytes_, kLeastBlockBytes, kMostBlockBytes));
        FW_ASSIGN_OR_RETURN(Buffer block, device_->create_buffer(block_bytes, Device::Place::kDevice));
        blocks_.push_back(std::move(block));
        offset = 0;
    }
    FW_RETURN_IF_ERROR(upload(words, blocks_.back(), offset));
    used_ = offset + bytes;
    bytes_ += bytes;
    return BufferRange{blocks_.back().handle(), offset, bytes};
}

Status Constants::upload(Span<const uint32_t> words, const Buffer& to, uint64_t offset) {
    const uint64_t bytes = words.size() * sizeof(uint32_t);
    if (to.host() != nullptr) {
        std::memcpy(static_cast<char*>(to.host()) + offset, words.data(), bytes);
        return {};
    }
    FW_ASSIGN_OR_RETURN(Buffer staging, device_->create_buffer(bytes, Device::Place::kHost));
    std::memcpy(staging.host(), words.data(), bytes);
    FW_ASSIGN_OR_RETURN(Commands commands, Commands::create(device_, 0, 0));
    commands.copy(staging.handle(), 0, to.handle(), offset, bytes);
    FW_RETURN_IF_ERROR(commands.finish());
    return commands.run();
}

Status Recorder::check_type(DType type) const {
    if (type == DType::kInt8 && !device_.features().int8) {
        return Status::error(Code::kUnsupported, "the device has no 8-bit integers in storage buffers");
    }
    if (type == DType::kInt8 && half_) {
        return Status::error(Code::kUnsupported, "has no shader for int8 beside float16");
    }
    if (type != DType::kInt8 && type != DType::kFloat32) {
        return Status::error(Code::kUnsupported, "has no shader for %s", name(type));
    }
    return {};
}

Result<Recorder::Place> Recorder::place(const void* address, int64_t span, DType type) const {
    const VkPhysicalDeviceLimits& limits = device_.limits();
    const uint64_t shrink = half_ ? 2 : 1;
    const uint64_t size = static_cast<uint64_t>(element_size(type)) / shrink;
    const uint64_t at = (reinterpret_cast<uintptr_t>(address) - kArenaAddress) / shrink;
    const uint64_t alignment = std::max<uint64_t>(limits.minStorageBufferOffsetAlignment, sizeof(uint32_t));
    Place place;
    place.offset = at / alignment * alignment;
    place.element = static_cast<int32_t>((at - place.offset) / size);
    const uint64_t bytes = at - place.offset + static_cast<uint64_t>(span + 1) * size;
    const uint64_t most = std::min<uint64_t>(limits.maxStorageBufferRange, INT32_MAX);  // shaders count in 32 bits
    if (bytes > most) {
        return Status::error(Code::kUnsupported, "a blob of %llu bytes, shaders of this device see at most %llu",
                             static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(most));
    }
    return place;
}

Result<Recorder::Place> Recorder::place(const Tensor& tensor) const {
    FW_RETURN_IF_ERROR(check_type(tensor.dtype));
    int64_t span = 0;
    for (int axis = 0; axis < tensor.rank(); ++axis) {
        span += tensor.stride[axis] * (tensor.shape[axis] - 1);
    }
    return place(tensor.data, span, tensor.dtype);
}

uint64_t Recorder::scratch(uint64_t bytes) const {
    const uint64_t alignment = std::max<uint64_t>(device_.limits().minStorageBufferOffsetAlignment, sizeof(uint32_t));
    return (scratch_offset_ + bytes + alignment - 1) / alignment * alignment;
}

Status Recorder::record(int step, const Operation& operation, Span<const Tensor> in, Span<const Tensor> out,
                        std::vector<Dispatch>* dispatches) {
    step_ = step;
    part_ = 0;
    if (const auto* attention_op = std::get_if<AttentionOperation>(&operation)) {
        return attention(*attention_op, in, out[0], dispatches);
    }
    if (const auto* gemm_op = std::get_if<GemmOperation>(&operation)) {
        return gemm(*gemm_op, dispatches);
    }
    if (const auto* copies = std::get_if<CopyOperation>(&operation)) {
        for (const CopyOperation::Part& part : copies->parts) {
            Dispatch dispatch;
            FW_RETURN_IF_ERROR(copy(part, out[0].dtype, &dispatch));
            dispatches->push_back(std::move(dispatch));
        }
        return {};
    }
    const auto* conv_op = std::get_if<ConvOperation>(&operation);
    if (conv_op != nullptr) {
        FW_RETURN_IF_ERROR(check_conv(*conv_op, out[0]));
        if (takes_winograd(*conv_op, in[0], out[0])) {
            return winograd(*conv_op, in[0], out[0], dispatches);
        }
    }
    Dispatch dispatch;
    Status status = Status::error(Code::kUnsupported, "has no shader");
    if (conv_op != nullptr) {
        status = conv(*conv_op, in[0], out[0], &dispatch);
    } else if (const auto* pool_op = std::get_if<PoolOperation>(&operation)) {
        status = pool(*pool_op, in[0], out[0], &dispatch);
    } else if (const auto* map_op = std::get_if<MapOperation>(&operation)) {
        status = map(*map_op, in[0], out[0], &dispatch);
    } else if (const auto* combine_op = std::get_if<CombineOperation>(&operation)) {
        status = combine(*combine_op, out[0], &dispatch);
    } else if (const auto* affine_op = std::get_if<AffineOperation>(&operation)) {
        status = affine(*affine_op, in[0], out[0], &dispatch);
    } else if (const auto* constant_op = std::get_if<ConstantOperation>(&operation)) {
        status = constant(*constant_op, out[0], &dispatch);
    } else if (const auto* lrn_op = std::get_if<LrnOperation>(&operation)) {
        status = lrn(*lrn_op, in[0], out[0], &dispatch);
    } else if (const auto* norm_op = std::get_if<NormOperation>(&operation)) {
        status = norm(*norm_op, in[0], out[0], &dispatch);
    } else if (const auto* reduce_op = std::get_if<ReduceOperation>(&operation)) {
        status = reduce(*reduce_op, in[0], out[0], &dispatch);
    } else if (const auto* argmax_op = std::get_if<ArgMaxOperation>(&operation)) {
        status = argmax(*argmax_op, in[0], out[0], &dispatch);
    } else if (const auto* embed_op = std::get_if<EmbedOperation>(&operation)) {
        status = embed(*embed_op, in[0], out[0], &dispatch);
    } else if (const auto* product_op = std::get_if<ProductOperation>(&operation)) {
        status = product(*product_op, &dispatch);
    } else if (const auto* gather_op = std::get_if<GatherOperation>(&operation)) {
        status = gather(*gather_op, &dispatch);
    } else if (const auto* resize_op = std::get_if<ResizeOperation>(&operation)) {
        status = resize(*resize_op, &dispatch);
    } else if (const auto* softmax_op = std::get_if<SoftmaxOperation>(&operation)) {
        status = softmax(*softmax_op, in[0], out[0], &dispatch);
    }
    FW_RETURN_IF_ERROR(status);
    dispatches->push_back(std::move(dispatch));
    return {};
}

}  // namespace fw::vulkan
