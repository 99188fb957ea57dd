// Runs layers in tests without a graph: one layer on tensors of any strides, or the layers of a NetDef one after
// another.
#pragma once

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "fw/status.h"
#include "layer/layer.h"
#include "model/net_def.h"
#include "model/schema.h"
#include "tensor/tensor.h"

namespace fw::test {

/// How the tensors of a test lie in memory.
enum class Strides : uint8_t {
    kDense,     ///< NHWC without gaps: what the executor gives by default
    kAdjacent,  ///< channels adjacent, pixels and rows apart: a slice of a concatenation along channels
    kPlain,     ///< row-major, channel outermost
    kLoose,     ///< every axis has gaps, no axis has stride 1
};

inline const char* name(Strides strides) {
    switch (strides) {
        case Strides::kDense: return "dense";
        case Strides::kAdjacent: return "adjacent";
        case Strides::kPlain: return "plain";
        case Strides::kLoose: return "loose";
    }
    return "";
}

/// A Tensor with memory of its own. Bytes that belong to no element hold kCanary; gaps_intact() tells if they still do.
class HostTensor {
public:
    static constexpr unsigned char kCanary = 0xc5;

    HostTensor() = default;
    explicit HostTensor(const TensorDesc& desc, Strides strides = Strides::kDense) {
        tensor_ = make_tensor(nullptr, desc, strides == Strides::kPlain ? Layout::kPlain : Layout::kNhwc);
        const int rank = desc.shape.rank;
        if (strides == Strides::kAdjacent || strides == Strides::kLoose) {
            // Innermost first: the channel, then the axes from w outwards; rank 1 and 2 from w outwards.
            int64_t step = strides == Strides::kLoose ? 2 : 1;
            if (rank >= 3) {
                tensor_.stride[0] = step;
                step = step * desc.shape[0] + 3;
            }
            for (int axis = rank - 1; axis >= (rank >= 3 ? 1 : 0); --axis) {
                tensor_.stride[axis] = step;
                step = step * desc.shape[axis] + 5;
            }
        }
        int64_t last = 0;
        for (int axis = 0; axis < rank; ++axis) {
            last += tensor_.stride[axis] * std::max(desc.shape[axis] - 1, 0);
        }
        size_ = static_cast<size_t>(last + 1) * element_size(desc.dtype);
        // Exactly as many bytes as the library's allocator gives, so that ASan sees what kernels touch beyond.
        memory_ = allocate_shared_bytes(size_, nullptr);
        std::memset(memory_.get(), kCanary, size_);
        tensor_.data = memory_.get();
    }

    /// From values in row-major order (axis 0 outermost).
    template <class T>
    static HostTensor from(const TensorDesc& desc, const std::vector<T>& values, Strides strides = Strides::kDense) {
        HostTensor host(desc, strides);
        for_each_element(host.tensor_, [&](int64_t index, int64_t offset) {
            host.tensor_.ptr<T>()[offset] = values[static_cast<size_t>(index)];
        });
        return host;
    }
    static HostTensor floats(const Shape& shape, const std::vector<float>& values, Strides strides = Strides::kDense) {
        return from(TensorDesc{shape, DType::kFloat32, {}}, values, strides);
    }
    static HostTensor int8(const Shape& shape, const QuantParams& quant, const std::vector<int8_t>& values,
                           Strides strides = Strides::kDense) {
        return from(TensorDesc{shape, DType::kInt8, quant}, values, strides);
    }

