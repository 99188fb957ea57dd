// Small networks with many kinds of layers and weights, for tests and fuzzers that damage their files; and a run of
// such files from loading to results.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fw/net.h"
#include "model/model_io.h"

namespace fw::test {

struct SampleModel {
    std::string param, bin, table;
};

// Float weights: windows, matrices and what stands between them.
inline constexpr const char* kConvolutions =
    "7767517\n16 17\n"
    "Input data 0 1 data 0=12 1=12 2=3 24=1\n"
    "Convolution conv1 1 1 data c1 0=16 1=3 4=1 5=1 6=432 9=1\n"
    "ConvolutionDepthWise dw 1 1 c1 c2 0=16 1=3 3=2 4=1 5=1 6=144 7=16 9=3 -23310=2,0.0,6.0\n"
    "Convolution conv2 1 1 c2 c3 0=16 1=1 5=1 6=256 9=6 -23310=2,0.1666667,0.5\n"
    "Split split 1 2 c3 s1 s2\n"
    "Pooling pool 1 1 s1 p1 0=1 1=3 2=1 3=1\n"
    "Pooling squeeze 1 1 s2 p2 0=1 4=1\n"
    "InnerProduct excite 1 1 p2 e1 0=16 1=1 2=256 9=4\n"
    "BinaryOp scale 2 1 p1 e1 b1 0=2\n"
    "Convolution conv3 1 1 b1 c4 0=8 1=3 4=1 6=1152\n"
    "BatchNorm norm 1 1 c4 n1 0=8\n"
    "PReLU prelu 1 1 n1 r1 0=8\n"
    "Interp up 1 1 r1 u1 0=2 1=2.0 2=2.0\n"
    "Concat concat 2 1 c1 u1 k1\n"
    "InnerProduct fc 1 1 k1 f1 0=5 1=1 2=17280\n"
    "Softmax prob 1 1 f1 prob\n";

// int8 weights with their scales in the files.
inline constexpr const char* kBaked =
    "7767517\n6 6\n"
    "Input data 0 1 data 0=10 1=10 2=3 24=1\n"
    "Convolution conv1 1 1 data c1 0=8 1=3 4=1 5=1 6=216 8=102 9=1\n"
    "ConvolutionDepthWise dw 1 1 c1 c2 0=8 1=3 4=1 5=1 6=72 7=8 8=101\n"
    "Convolution conv2 1 1 c2 c3 0=4 1=1 6=32 8=2\n"
    "InnerProduct fc 1 1 c3 f1 0=5 1=1 2=2000 8=2\n"
    "Softmax prob 1 1 f1 prob\n";

// Rows and columns: recurrent layers, norms, products, shapes.
inline constexpr const char* kRows =
    "7767517\n14 15\n"
    "Input data 0 1 data 0=12 1=6\n"
    "LSTM lstm 1 1 data l1 0=8 1=384 2=0\n"
    "LayerNorm norm 1 1 l1 n1 0=8 1=1e-3\n"
    "MultiHeadAttention mha 1 1 n1 a1 0=8 1=2 2=64\n"
    "Split split 1 2 a1 s1 s2\n"
    "Permute turn 1 1 s2 t1 0=1\n"
    "MatMul mul 2 1 s1 t1 m1\n"
    "Gemm gemm 1 1 m1 g1 3=0 5=1 6=1 8=4 9=6 10=-1\n"
    "GELU gelu 1 1 g1 ge 0=1\n"
    "Reshape shape 1 1 ge r1 0=4 1=3 2=2\n"
    "Deconvolution up 1 1 r1 d1 0=4 1=2 3=2 5=1 6=32\n"
    "GroupNorm group 1 1 d1 gn 0=2 1=4\n"
    "Reduction mean 1 1 gn re 0=3 1=0 -23303=1,0 4=1 5=1\n"
    "Sigmoid out 1 1 re out\n";

/// The good files: every network with float32 and, where it has no int8 weights, float16 ones.
inline std::vector<SampleModel> sample_models() {
    std::vector<SampleModel> models;
    for (const char* text : {kConvolutions, kBaked, kRows}) {
        Result<NetDef> net = parse_param({text, std::strlen(text)}, "sample.param");
        if (!net.ok() || !random_weights(&*net, 3).ok()) {
            std::abort();
        }
        ScaleTable table;
        for (const LayerDef& layer : net->layers) {
            for (const std::string& top : layer.tops) {
                table.blobs[top] = {20.0F, layer.type == "Softmax" ? -128 : 0};
            }
            if (layer.type == "MultiHeadAttention") {
                table.blobs[layer.name + "/context"] = {20.0F, 0};
                table.layers[layer.name + "/query"].input = table.blobs.at(layer.bottoms[0]);
                table.layers[layer.name + "/query"].weight_scales.assign(8, 150.0F);
            }
            if (text == kConvolutions && (layer.type == "Convolution" || layer.type == "InnerProduct")) {
                const auto outputs = static_cast<size_t>(layer.weights[0].count()) /
                                     static_cast<size_t>(layer.name == "conv3" ? 144 : 16);
                ScaleTable::LayerEntry& entry = table.layers[layer.name];
                if (layer.name == "conv2" || layer.name == "conv3" || layer.name == "excite") {
                    entry.weight_scales.assign(outputs, 150.0F);
                    entry.bias_delta.assign(outputs, 0.01F);
                    entry.round_up.assign(static_cast<size_t>(layer.weights[0].count()), true);
                }
                entry.precision = ScaleTable::LayerPrecision::kInt8;
            }
        }
        table.preprocess = net->preprocess();
        for (const WeightFormat format : {WeightFormat::kAsStored, WeightFormat::kFloat16}) {
            const Result<std::vector<uint8_t>> bin = bin_bytes(*net, format);
            if (!bin.ok()) {
                std::abort();
            }
            models.push_back({text, std::string(bin->begin(), bin->end()),
                              format == WeightFormat::kFloat16 ? table.to_legacy_text() : table.to_text()});
        }
    }
    return models;
}

enum class Reached { kNothing, kLoaded, kResults };

/// Loads the files as a user does, table first, and runs what was loaded. `status` is the first failure.
inline Reached load_and_run(const SampleModel& files, Precision precision, Status* status) {
    Net net;
    Option option;
    option.precision = precision;
    option.max_activation_bytes = 32 << 20;
    *status = net.set_option(option);
    if (status->ok() && !files.table.empty()) {
        const Result<ScaleTable> table = ScaleTable::parse({files.table.data(), files.table.size()}, "bad.table");
        *status = table.ok() ? net.load_table(*table) : table.status();
    }
    if (status->ok()) {
        *status = net.load_model_memory({files.param.data(), files.param.size()},
                                        {reinterpret_cast<const uint8_t*>(files.bin.data()), files.bin.size()});
    }
    if (!status->ok()) {
        return Reached::kNothing;
    }
    Extractor extractor = net.create_extractor();
    for (const std::string& name : net.input_names()) {
        Shape shape = net.input_shape(name.c_str());
        shape = shape.rank == 0 ? Shape(3, 9, 9) : shape;
        if (shape.count() > 1 << 20) {
            return Reached::kLoaded;
        }
        Result<Mat> mat = Mat::create(shape);
        for (int64_t i = 0; mat.ok() && i < mat->count(); ++i) {
            mat->data()[i] = static_cast<float>(i % 7) - 3.0F;
        }
        *status = mat.ok() ? extractor.input(name.c_str(), *mat) : mat.status();
        if (!status->ok()) {
            return Reached::kLoaded;
        }
    }
    for (const std::string& name : net.output_names()) {
        Mat out;
        *status = extractor.extract(name.c_str(), &out);
        if (!status->ok()) {
            return Reached::kLoaded;
        }
    }
    return Reached::kResults;
}

}  // namespace fw::test
