// Blocks: what network descriptions are written in. Convolutions come with their bias (batch normalisation is folded)
// and activation, know the shape of what they get, and draw weights that keep activations in a sane range: every value
// carries an estimate of its mean and variance, and weights are scaled after He et al., "Delving Deep into Rectifiers"
// (2015), eq. 10, with the bias taking the input's mean away as a folded batch normalisation does. Without the latter
// the outputs of a deep random network hardly depend on its input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "import/net_builder.h"

namespace fw::zoo {

enum class Act { kNone, kRelu, kRelu6, kLeakyRelu, kPRelu, kHardSwish, kSwish, kSigmoid, kHardSigmoid, kGelu };

/// A blob under construction: its shape and what is expected of its elements. Rank 1 has h = w = 1, rank 2 c = 1.
struct Value {
    import::BlobId id = import::kNoBlob;
    int c = 0, h = 1, w = 1;
    double mean = 0;
    double variance = 1;
};

constexpr int kSamePad = -1;      ///< dilation * (kernel - 1) / 2 on every side
constexpr int kSameUpper = -233;  ///< TensorFlow's SAME

struct Conv {
    int out = 0;
    int kernel = 1;
    int stride = 1;
    Act act = Act::kRelu;
    int group = 1;
    int pad = kSamePad;
    int dilation = 1;
    double deviation = 1;            ///< of what goes into the activation
    std::vector<float> offset = {};  ///< added to the biases, over and over (the background of a detector)
};

/// Deviation of what a residual branch adds: sums grow slowly through many blocks.
constexpr double kBranchDeviation = 0.5;

enum class Pool { kMax, kAverage };

class Blocks {
public:
    Blocks(import::NetBuilder* net, uint64_t seed, int largest_side)
        : net_(net), seed_(seed), largest_side_(largest_side) {}

    /// The network's input, RGB pixels mapped to [-1, 1]; smaller where build() was asked for a largest side.
    Value input(int channels, int height, int width);

    Value conv(const std::string& name, const Value& x, const Conv& conv);
    /// One kernel a channel; `conv.out` and `conv.group` are set here.
    Value depthwise(const std::string& name, const Value& x, Conv conv);
    /// Fully connected, over all elements.
    Value fc(const std::string& name, const Value& x, int out, Act act = Act::kNone, double deviation = 1);
    Value act(const std::string& name, const Value& x, Act act);

    /// Sum of equal shapes; the activation is a layer of its own.
    Value add(const std::string& name, const Value& a, const Value& b, Act act = Act::kNone);
    /// x times a factor a channel, of rank 1.
    Value gate(const std::string& name, const Value& x, const Value& factors);
    Value concat(const std::string& name, const std::vector<Value>& parts);
    /// Channels of zeros behind those of x, up to `channels`.
    Value pad_channels(const std::string& name, const Value& x, int channels);
    /// Channels [first, first + count) of x.
    Value channels(const std::string& name, const Value& x, int first, int count);
    /// To `height` x `width`, nearest or bilinear; corners keep their places where `align` says so.
    enum class Resize { kNearest, kBilinear, kBilinearAligned };
    Value resize(const std::string& name, const Value& x, int height, int width, Resize kind);
    /// The same elements, row-major, in another shape.
    Value reshape(const std::string& name, const Value& x, int c, int h, int w);
    /// Rank 3 to one row: pixel after pixel, each with its channels, as detection heads list their boxes.
    Value flatten_pixels(const std::string& name, const Value& x);
    Value softmax(const std::string& name, const Value& x);

    /// `ceil`: windows that begin inside count, as in Caffe.
    Value pool(const std::string& name, const Value& x, Pool kind, int kernel, int stride, int pad, bool ceil);
    Value global_pool(const std::string& name, const Value& x);

    /// Local response normalisation over 5 channels (Krizhevsky et al. 2012, section 3.3), with Caffe's constants.
    Value lrn(const std::string& name, const Value& x);
    /// Squeeze and excitation (Hu et al. 2018): the global mean through two layers to a factor a channel.
    Value squeeze_excite(const std::string& name, const Value& x, int squeezed, Act inner, Act outer);

    /// A layer of any type; its output's shape and statistics are the caller's to set.
    import::LayerBuilder& layer(const std::string& type, const std::string& name, const std::vector<Value>& inputs);

    uint64_t seed() const { return seed_; }

private:
    Value weighted(import::LayerBuilder* layer, const std::string& name, const Value& x, int out, int64_t fan_in,
                   Act act, double deviation, const std::vector<float>& offset);
    import::NetBuilder* net_;
    uint64_t seed_;
    int largest_side_;  // 0: any
};

}  // namespace fw::zoo
