#include "fw/image.h"

#include <algorithm>
#include <cmath>

namespace fw {

namespace {

int channels_of(Pixel pixel) {
    return pixel == Pixel::kGray ? 1 : 3;
}

// Resizing is in integers, because OpenCV's is and networks are trained and measured on its pixels: a resize in float
// differs by up to 0.75 of a level, which changed the order of the five best classes for one ImageNet picture in eight.
constexpr int kWeightBits = 11;
constexpr int kWeightOne = 1 << kWeightBits;

// Bilinear taps of one output coordinate: half-pixel centres, edges repeated.
struct Tap {
    int first = 0, second = 0;
    int first_weight = kWeightOne, second_weight = 0;
};

std::vector<Tap> make_taps(int from, int to) {
    std::vector<Tap> taps(static_cast<size_t>(to));
    const double step = 1.0 / (static_cast<double>(to) / from);
    for (int i = 0; i < to; ++i) {
        const auto position = static_cast<float>((i + 0.5) * step - 0.5);
        const float below = std::floor(position);
        const float fraction = position - below;
        const auto weight = [](float x) { return static_cast<int>(std::nearbyint(x * kWeightOne)); };
        Tap& tap = taps[static_cast<size_t>(i)];
        tap.first = std::clamp(static_cast<int>(below), 0, from - 1);
        tap.second = std::clamp(static_cast<int>(below) + 1, 0, from - 1);
        tap.first_weight = weight(1.0F - fraction);
        tap.second_weight = weight(fraction);
    }
    return taps;
}

int between(int first, int second, const Tap& tap) {
    return first * tap.first_weight + second * tap.second_weight;
}

// Of two sums with kWeightBits fractional bits. Each product is cut, not rounded, as the 16-bit multiplies of vector
// code do; the last shift rounds. 16 + 2 bits are the 2 * kWeightBits less the 4 cut before.
int between_rows(int upper, int lower, const Tap& tap) {
    return (((tap.first_weight * (upper >> 4)) >> 16) + ((tap.second_weight * (lower >> 4)) >> 16) + 2) >> 2;
}

// How target channels come from source channels: sum of weights (gray from colour), or a plain pick.
struct ChannelMix {
    float weight[3][3] = {};  // [target][source]
};

ChannelMix make_mix(Pixel from, Pixel to) {
    ChannelMix mix;
    // BT.601 luma of R, G, B.
    const float luma[3] = {0.299F, 0.587F, 0.114F};
    for (int t = 0; t < channels_of(to); ++t) {
        if (from == Pixel::kGray) {
            mix.weight[t][0] = 1.0F;
        } else if (to == Pixel::kGray) {
            for (int s = 0; s < 3; ++s) {
                mix.weight[t][s] = luma[from == Pixel::kRgb ? s : 2 - s];
            }
        } else {
            mix.weight[t][from == to ? t : 2 - t] = 1.0F;
        }
    }
    return mix;
}

Status check_values(const std::vector<float>& values, int channels, const char* what) {
    const auto count = static_cast<int>(values.size());
    if (count > 1 && count != channels) {
        return Status::error(Code::kInvalidArgument, "%d %s values for %d channels; expected one, or one a channel",
                             count, what, channels);
    }
    for (const float value : values) {
        if (!std::isfinite(value)) {
            return Status::error(Code::kInvalidArgument, "a %s value is not finite", what);
        }
    }
    return {};
}

float value_of(const std::vector<float>& values, int channel, float fallback) {
    return values.empty() ? fallback : values[values.size() == 1 ? 0 : static_cast<size_t>(channel)];
}

}  // namespace

Result<Mat> mat_from_image(const Image& image, const Preprocess& preprocess) {
    if (image.data == nullptr || image.width <= 0 || image.height <= 0 || image.pixel == Pixel::kNone) {
        return Status::error(Code::kInvalidArgument, "no image: %d x %d pixels", image.width, image.height);
    }
    const int source_channels = channels_of(image.pixel);
    if (image.stride < 0 || static_cast<int64_t>(image.stride) < int64_t{image.width} * source_channels) {
        return Status::error(Code::kInvalidArgument, "a stride of %d bytes is less than a row of %d pixels",
                             image.stride, image.width);
    }
    if (preprocess.width < 0 || preprocess.height < 0) {
        return Status::error(Code::kInvalidArgument, "cannot resize to %d x %d", preprocess.width, preprocess.height);
    }
    const Pixel pixel = preprocess.known() ? preprocess.pixel : image.pixel;
    const int channels = channels_of(pixel);
    FW_RETURN_IF_ERROR(check_values(preprocess.mean, channels, "mean"));
    FW_RETURN_IF_ERROR(check_values(preprocess.norm, channels, "norm"));

    const int width = preprocess.width > 0 ? preprocess.width : image.width;
    const int height = preprocess.height > 0 ? preprocess.height : image.height;
    FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(Shape(channels, height, width)));
    const std::vector<Tap> columns = make_taps(image.width, width);
    const std::vector<Tap> rows = make_taps(image.height, height);
    const ChannelMix mix = make_mix(image.pixel, pixel);

    std::vector<float> line(static_cast<size_t>(width) * 3);  // one resized row, source channels
    for (int y = 0; y < height; ++y) {
        const Tap& row = rows[static_cast<size_t>(y)];
        const uint8_t* upper = image.data + static_cast<int64_t>(row.first) * image.stride;
        const uint8_t* lower = image.data + static_cast<int64_t>(row.second) * image.stride;
        for (int x = 0; x < width; ++x) {
            const Tap& column = columns[static_cast<size_t>(x)];
            float* resized = line.data() + int64_t{x} * source_channels;
            for (int c = 0; c < source_channels; ++c) {
                const int left = column.first * source_channels + c;
                const int right = column.second * source_channels + c;
                const int top = between(upper[left], upper[right], column);
                const int bottom = between(lower[left], lower[right], column);
                resized[c] = static_cast<float>(between_rows(top, bottom, row));
            }
        }
        for (int t = 0; t < channels; ++t) {
            const float mean = value_of(preprocess.mean, t, 0.0F);
            const float norm = value_of(preprocess.norm, t, 1.0F);
            float* out = mat.channel(t) + static_cast<int64_t>(y) * width;
            for (int x = 0; x < width; ++x) {
                const float* in = line.data() + int64_t{x} * source_channels;
                float sum = 0.0F;
                for (int s = 0; s < source_channels; ++s) {
                    sum += mix.weight[t][s] * in[s];
                }
                out[x] = (sum - mean) * norm;
            }
        }
    }
    return mat;
}

}  // namespace fw
