// Networks as text and weights as numbers -> converted NetDef, and its lines.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "caffe.pb.h"
#include "caffe2fw/convert.h"
#include "model/model_io.h"

namespace fw::caffe {

/// Builds a caffemodel: add("conv", {2,3,1,1}) appends a blob of values start, start + 1, ... to layer "conv".
class Weights {
public:
    Weights& add(const std::string& layer, const std::vector<int64_t>& dims, float start = 1.0F, float step = 1.0F) {
        int64_t count = 1;
        for (const int64_t d : dims) {
            count *= d;
        }
        std::vector<float> values(static_cast<size_t>(count));
        for (size_t i = 0; i < values.size(); ++i) {
            values[i] = start + step * static_cast<float>(i);
        }
        return add_values(layer, dims, values);
    }
    Weights& add_values(const std::string& layer, const std::vector<int64_t>& dims, const std::vector<float>& values) {
        WeightLayer* to = nullptr;
        for (WeightLayer& l : *file_.mutable_layer()) {
            to = l.name() == layer ? &l : to;
        }
        if (to == nullptr) {
            to = file_.add_layer();
            to->set_name(layer);
        }
        BlobProto* blob = to->add_blobs();
        for (const int64_t d : dims) {
            blob->mutable_shape()->add_dim(d);
        }
        blob->mutable_data()->Add(values.begin(), values.end());
        return *this;
    }
    std::string bytes() const {
        WeightFile file = file_;
        if (file.layer_size() == 0) {
            file.add_layer()->set_name("none");
        }
        return file.SerializeAsString();
    }

private:
    WeightFile file_;
};

struct Converted {
    Status status;
    NetDef net;
    import::Report report;

    /// The .param file without its two head lines and without the Input layer; layer and blob columns joined by one
    /// space.
    std::string lines(bool with_input = false) const {
        const Result<std::string> text = param_text(net);
        if (!text.ok()) {
            return text.status().message();
        }
        std::string out;
        size_t pos = text->find('\n', text->find('\n') + 1) + 1;
        while (pos < text->size()) {
            const size_t end = text->find('\n', pos);
            std::string line;
            for (size_t i = pos; i < end; ++i) {
                const char c = (*text)[i];
                if (c != ' ' || (!line.empty() && line.back() != ' ')) {
                    line += c;
                }
            }
            while (!line.empty() && line.back() == ' ') {
                line.pop_back();
            }
            if (with_input || line.rfind("Input ", 0) != 0) {
                out += line + "\n";
            }
            pos = end + 1;
        }
        return out;
    }
    const LayerDef* layer(const std::string& name) const {
        for (const LayerDef& l : net.layers) {
            if (l.name == name) {
                return &l;
            }
        }
        return nullptr;
    }
    /// All errors, one a line.
    std::string errors() const {
        std::string out;
        for (const std::string& e : report.errors()) {
            out += e + "\n";
        }
        return out;
    }
};

inline Converted convert_bytes(const std::string& prototxt, const std::string& model,
                               const ConvertOptions& options = {}) {
    Converted out;
    const Span<const char> text(prototxt.data(), prototxt.size());
    const Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(model.data()), model.size());
    Result<NetDef> net = convert({text, "net.prototxt"}, {bytes, "net.caffemodel"}, options, &out.report);
    out.status = net.status();
    if (net.ok()) {
        out.net = std::move(*net);
    }
    return out;
}

inline Converted convert_text(const std::string& prototxt, const Weights& weights = {},
                              const ConvertOptions& options = {}) {
    return convert_bytes(prototxt, weights.bytes(), options);
}

/// An Input layer "data" of the given shape, as "1,3,8,8".
inline std::string input_text(const std::vector<int>& dims) {
    std::string out = "layer { name: 'data' type: 'Input' top: 'data' input_param { shape {";
    for (const int d : dims) {
        out += " dim: " + std::to_string(d);
    }
    return out + " } } }\n";
}

/// One layer "x" of bottom "data" and top "x".
inline std::string layer_text(const std::string& type, const std::string& rest, const std::string& bottom = "data") {
    return "layer { name: 'x' type: '" + type + "' bottom: '" + bottom + "' top: 'x' " + rest + " }\n";
}

/// Converts one layer, unoptimised, and returns its lines, or the error.
inline std::string one_layer(const std::vector<int>& dims, const std::string& type, const std::string& rest = "",
                             const Weights& weights = {}) {
    ConvertOptions options;
    options.optimize = false;
    const Converted c = convert_text(input_text(dims) + layer_text(type, rest), weights, options);
    return c.status.ok() ? c.lines() : std::string("error: ") + c.status.message();
}

}  // namespace fw::caffe
