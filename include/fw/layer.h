// CustomLayer: how an application adds a layer type of its own.
#pragma once

#include <memory>
#include <vector>

#include "fw/export.h"
#include "fw/mat.h"
#include "fw/param_dict.h"
#include "fw/span.h"
#include "fw/status.h"

namespace fw {

/// A layer written by the application: float32, plain row-major Mats. One object serves every thread, so `forward` is
/// const.
class FW_EXPORT CustomLayer {
public:
    virtual ~CustomLayer() = default;
    /// Reads and checks the parameters of the layer's line.
    virtual Status load_param(const ParamDict& params) = 0;
    /// Number of float32 weight blobs' elements that follow in the .bin file, blob by blob; default none.
    virtual std::vector<int64_t> weight_counts() const { return {}; }
    /// Receives those blobs, in the order of `weight_counts`; called only when there are any. (Inline, so that the
    /// class has its type information in the application, whatever the library is built with.)
    virtual Status load_weights(Span<const Mat> /*weights*/) {
        return Status::error(Code::kUnsupported, "the custom layer states weights but does not take them");
    }
    /// Shapes of the outputs for given input shapes.
    virtual Status infer_shapes(Span<const Shape> inputs, Span<Shape> outputs) const = 0;
    /// Fills the outputs, already allocated with the inferred shapes.
    virtual Status forward(Span<const Mat> inputs, Span<Mat> outputs) const = 0;
};

using CustomLayerFactory = std::unique_ptr<CustomLayer> (*)(void* user_data);

}  // namespace fw
