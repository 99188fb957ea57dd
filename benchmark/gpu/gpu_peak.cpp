// gpu_peak [DEVICE]: what a Vulkan device can do, as JSON - at most: multiply-adds a second in float32, float16,
// 8-bit dot products and cooperative matrices, bytes read a second - for the roofline of benchmark/gpu.sh.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "benchmark/gpu/shader_code.h"  // generated
#include "layer/vulkan/matrix_tiles.h"
#include "vulkan/commands.h"
#include "vulkan/device.h"

namespace fw::vulkan {
namespace {

constexpr uint32_t kGroups = 8192;  // of 64: more than any device runs at once
constexpr int kChains = 16;         // of peak.comp
constexpr double kRoundMs = 10.0;
constexpr int kRounds = 5;
constexpr uint64_t kMostReadBytes = uint64_t{512} << 20;

#define FW_SHADER(name, file, macros) const Shader name = {#name, kCode_##name, sizeof(kCode_##name)};
#include "benchmark/gpu/shaders.inc"
#undef FW_SHADER

class Peak {
public:
    Status open(int index) {
        FW_ASSIGN_OR_RETURN(device_, Device::open(index));
        read_bytes_ = std::min<uint64_t>(kMostReadBytes, device_->limits().maxStorageBufferRange / 16 * 16);
        FW_ASSIGN_OR_RETURN(in_, device_->create_buffer(read_bytes_, Device::Place::kDevice));
        FW_ASSIGN_OR_RETURN(out_,
                            device_->create_buffer(uint64_t{kGroups} * 64 * sizeof(float), Device::Place::kDevice));
        // Factors near 1, so that nothing overflows or becomes denormal; the same bits are any four bytes.
        FW_ASSIGN_OR_RETURN(Buffer staging, device_->create_buffer(sizeof(float) * 4, Device::Place::kHost));
        const float values[4] = {0.999F, 0.5F, 1.0F, 1.0F};
        std::memcpy(staging.host(), values, sizeof(values));
        FW_ASSIGN_OR_RETURN(Commands commands, Commands::create(device_, 0, 0));
        commands.copy(staging.handle(), 0, in_.handle(), 0, sizeof(values));
        FW_RETURN_IF_ERROR(commands.finish());
        return commands.run();
    }
    const Device& device() const { return *device_; }

    /// 10^9 multiply-adds a second, `macs` a step of a chain.
    Result<double> giga_macs(const Shader& shader, double macs) {
        return giga_macs([&] { return device_->pipeline(shader, {}); }, macs);
    }
    /// ... of cooperative matrices, in the shape that convolutions take.
    Result<double> giga_macs(const Shader& shader, Span<const MatrixShape> shapes) {
        const uint32_t size = device_->features().matrices.subgroup_size;
        const std::optional<MatrixTiles> tiles = matrix_tiles(shapes, size, device_->limits(), 4096, 4096, 1);
        if (!tiles || 64 % size != 0) {
            return Status::error(Code::kUnsupported, "no cooperative matrices for 64 invocations");
        }
        const MatrixShape& s = tiles->shape;
        const uint32_t shared_bytes = (64 / size) * s.m * s.n * 4 + 32 * 32 * 4;
        if (shared_bytes > device_->limits().maxComputeSharedMemorySize) {
            return Status::error(Code::kUnsupported, "%u bytes of shared memory are more than the device has",
                                 shared_bytes);
        }
        const std::vector<uint32_t> constants = {0, 0, 0, 0, 64 / size, 0, 0, s.m, s.n, s.k, s.m, s.n, s.k};
        return giga_macs([&] { return device_->pipeline(shader, constants, size); },
                         static_cast<double>(s.m) * s.n * s.k / size);
    }
    /// 10^9 bytes a second.
    Result<double> giga_bytes() {
        FW_ASSIGN_OR_RETURN(const VkPipeline pipeline, device_->pipeline(peak_read, {}));
        FW_ASSIGN_OR_RETURN(const double ms, least_ms(pipeline, 1));
        return static_cast<double>(read_bytes_) / ms * 1e-6;
    }

private:
    template <class MakePipeline>
    Result<double> giga_macs(MakePipeline&& make_pipeline, double macs) {
        FW_ASSIGN_OR_RETURN(const VkPipeline pipeline, make_pipeline());
        for (int rounds = 16;; rounds *= 2) {
            FW_ASSIGN_OR_RETURN(const double ms, least_ms(pipeline, rounds));
            if (ms >= kRoundMs || rounds > 1 << 24) {
                return static_cast<double>(kGroups) * 64 * kChains * rounds * macs / ms * 1e-6;
            }
        }
    }
    // By the device's clock where it has one.
    Result<double> least_ms(VkPipeline pipeline, int rounds) {
        FW_ASSIGN_OR_RETURN(Commands commands, Commands::create(device_, 1, 2));
        const BufferRange in = {in_.handle(), 0, in_.bytes()};
        const BufferRange bindings[kBindings] = {in, in, {out_.handle(), 0, out_.bytes()}, in};
        const uint32_t push[] = {static_cast<uint32_t>(rounds), static_cast<uint32_t>(read_bytes_ / 16)};
        commands.timestamp();
        FW_RETURN_IF_ERROR(commands.dispatch(pipeline, bindings, push, {kGroups, 1, 1}));
        commands.timestamp();
        FW_RETURN_IF_ERROR(commands.finish());
        double least = std::numeric_limits<double>::infinity();
        for (int round = 0; round < kRounds; ++round) {
            const auto begin = std::chrono::steady_clock::now();
            FW_RETURN_IF_ERROR(commands.run());
            const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
            FW_ASSIGN_OR_RETURN(const std::vector<double> times, commands.times());
            least = std::min(least, times.empty() ? spent.count() : times[0]);
        }
        return least;
    }

