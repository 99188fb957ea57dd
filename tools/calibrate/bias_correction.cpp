#include "calibrate/bias_correction.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "calibrate/likeness.h"
#include "calibrate/make_table.h"
#include "graph/weighted.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

constexpr double kSignificant = 2.0;  // standard errors

// A network in memory in which every weighted layer's activation is a layer of its own, "<name>/activation", behind the
// blob "<blob>/linear".
struct Probe {
    std::string param;
    std::vector<uint8_t> bin;
    std::map<std::string, std::string> linear;  // by layer with weights: the blob in front of its activation
    std::vector<std::string> activations;
    std::vector<std::string> order;  // layers with weights
};

bool is_weighted_type(const std::string& type) {
    Node node;
    node.type = type;
    return is_weighted(node);
}

// The activation as a layer of its own; an empty type where none of those can be split off.
LayerDef activation_layer(const LayerDef& layer) {
    LayerDef out;
    const std::vector<float> values = layer.params.get_floats(kActivationParams);
    switch (layer.params.get(kActivationType, 0)) {
        case kActRelu: out.type = "ReLU"; break;
        case kActLeakyRelu:
            out.type = "ReLU";
            out.params.set(0, values.empty() ? 0.0F : values[0]);
            break;
        case kActClip:
            if (values.size() == 2) {
                out.type = "Clip";
                out.params.set(0, values[0]);
                out.params.set(1, values[1]);
            }
            break;
        default: break;
    }
    return out;
}

Result<Probe> make_probe(const Graph& graph) {
    Probe probe;
    NetDef net = graph.to_net_def();
    std::vector<LayerDef> layers;
    for (LayerDef& layer : net.layers) {
        const bool weighted = is_weighted_type(layer.type) && layer.tops.size() == 1;
        LayerDef activation = weighted ? activation_layer(layer) : LayerDef();
        const bool split = !activation.type.empty();
        if (split) {
            activation.name = layer.name + "/activation";
            activation.tops = layer.tops;
            layer.tops[0] += "/linear";
            activation.bottoms = layer.tops;
            layer.params.erase(kActivationType);
            layer.params.erase(kActivationParams);
            probe.activations.push_back(activation.name);
        }
        if (weighted && (split || layer.params.get(kActivationType, 0) == kActNone)) {
            probe.linear[layer.name] = layer.tops[0];
            probe.order.push_back(layer.name);
        }
        layers.push_back(std::move(layer));
        if (split) {
            layers.push_back(std::move(activation));
        }
    }
    net.layers = std::move(layers);
    FW_ASSIGN_OR_RETURN(probe.param, param_text(net));
    FW_ASSIGN_OR_RETURN(probe.bin, bin_bytes(net));
    return probe;
}

Status load(const Probe& probe, const ScaleTable* table, Net* net) {
    Option option;
    option.precision = table == nullptr ? Precision::kFloat : Precision::kInt8;
    option.threads = 1;
    option.disabled_passes = {"fuse_activation", "fuse_sum", "fuse_table"};  // all blobs stay
    FW_RETURN_IF_ERROR(net->set_option(option));
    if (table != nullptr) {
        FW_RETURN_IF_ERROR(net->load_table(*table));
    }
    return net->load_model_memory({probe.param.data(), probe.param.size()}, probe.bin);
}

using Means = std::vector<double>;         // of each channel of a blob, in one image
using ImageMeans = std::vector<Means>;     // by blob
using AllMeans = std::vector<ImageMeans>;  // by image; empty where it could not be read

Means channel_means(const Mat& value) {
    const auto channels = static_cast<size_t>(value.shape().rank >= 3 ? value.c() : value.shape()[0]);
    const size_t pixels = channels == 0 ? 0 : static_cast<size_t>(value.count()) / channels;
    Means means(channels, 0.0);
    for (size_t c = 0; c < channels; ++c) {
        for (size_t i = c * pixels; i < (c + 1) * pixels; ++i) {
            means[c] += static_cast<double>(value.data()[i]);
        }
        means[c] /= static_cast<double>(std::max<size_t>(1, pixels));
    }
    return means;
}

