#include "benchfw/noise.h"

namespace fw::bench {

namespace {

/// In [0, 1): 24 bits of a linear congruential generator (Numerical Recipes, "An Even Quicker Generator").
class Uniform {
public:
    explicit Uniform(uint32_t seed) : state_(seed * 2654435761U + 1U) {}
    float next() {
        state_ = state_ * 1664525U + 1013904223U;
        return static_cast<float>(state_ >> 8) / 16777216.0F;
    }

private:
    uint32_t state_;
};

float at_or_last(const std::vector<float>& values, int index, float none) {
    if (values.empty()) {
        return none;
    }
    return index < static_cast<int>(values.size()) ? values[static_cast<size_t>(index)] : values.back();
}

// Half a gradient in a direction of the seed's and the channel's own, half noise: pictures are not white noise, and
// scales made from white noise would be narrower.
Result<Mat> noise(const Shape& shape, const Preprocess& preprocess, uint32_t seed) {
    FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(shape));
    Uniform uniform(seed);
    const int channels = shape.rank >= 3 ? shape.c() : 1;
    const int64_t plane = mat.count() / channels;
    const int width = shape.w();
    float* to = mat.data();
    for (int c = 0; c < channels; ++c) {
        const float along = uniform.next();
        const float down = 1.0F - along;
        const float mean = at_or_last(preprocess.mean, c, 0.0F);
        const float norm = at_or_last(preprocess.norm, c, 1.0F);
        for (int64_t i = 0; i < plane; ++i) {
            const float x = static_cast<float>(i % width) / static_cast<float>(width);
            const float y = static_cast<float>(i) / static_cast<float>(plane);
            const float value = 0.5F * (along * x + down * y) + 0.5F * uniform.next();
            *to++ = preprocess.known() ? (value * 255.0F - mean) * norm : value * 2.0F - 1.0F;
        }
    }
    return mat;
}

}  // namespace

Result<std::vector<Mat>> noise_inputs(const Net& net, const Shape& shape, uint32_t seed) {
    std::vector<Mat> inputs;
    for (const std::string& name : net.input_names()) {
        const Shape declared = net.input_shape(name.c_str());
        const Shape& wanted = declared.rank > 0 ? declared : shape;
        if (wanted.rank == 0) {
            return Status::error(Code::kInvalidArgument,
                                 "input '%s' declares no shape: give one with --input-shape C,H,W", name.c_str());
        }
        FW_ASSIGN_OR_RETURN(Mat mat, noise(wanted, net.preprocess(), seed));
        inputs.push_back(std::move(mat));
    }
    return inputs;
}

}  // namespace fw::bench