    const Tensor& tensor() const { return tensor_; }
    Tensor& tensor() { return tensor_; }
    /// Elements in row-major order.
    template <class T = float>
    std::vector<T> values() const {
        std::vector<T> out(static_cast<size_t>(tensor_.count()));
        for_each_element(tensor_, [&](int64_t index, int64_t offset) {
            out[static_cast<size_t>(index)] = tensor_.ptr<T>()[offset];
        });
        return out;
    }
    bool gaps_intact() const {
        std::vector<bool> used(size_, false);
        const size_t size = element_size(tensor_.dtype);
        for_each_element(tensor_, [&](int64_t /*index*/, int64_t offset) {
            for (size_t b = 0; b < size; ++b) {
                used[static_cast<size_t>(offset) * size + b] = true;
            }
        });
        for (size_t i = 0; i < size_; ++i) {
            if (!used[i] && static_cast<const unsigned char*>(memory_.get())[i] != kCanary) {
                return false;
            }
        }
        return true;
    }

private:
    std::shared_ptr<void> memory_;
    size_t size_ = 0;
    Tensor tensor_;
};

struct RunOptions {
    Strides strides = Strides::kDense;  ///< of outputs, and of inputs that the runner makes itself
    int threads = 1;
    bool in_place = false;  ///< output 0 in the memory of input 0 where the layer's traits and the shapes allow it
    bool use_view = false;  ///< take the layer's view instead of forward() where it offers one
    /// dtype and quant of the outputs; empty = float32. Shapes are inferred.
    std::vector<TensorDesc> outputs;
    std::vector<float> weight_scales;
    bool fp16_arithmetic = false;
};

/// Creates a layer and loads it, as the runtime does.
inline Result<std::unique_ptr<Layer>> load_layer(const std::string& type, const ParamDict& params,
                                                 Span<const Weight> weights = {}) {
    const LayerSchema* schema = find_schema(type);
    if (schema == nullptr) {
        return Status::error(Code::kNotFound, "no schema of %s", type.c_str());
    }
    std::unique_ptr<Layer> layer = create_layer(type);
    if (layer == nullptr) {
        return Status::error(Code::kUnsupported, "this build has no layer %s", type.c_str());
    }
    FW_RETURN_IF_ERROR(layer->load(Params(*schema, params), weights));
    return layer;
}

/// Output shapes of a loaded layer, checked as the executor checks them.
inline Result<std::vector<TensorDesc>> infer_layer(const Layer& layer, Span<const TensorDesc> in, size_t outputs,
                                                   const RunOptions& options = {}) {
    std::vector<TensorDesc> out(outputs);
    for (size_t i = 0; i < outputs && i < options.outputs.size(); ++i) {
        out[i] = options.outputs[i];
    }
    FW_RETURN_IF_ERROR(layer.infer(in, out));
    for (const TensorDesc& desc : out) {
        if (desc.shape.rank < 1 || !desc.shape.valid()) {
            return Status::error(Code::kInternal, "infer gave the shape %s", desc.shape.str().c_str());
        }
    }
    return out;
}

/// Infers, prepares and runs a loaded layer. Inputs are copied to dense NHWC first where the layer asks for that.
inline Result<std::vector<HostTensor>> run_loaded(Layer* layer, std::vector<HostTensor> inputs, size_t outputs,
                                                  const RunOptions& options = {}) {
    const LayerTraits traits = layer->traits();
    std::vector<TensorDesc> in_desc;
    std::vector<Tensor> in;
    for (HostTensor& input : inputs) {
        if (!accepts_strides(traits, input.tensor())) {
            HostTensor dense(input.tensor().desc());
            copy_tensor(input.tensor(), dense.tensor());
            input = dense;
        }
        in_desc.push_back(input.tensor().desc());
        in.push_back(input.tensor());
    }
    FW_ASSIGN_OR_RETURN(std::vector<TensorDesc> out_desc, infer_layer(*layer, in_desc, outputs, options));
    PrepareContext context{in_desc, out_desc, options.weight_scales};
    context.fp16_arithmetic = options.fp16_arithmetic;
    FW_RETURN_IF_ERROR(layer->prepare(context));

    std::vector<HostTensor> results;
    std::vector<Tensor> out;
    for (const TensorDesc& desc : out_desc) {
        results.emplace_back(desc, traits.any_stride_output ? options.strides : Strides::kDense);
        out.push_back(results.back().tensor());
    }
    if (options.use_view && layer->view(in, out)) {
        for (size_t i = 0; i < outputs; ++i) {
            copy_tensor(out[i], results[i].tensor());
        }
        return results;
    }
    const bool in_place = options.in_place && traits.in_place && in_desc[0].shape == out_desc[0].shape &&
                          in_desc[0].dtype == out_desc[0].dtype;
    if (in_place) {
        out[0] = in[0];
        out[0].quant = out_desc[0].quant;
    }
    const std::shared_ptr<void> workspace =
        allocate_shared_bytes(layer->workspace_bytes(in_desc, out_desc, options.threads), nullptr);
    FW_RETURN_IF_ERROR(layer->forward(in, out, RunContext{options.threads, workspace.get()}));
    if (in_place) {
        copy_tensor(out[0], results[0].tensor());
    }
    for (size_t i = 0; i < outputs; ++i) {
        results[i].tensor().shape = out[i].shape;  // outputs of an extent that depends on data
    }
    for (const std::vector<HostTensor>* side : {&inputs, &results}) {
        for (const HostTensor& tensor : *side) {
            if (side == &results &&
                tensor.tensor().shape != out_desc[static_cast<size_t>(&tensor - results.data())].shape) {
                continue;
            }
            if (!tensor.gaps_intact()) {
                return Status::error(Code::kInternal, "memory between the elements of a tensor was written");
            }
        }
    }
    return results;
}

/// The same for a layer of this type and parameters.
inline Result<std::vector<HostTensor>> run_layer(const std::string& type, const ParamDict& params,
                                                 const std::vector<Weight>& weights, std::vector<HostTensor> inputs,
                                                 size_t outputs = 1, const RunOptions& options = {}) {
    FW_ASSIGN_OR_RETURN(std::unique_ptr<Layer> layer, load_layer(type, params, weights));
    return run_loaded(layer.get(), std::move(inputs), outputs, options);
}

/// Runs the layers of a net in order, float32 throughout. `blobs` holds the values of the Input layers' tops, and every
/// blob afterwards.
inline Status run_net(const NetDef& net, std::map<std::string, HostTensor>* blobs, const RunOptions& options = {}) {
    for (const LayerDef& def : net.layers) {
        if (def.type == "Input") {
            if (def.tops.size() != 1 || blobs->count(def.tops[0]) == 0) {
                return Status::error(Code::kInvalidArgument, "no value for the input %s", def.name.c_str());
            }
            continue;
        }
        std::vector<HostTensor> inputs;
        for (const std::string& bottom : def.bottoms) {
            // A copy: with in_place a layer overwrites its input, which other layers may read.
            const Tensor& value = blobs->at(bottom).tensor();
            HostTensor copy(value.desc(), options.strides);
            copy_tensor(value, copy.tensor());
            inputs.push_back(copy);
        }
        auto results = run_layer(def.type, def.params, def.weights, std::move(inputs), def.tops.size(), options);
        if (!results.ok()) {
            return results.status().with_prefix("%s %s", def.type.c_str(), def.name.c_str());
        }
        for (size_t i = 0; i < def.tops.size(); ++i) {
            (*blobs)[def.tops[i]] = (*results)[i];
        }
    }
    return {};
}

}  // namespace fw::test