Result<AllMeans> means_of(const Net& net, const ImageSet& set, const std::vector<std::string>& blobs,
                          const char* title) {
    AllMeans all(set.images.size());
    const auto work = [&](const Mat& input) -> Result<ImageMeans> {
        Extractor extractor = net.create_extractor();
        FW_RETURN_IF_ERROR(extractor.input(net.input_names()[0].c_str(), input));
        ImageMeans means;
        for (const std::string& blob : blobs) {
            Mat out;
            FW_RETURN_IF_ERROR(extractor.extract(blob.c_str(), &out));
            means.push_back(channel_means(out));
        }
        return means;
    };
    const auto take = [&](size_t index, ImageMeans means) -> Status {
        all[index] = std::move(means);
        return {};
    };
    FW_RETURN_IF_ERROR(
        for_each_image<ImageMeans>(set, title, work, take, [](size_t, const Status&) { return Status(); }));
    return all;
}

// The mean of (wanted * factor - found) for each channel, 0 where it is not significant.
std::vector<float> corrections(const AllMeans& wanted, size_t blob, const AllMeans& found,
                               const std::vector<float>& factors) {
    std::vector<double> sum;
    std::vector<double> squares;
    double images = 0.0;
    for (size_t image = 0; image < wanted.size(); ++image) {
        if (wanted[image].empty() || found[image].empty() || wanted[image][blob].size() != found[image][0].size()) {
            continue;
        }
        const Means& means = wanted[image][blob];
        sum.resize(means.size(), 0.0);
        squares.resize(means.size(), 0.0);
        images += 1.0;
        for (size_t c = 0; c < means.size(); ++c) {
            const double factor = factors.empty() ? 1.0 : static_cast<double>(factors[c]);
            const double difference = means[c] * factor - found[image][0][c];
            sum[c] += difference;
            squares[c] += difference * difference;
        }
    }
    std::vector<float> out(sum.size(), 0.0F);
    for (size_t c = 0; c < sum.size() && images > 1.0; ++c) {
        const double mean = sum[c] / images;
        const double variance = std::max(0.0, squares[c] / images - mean * mean) / (images - 1.0);
        if (std::fabs(mean) > kSignificant * std::sqrt(variance)) {
            out[c] = static_cast<float>(mean);
        }
    }
    return out;
}

}  // namespace

Result<BiasCorrector> BiasCorrector::create(const NetDef& net, const ImageSet& set) {
    BiasCorrector out;
    out.net_ = &net;
    out.set_ = some_of(set, kBiasImages);
    FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(net));
    FW_ASSIGN_OR_RETURN(const Probe probe, make_probe(graph));
    out.layers_ = probe.order;
    std::vector<std::string> blobs;
    for (const std::string& layer : probe.order) {
        blobs.push_back(probe.linear.at(layer));
    }
    Net float_net;
    FW_RETURN_IF_ERROR(load(probe, nullptr, &float_net));
    FW_ASSIGN_OR_RETURN(out.means_, means_of(float_net, out.set_, blobs, "float means"));
    return out;
}

Status BiasCorrector::correct(ScaleTable* table) const {
    for (auto& [name, entry] : table->layers) {
        entry.bias_delta.clear();
    }
    FW_ASSIGN_OR_RETURN(const Graph scaled, corrected_graph(*net_, *table));
    FW_ASSIGN_OR_RETURN(const Probe probe, make_probe(scaled));
    ScaleTable working = *table;
    working.model_hash.clear();
    for (auto& [name, entry] : working.layers) {
        entry.equalize.clear();  // in the probe's weights already
        entry.round_up.clear();
    }
    for (const std::string& activation : probe.activations) {
        working.layers[activation].precision = ScaleTable::LayerPrecision::kFloat;
    }
    for (size_t i = 0; i < layers_.size(); ++i) {
        const std::string& layer = layers_[i];
        const auto entry = table->layers.find(layer);
        if (entry == table->layers.end() || entry->second.weight_scales.empty() ||
            entry->second.precision == ScaleTable::LayerPrecision::kFloat || probe.linear.count(layer) == 0) {
            continue;
        }
        Net int8_net;
        FW_RETURN_IF_ERROR(load(probe, &working, &int8_net));
        FW_ASSIGN_OR_RETURN(const AllMeans found, means_of(int8_net, set_, {probe.linear.at(layer)}, layer.c_str()));
        std::vector<float> delta = corrections(means_, i, found, entry->second.equalize);
        if (std::any_of(delta.begin(), delta.end(), [](float d) { return d != 0.0F; })) {
            working.layers[layer].bias_delta = delta;
            entry->second.bias_delta = std::move(delta);
        }
    }
    return {};
}

}  // namespace fw::tools
