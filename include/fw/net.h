// Net and Extractor: load a model once, run it from as many threads as you like.
//
//   fw::Net net;
//   FW_RETURN_IF_ERROR(net.load_table("squeezenet.table"));               // optional: int8
//   FW_RETURN_IF_ERROR(net.load_model("squeezenet.param", "squeezenet.bin"));
//   fw::Extractor ex = net.create_extractor();
//   FW_RETURN_IF_ERROR(ex.input("data", image));
//   fw::Mat prob;
//   FW_RETURN_IF_ERROR(ex.extract("prob", &prob));
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fw/export.h"
#include "fw/image.h"
#include "fw/layer.h"
#include "fw/mat.h"
#include "fw/option.h"
#include "fw/span.h"
#include "fw/status.h"
#include "fw/table.h"

namespace fw {

class Extractor;

/// What the planner decided for one step of the running network, in the order of execution.
struct LayerPlan {
    std::string name;    ///< layer name of the model file; conversions are named after the blob they convert
    std::string type;    ///< layer type, `Quantize`, `Dequantize`, ...
    std::string output;  ///< first output blob
    std::string kernel;  ///< kernel that runs it, "" = the reference implementation
    std::string isa;     ///< instruction set level of the kernel, "" where none runs
    Shape output_shape;  ///< of `output`; the upper bound where the extent depends on the data
    int64_t macs = 0;    ///< multiply-accumulates of layers with weights and matrix products; 0 elsewhere
    int64_t bytes = 0;   ///< of inputs, outputs and prepared weights: the least that the step moves; 0 in place
    DType input_type = DType::kFloat32;
    DType output_type = DType::kFloat32;
    QuantParams output_quant;
    bool fp16_weights = false;   ///< weights are kept in float16; `kernel` says what they are multiplied in
    bool is_conversion = false;  ///< int8 <-> float crossing or layout copy that the model did not ask for
    std::string reason;          ///< why this precision
    std::string device;          ///< "cpu", or the one of Option::device
    std::string cpu_reason;      ///< where a device was wanted: why this step runs on the CPU all the same
    int64_t crossing_bytes = 0;  ///< of blobs that go between CPU and device for this step
};

/// Sizes that a loaded network costs.
struct MemoryUse {
    size_t weights = 0;      ///< bytes of prepared weights, shared by all Extractors
    size_t activations = 0;  ///< bytes of one Extractor's arena for the input shapes last planned
    /// The largest set of blobs that must exist at one time: no arena for that order of execution can be smaller.
    size_t least_activations = 0;
    /// Bytes of weights on the device of Option::device, 0 on the CPU; an Extractor has its `activations` there too,
    /// half as many bytes with kFp16.
    size_t device_weights = 0;
};

/// A loaded network: immutable after load_model, so any number of threads may create and run Extractors at once.
class FW_EXPORT Net {
public:
    Net();
    ~Net();
    Net(Net&&) noexcept;
    Net& operator=(Net&&) noexcept;

    /// Options, the table and custom layers are taken before load_model; afterwards these calls fail.
    Status set_option(const Option& option);
    Status load_table(const char* path);
    Status load_table(ScaleTable table);
    Status register_layer(const char* type, CustomLayerFactory factory, void* user_data = nullptr);

    /// Loads from files; the .bin file is mapped, not read, where the system can.
    Status load_model(const char* param_path, const char* bin_path);
    /// Loads from memory that must outlive the Net. `bin` may be unaligned.
    Status load_model_memory(Span<const char> param, Span<const uint8_t> bin);

    const Option& option() const;
    std::vector<std::string> input_names() const;
    std::vector<std::string> output_names() const;
    /// Declared shape of an input; rank 0 where the model leaves it open.
    Shape input_shape(const char* name) const;
    /// The model's own preprocessing; `known()` is false where it stores none.
    const Preprocess& preprocess() const;
    /// What a table made for this model has in its `model` line (docs/table-format.md); fails before load_model.
    Result<std::string> model_hash() const;

    Extractor create_extractor() const;

    /// Steps of the plan for the declared input shapes, or for those of the last run.
    Result<std::vector<LayerPlan>> plan() const;
    MemoryUse memory_use() const;

private:
    friend class Extractor;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

/// What a Mat holds, in a buffer of the system's that a device may read where it lies.
struct ExternalBuffer {
    /// An AHardwareBuffer of Android's, of the format BLOB and with the usage GPU_DATA_BUFFER; null = none. It must
    /// stay until the Extractor has gone or has run with other memory.
    void* hardware_buffer = nullptr;
    size_t offset = 0;  ///< bytes before the Mat's first element
};

/// One inference: cheap to create, used by one thread. Keeps its Net's data alive.
class FW_EXPORT Extractor {
public:
    ~Extractor();
    Extractor(Extractor&&) noexcept;
    Extractor& operator=(Extractor&&) noexcept;

    /// Sets an input blob; float32, or int8 already in the blob's scale. The Mat's data is read at extract time.
    Status input(const char* blob, const Mat& mat);
    /// The same, with a buffer in the Mat's place for a device that imports inputs (Option::import_inputs) and can
    /// import it; the Mat is what the CPU sees of it.
    Status input(const char* blob, const Mat& mat, const ExternalBuffer& buffer);
    /// Computes what `blob` needs and no more, and returns it as float32 (int8 blobs are dequantized). Any blob of the
    /// model file can be asked for, also one that an optimised plan has fused away.
    Status extract(const char* blob, Mat* out);
    /// The same, but an int8 blob comes as int8 with its quantization.
    Status extract_raw(const char* blob, Mat* out, QuantParams* quant);

    /// Called with each blob that the plan computes, as float32, in the order of execution (calibration, comparison).
    /// The Mat is valid during the call only. A failed Status ends the run and comes out of extract.
    using Observer = std::function<Status(const std::string& blob, const Mat& value)>;
    void set_observer(Observer observer);

    /// Milliseconds of each step of the last run, parallel to Net::plan(), then of each extract's copy into the
    /// caller's Mat, in their order; empty unless enabled before it.
    void enable_profile(bool enable);
    const std::vector<double>& profile() const;

private:
    friend class Net;
    friend struct ExtractorAccess;
    struct Impl;
    explicit Extractor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace fw
