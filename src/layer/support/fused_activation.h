// The activation that convolution-like layers carry as activation_type (9) and activation_params (10).
#pragma once

#include <cstdint>

#include "fw/status.h"
#include "kernel/kernel.h"
#include "model/schema.h"
#include "quant/quant.h"

namespace fw {

struct FusedActivation {
    enum class Type : int {
        kIdentity = 0,
        kRelu = 1,
        kLeakyRelu = 2,
        kClip = 3,
        kSigmoid = 4,
        kMish = 5,
        kHardSwish = 6
    };

    Type type = Type::kIdentity;
    float a = 0.0F;  ///< slope; lower bound; alpha
    float b = 0.0F;  ///< upper bound; beta

    /// A clamp carries it: none, ReLU and clip.
    bool is_clamp() const { return type == Type::kIdentity || type == Type::kRelu || type == Type::kClip; }
    /// The clamp of such a type; none has infinite bounds, so that infinities pass.
    RealClamp clamp() const;
    /// The kernels' function of any other type.
    FunctionArgs function() const;
    /// That one has the bits of apply(); it rounds Sigmoid and Mish in float.
    bool function_is_exact() const { return type == Type::kLeakyRelu || type == Type::kHardSwish; }
    /// Applies any type. Only IEEE operations and quant/math.h: the same bits everywhere.
    float apply(float x) const;
    /// Applies any type to `count` values.
    void apply(const float* from, float* to, int64_t count) const;
};

/// Reads and checks activation_type and activation_params, normally keys 9 and 10.
Status load_fused_activation(const Params& params, FusedActivation* out, int type_id = 9, int params_id = 10);

}  // namespace fw
