// MoveLayer: base of the layers that move, drop or repeat elements without looking at them.
#pragma once

#include "layer/layer.h"

namespace fw {

/// Fails with kUnsupported unless the first `data_inputs` inputs and all outputs have one dtype and, in int8, one
/// scale.
Status check_moves(const PrepareContext& context, size_t data_inputs);

class MoveLayer : public Layer {
public:
    Status prepare(const PrepareContext& context) override { return check_moves(context, data_inputs()); }
    HalfUse half_use(bool /*arithmetic*/) const override { return HalfUse::kSame; }

protected:
    /// Inputs whose elements are moved; of those after them only the shape is read.
    virtual size_t data_inputs() const { return 1; }
};

}  // namespace fw
