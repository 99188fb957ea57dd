#include "zoo/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "zoo/weights.h"
#include "zoo/zoo.h"

namespace fw::zoo {

namespace {

struct Range {
    float lo = 0.0F;
    float hi = 0.0F;
};

// Three digits, rounded towards 0: the range grows, nothing is clipped.
float cut(double scale) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2e", scale * 0.995);
    return std::strtof(text, nullptr);
}

QuantParams quant_of(const Range& range) {
    const double hi = static_cast<double>(range.hi);
    const double lo = -static_cast<double>(range.lo);
    if (hi == 0.0 && lo == 0.0) {
        return {1.0F, 0};
    }
    if (lo > hi / 2) {
        return {cut(127.0 / std::max(lo, hi)), 0};
    }
    const float scale = cut(255.0 / (hi + lo));
    return {scale, static_cast<int32_t>(std::ceil(lo * static_cast<double>(scale))) - 128};
}

}  // namespace

std::vector<uint8_t> made_image(const Shape& shape, uint64_t seed) {
    Draws draws(seed, "image");
    std::vector<uint8_t> bytes;
    for (int c = 0; c < shape.c(); ++c) {
        const int64_t across = draws.next() % 256;
        const int64_t down = draws.next() % 256;
        for (int y = 0; y < shape.h(); ++y) {
            for (int x = 0; x < shape.w(); ++x) {
                const int64_t plane = 128 + across * x / shape.w() + down * y / shape.h();
                bytes.push_back(static_cast<uint8_t>(std::clamp<int64_t>(plane + draws.next() / 1024, 0, 255)));
            }
        }
    }
    return bytes;
}

Result<ScaleTable> made_table(const NetDef& def, uint64_t seed, int images) {
    Net net;
    Option option;
    option.optimize = false;  // every blob of the file is seen
    option.split_attention = true;
    option.threads = 0;
    FW_RETURN_IF_ERROR(net.set_option(option));
    ModelFiles files;
    FW_RETURN_IF_ERROR(load(def, &net, &files));
    const Preprocess preprocess = def.preprocess();
    const float mean = preprocess.mean.empty() ? 127.5F : preprocess.mean[0];
    const float norm = preprocess.norm.empty() ? 1.0F / 127.5F : preprocess.norm[0];

    std::map<std::string, Range> ranges;
    for (int image = 0; image < images; ++image) {
        Extractor extractor = net.create_extractor();
        extractor.set_observer([&ranges](const std::string& blob, const Mat& mat) -> Status {
            Range& range = ranges[blob];
            for (int64_t i = 0; i < mat.count(); ++i) {
                range.lo = std::min(range.lo, mat.data()[i]);
                range.hi = std::max(range.hi, mat.data()[i]);
            }
            return {};
        });
        uint64_t input_seed = seed + static_cast<uint64_t>(image);
        for (const std::string& name : net.input_names()) {
            const Shape shape = net.input_shape(name.c_str());
            FW_ASSIGN_OR_RETURN(Mat mat, Mat::create(shape));
            const std::vector<uint8_t> bytes = made_image(shape, input_seed++);
            for (size_t i = 0; i < bytes.size(); ++i) {
                mat.data()[i] = (static_cast<float>(bytes[i]) - mean) * norm;
            }
            FW_RETURN_IF_ERROR(extractor.input(name.c_str(), mat));
        }
        for (const std::string& name : net.output_names()) {
            Mat out;
            FW_RETURN_IF_ERROR(extractor.extract(name.c_str(), &out));
        }
    }
    ScaleTable table;
    table.source = def.source + ", made up";
    for (const auto& [blob, range] : ranges) {
        table.blobs[blob] = quant_of(range);
    }
    return table;
}

}  // namespace fw::zoo