    std::shared_ptr<Device> device_;
    uint64_t read_bytes_ = 0;
    Buffer in_, out_;
};

// What cannot be measured is left out.
void print_matrices(const char* type, const Result<double>& rate) {
    if (rate.ok()) {
        std::printf(" \"%s_matrix_gmacs\": %.4g,\n", type, *rate);
    } else {
        std::fprintf(stderr, "cooperative matrices of %s: %s\n", type, rate.status().message());
    }
}

Status measure(int index) {
    Peak peak;
    FW_RETURN_IF_ERROR(peak.open(index));
    const DeviceDescription& description = peak.device().description();
    FW_ASSIGN_OR_RETURN(const double in_float, peak.giga_macs(peak_float, 1));
    std::printf("{\n \"name\": \"%s\",\n \"type\": \"%s\",\n", description.name.c_str(), description.type);
    std::printf(" \"float16_storage\": %s,\n", description.features.float16_storage ? "true" : "false");
    std::printf(" \"float_gmacs\": %.4g,\n", in_float);
    if (description.features.float16) {
        FW_ASSIGN_OR_RETURN(const double in_fp16, peak.giga_macs(peak_fp16, 2));
        std::printf(" \"fp16_gmacs\": %.4g,\n", in_fp16);
    }
    if (description.features.integer_dot) {
        FW_ASSIGN_OR_RETURN(const double in_int8, peak.giga_macs(peak_int8, 4));
        std::printf(" \"int8_gmacs\": %.4g,\n", in_int8);
    }
    const MatrixShapes& matrices = description.features.matrices;
    if (!matrices.int8.empty()) {
        print_matrices("int8", peak.giga_macs(peak_int8_matrix, matrices.int8));
    }
    if (!matrices.float16.empty()) {
        print_matrices("fp16", peak.giga_macs(peak_fp16_matrix, matrices.float16));
    }
    FW_ASSIGN_OR_RETURN(const double read, peak.giga_bytes());
    std::printf(" \"read_gb_per_s\": %.4g\n}\n", read);
    return {};
}

// "vulkan" or "vulkan:N".
int index_of(const char* device) {
    const char* colon = std::strchr(device, ':');
    return colon == nullptr ? Device::kAny : std::atoi(colon + 1);
}

}  // namespace
}  // namespace fw::vulkan

int main(int argc, char** argv) {
    const fw::Status status = fw::vulkan::measure(fw::vulkan::index_of(argc > 1 ? argv[1] : "vulkan"));
    if (!status.ok()) {
        std::fprintf(stderr, "error: %s\n", status.message());
    }
    return status.ok() ? 0 : 1;
}
