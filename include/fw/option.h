// Option: what an application may choose before it loads a model. Log sink.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fw/export.h"
#include "fw/mat.h"

namespace fw {

enum class Precision : uint8_t {
    kAuto,   ///< int8 where the table allows it and it pays on this processor, float elsewhere (docs/runtime.md)
    kFloat,  ///< float32 everywhere, a table is ignored
    kInt8,   ///< int8 wherever the table allows it
    kFp16,   ///< float32 arithmetic, weights of matrix products kept in float16 wherever their values allow it; a table
            ///< is ignored. Half the memory; a relative error of up to 2^-11 a weight, none where the file has float16.
            ///< On a Vulkan device blobs are float16 too (docs/vulkan.md)
};

/// Where cores differ in speed (big.LITTLE); elsewhere, and on systems other than Linux and Android, all are meant.
enum class Cores : uint8_t {
    kAll,
    kBig,     ///< all but the slowest kind
    kLittle,  ///< the slowest kind
};

struct FW_EXPORT Option {
    /// Threads of one inference, up to 1024; 0 = one for each of `cores`.
    int threads = 1;
    /// Cores that the threads run on, the calling one included while an inference lasts.
    Cores cores = Cores::kAll;
    Precision precision = Precision::kAuto;
    /// kAuto: float16 weights (see kFp16) are a third choice for each layer that runs in float, taken where it is
    /// faster. On a Vulkan device: a network without a table is as with kFp16, where the device can (docs/vulkan.md).
    bool fp16 = false;
    /// Layers with float16 weights multiply in float16 too and convert their input for it, on processors that have the
    /// instructions (ARMv8.2's half floats, kernels named gemm_f16_*); on others they compute in float32 as without
    /// this. 3x3 layers for which Winograd's way with products in float16 is faster go that way, 1x1 ones Strassen's,
    /// with larger weights and error, unless `winograd` is off. Inputs must be within 39,900 or 32,752 there, elsewhere
    /// within float16's 65504, and all sums of products too, which Strassen's way takes over two pixels and both halves
    /// of the channels: beyond it, infinity or NaN. docs/runtime.md has the errors. On a Vulkan device it is for
    /// networks in float16 and needs float16 arithmetic of the device, without which loading fails with kFp16
    /// (docs/vulkan.md).
    bool fp16_arithmetic = false;
    /// Convolutions, deconvolutions and inner products that run in float round their operands to bfloat16 and add the
    /// products up in float32, on processors with the instructions (AVX-512's bfloat16, kernels named gemm_bf16_*); on
    /// others they compute in float32 as without this. Depthwise layers and those that go Winograd's way stay float32.
    /// An output's error is up to 2^-7 sum |x w|. Without effect on a device.
    bool bf16_arithmetic = false;
    /// 3x3 layers go Winograd's way where that is faster (docs/performance-x86.md), with `fp16_arithmetic` 1x1 ones
    /// Strassen's. Their weights then take 4 to 14 times (7/4 of) the memory, and longer to load; off: less of both. An
    /// int8 layer's results are the same bits; with Precision::kAuto other layers may be chosen for int8. Without
    /// effect on a device.
    bool winograd = true;
    /// Run the graph passes (folding, fusion). Off: every layer runs as written, for debugging.
    bool optimize = true;
    /// Names of single passes to leave out, as `fold_batchnorm` or `fuse_activation`.
    std::vector<std::string> disabled_passes;
    /// Each MultiHeadAttention runs as its parts: the projections NAME/query, NAME/key, NAME/value and NAME/out, layers
    /// of their own that can have scales, and NAME/context between them. A table that speaks of the parts does that by
    /// itself; this is for a float network of which such a table is made.
    bool split_attention = false;
    /// Use a table although it states another model than the one that is loaded (docs/table-format.md).
    bool ignore_table_model = false;
    /// Memory of blobs; nullptr = the library's own. Must outlive every Net, Extractor and Mat made with it.
    Allocator* allocator = nullptr;
    /// Upper bound, in bytes, on the activation memory of one Extractor; a larger plan fails with kOutOfMemory.
    uint64_t max_activation_bytes = uint64_t{4} << 30;
    /// Where layers run: "cpu", "vulkan" (the first GPU), "vulkan:N" (N as list_devices() numbers them), "auto" or
    /// "auto:FILE". Layers that the device cannot do run on the CPU, and Net::plan() says so. auto: the faster of "cpu"
    /// and "vulkan", measured by load_model and remembered in FILE; Net::option() has the choice (docs/vulkan.md).
    std::string device = "cpu";
    /// Where that device is missing, lacks what the option needs or fails - when loading or in the middle of a run,
    /// which is then repeated - everything runs on the CPU from there on, with the layers' precision as it is. A
    /// warning is logged, and every step of Net::plan() has the reason. Off: such failures are errors.
    bool device_fallback = false;
    /// File that keeps the driver's compiled shaders between processes; "" = none. One that is damaged or of another
    /// driver is replaced.
    std::string pipeline_cache;
    /// A Vulkan device that can (`host memory import` in the list) reads the Mats of Extractor::input where they lie
    /// instead of a copy. Memory that a Mat does not own (Mat::wrap) must then stay until the Extractor has gone or has
    /// run with other memory (docs/vulkan.md).
    bool import_inputs = false;
    /// Copy between CPU and device even where they share memory; for tests of what other devices need.
    bool staged_device_memory = false;
};

struct DeviceInfo {
    std::string device;       ///< what Option::device takes, as "vulkan:0"
    std::string description;  ///< name, kind, version and features
};

/// The devices that Option::device can name besides "cpu". An error says why there are none.
FW_EXPORT Result<std::vector<DeviceInfo>> list_devices();

enum class LogLevel : uint8_t {
    kDebug,
    kInfo,
    kWarn,
    kError,  ///< what was asked for failed, and something else goes on in its place
};

/// Receives one message, without newline. Called from any thread that runs the library.
using LogSink = void (*)(LogLevel level, const char* message, void* user_data);

/// Sets the process-wide sink; nullptr (the start) discards messages, so the library is silent until asked.
FW_EXPORT void set_log_sink(LogSink sink, void* user_data, LogLevel least = LogLevel::kInfo);

}  // namespace fw
