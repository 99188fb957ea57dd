#include "calibrate/bias_correction.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "calibrate/likeness.h"
#include "calibrate/make_table.h"
#include "graph/weighted.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

constexpr double kSignificant = 2.0;             // standard errors
constexpr size_t kWalkBytes = size_t{64} << 20;  // for blobs of all images between two layers

// A network in which every weighted layer's activation is a layer of its own, "<name>/activation", behind the blob
// "<blob>/linear".
struct Probe {
    NetDef net;
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

Probe make_probe(const Graph& graph) {
    Probe probe;
    NetDef& net = probe.net;
    net = graph.to_net_def();
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
    return probe;
}

// A network with the files in memory that it reads.
struct LoadedNet {
    std::string param;
    std::vector<uint8_t> bin;
    Net net;
};

Status load(const NetDef& def, const ScaleTable* table, LoadedNet* out) {
    Option option;
    option.precision = table == nullptr ? Precision::kFloat : Precision::kInt8;
    option.threads = 1;
    option.disabled_passes = passes_that_hide_blobs();
    option.disabled_passes.emplace_back("fuse_activation");
    FW_RETURN_IF_ERROR(out->net.set_option(option));
    if (table != nullptr) {
        FW_RETURN_IF_ERROR(out->net.load_table(*table));
    }
    FW_ASSIGN_OR_RETURN(out->param, param_text(def));
    FW_ASSIGN_OR_RETURN(out->bin, bin_bytes(def));
    return out->net.load_model_memory({out->param.data(), out->param.size()}, out->bin);
}

// Blobs that layers in front of `position` make and others read.
std::set<std::string> blobs_alive(const NetDef& net, size_t position) {
    std::set<std::string> made;
    std::set<std::string> alive;
    for (size_t i = 0; i < net.layers.size(); ++i) {
        for (const std::string& bottom : net.layers[i].bottoms) {
            if (i >= position && made.count(bottom) != 0) {
                alive.insert(bottom);
            }
        }
        if (i < position) {
            made.insert(net.layers[i].tops.begin(), net.layers[i].tops.end());
        }
    }
    return alive;
}

// The layers from `first` to `last` as a network of their own, whose inputs are what they read of the layers before.
NetDef section(const NetDef& net, size_t first, size_t last) {
    NetDef out;
    out.source = net.source;
    std::set<std::string> made;
    std::vector<LayerDef> layers;
    for (size_t i = first; i <= last; ++i) {
        const LayerDef& layer = net.layers[i];
        for (const std::string& bottom : layer.bottoms) {
            if (made.insert(bottom).second) {
                LayerDef input;
                input.type = "Input";
                input.name = bottom + "/input";
                input.tops = {bottom};
                out.layers.push_back(std::move(input));
            }
        }
        made.insert(layer.tops.begin(), layer.tops.end());
        layers.push_back(layer);
    }
    out.layers.insert(out.layers.end(), layers.begin(), layers.end());
    return out;
}

using Means = std::vector<double>;         // of each output channel of a layer with weights, in one image
using ImageMeans = std::vector<Means>;     // by blob
using AllMeans = std::vector<ImageMeans>;  // by image; empty where it could not be read

// Channels are axis 0, of the rows that an InnerProduct makes of rows the columns.
Means channel_means(const Mat& value) {
    const bool rows = value.shape().rank == 2;
    const auto channels = static_cast<size_t>(rows ? value.w() : value.shape()[0]);
    const size_t pixels = channels == 0 ? 0 : static_cast<size_t>(value.count()) / channels;
    Means means(channels, 0.0);
    for (size_t c = 0; c < channels; ++c) {
        for (size_t i = 0; i < pixels; ++i) {
            means[c] += static_cast<double>(value.data()[rows ? i * channels + c : c * pixels + i]);
        }
        means[c] /= static_cast<double>(std::max<size_t>(1, pixels));
    }
    return means;
}

// The lines of `table` about the layers and blobs of `net`.
ScaleTable table_of(const ScaleTable& table, const NetDef& net) {
    ScaleTable out = table;
    out.layers.clear();
    out.blobs.clear();
    for (const LayerDef& layer : net.layers) {
        const auto entry = table.layers.find(layer.name);
        if (entry != table.layers.end()) {
            out.layers.insert(*entry);
        }
        for (const std::string& top : layer.tops) {
            const auto blob = table.blobs.find(top);
            if (blob != table.blobs.end()) {
                out.blobs.insert(*blob);
            }
        }
    }
    return out;
}

// Of the float network.
Result<AllMeans> means_of(const Net& net, const ImageSet& set, const std::vector<std::string>& blobs) {
    AllMeans all(set.images.size());
    const auto work = [&](const Blobs& inputs) -> Result<ImageMeans> {
        ImageMeans means(blobs.size());
        FW_RETURN_IF_ERROR(run_observed(net, inputs, [&](const std::string& blob, const Mat& value) -> Status {
            const auto found = std::find(blobs.begin(), blobs.end(), blob);
            if (found != blobs.end()) {
                means[static_cast<size_t>(found - blobs.begin())] = channel_means(value);
            }
            return {};
        }));
        return means;
    };
    const auto take = [&](size_t index, ImageMeans means) -> Status {
        all[index] = std::move(means);
        return {};
    };
    FW_RETURN_IF_ERROR(
        for_each_image<ImageMeans>(set, "float means", work, take, [](size_t, const Status&) { return Status(); }));
    return all;
}

// Of every blob that the float network computes, in the first image that can be read.
Result<std::map<std::string, size_t>> blob_bytes(const Net& net, const ImageSet& set) {
    std::map<std::string, size_t> bytes;
    for (size_t i = 0; i < set.images.size() && bytes.empty(); ++i) {
        const Result<Blobs> inputs = load_checked(set, i);
        if (inputs.ok()) {
            FW_RETURN_IF_ERROR(run_observed(net, *inputs, [&](const std::string& blob, const Mat& value) -> Status {
                bytes[blob] = static_cast<size_t>(value.count()) * sizeof(float);
                return {};
            }));
        }
    }
    return bytes;
}

// Goes through the network from layer to layer: what is alive in front of the last layer measured is kept for each
// image, as far as kWalkBytes hold it, and the next section begins with it.
class Walk {
public:
    Walk(const NetDef& net, const ImageSet& set, const std::map<std::string, size_t>& bytes)
        : net_(net), set_(set), bytes_(bytes), kept_(set.images.size()) {}

    // Means of `blob`, which the layer at `position` makes, in every image; empty where it could not be read.
    Result<std::vector<Means>> measure(const ScaleTable& table, size_t position, const std::string& blob) {
        LoadedNet loaded;
        const NetDef part = section(net_, first_, position);
        const ScaleTable lines = table_of(table, part);
        FW_RETURN_IF_ERROR(load(part, &lines, &loaded));
        const std::set<std::string> alive = blobs_alive(net_, position);
        const bool goes_on = holds(alive);
        struct Found {
            Means means;
            Blobs blobs;
        };
        const auto work = [&](const Blobs& from) -> Result<Found> {
            Found found;
            for (const auto& [name, value] : from) {
                if (goes_on && alive.count(name) != 0) {
                    found.blobs.emplace(name, value);
                }
            }
            const auto observe = [&](const std::string& name, const Mat& value) -> Status {
                if (name == blob) {
                    found.means = channel_means(value);
                }
                if (goes_on && alive.count(name) != 0) {
                    FW_ASSIGN_OR_RETURN(Mat copy, value.clone());
                    found.blobs.emplace(name, std::move(copy));
                }
                return {};
            };
            FW_RETURN_IF_ERROR(run_observed(loaded.net, from, observe));
            return found;
        };
        std::vector<Means> means(kept_.size());
        const auto take = [&](size_t index, Found found) -> Status {
            means[index] = std::move(found.means);
            if (goes_on) {
                kept_[index] = std::move(found.blobs);
            }
            return {};
        };
        FW_RETURN_IF_ERROR(for_each_loaded<Found>(
            set_, net_.layers[position].name.c_str(), [&](size_t index) { return begin(index); }, work, take,
            [](size_t, const Status&) { return Status(); }));
        first_ = goes_on ? position : first_;
        return means;
    }

private:
    Result<Blobs> begin(size_t index) const {
        if (first_ > 0) {
            return kept_[index].empty() ? Result<Blobs>(Status::error(Code::kIoError, "was not read")) : kept_[index];
        }
        return load_checked(set_, index);
    }

    bool holds(const std::set<std::string>& blobs) const {
        size_t bytes = 0;
        for (const std::string& blob : blobs) {
            const auto found = bytes_.find(blob);
            bytes += found == bytes_.end() ? kWalkBytes : found->second;
        }
        return bytes <= kWalkBytes / std::max<size_t>(1, kept_.size());
    }

    const NetDef& net_;
    const ImageSet& set_;
    const std::map<std::string, size_t>& bytes_;
    size_t first_ = 0;         // layers in front of it are behind us
    std::vector<Blobs> kept_;  // by image: what is alive in front of it
};

// The mean of (wanted * factor - found) for each channel, 0 where it is not significant.
std::vector<float> corrections(const AllMeans& wanted, size_t blob, const std::vector<Means>& found,
                               const std::vector<float>& factors) {
    std::vector<double> sum;
    std::vector<double> squares;
    double images = 0.0;
    for (size_t image = 0; image < wanted.size(); ++image) {
        if (wanted[image].empty() || found[image].empty() || wanted[image][blob].size() != found[image].size()) {
            continue;
        }
        const Means& means = wanted[image][blob];
        sum.resize(means.size(), 0.0);
        squares.resize(means.size(), 0.0);
        images += 1.0;
        for (size_t c = 0; c < means.size(); ++c) {
            const double factor = factors.empty() ? 1.0 : static_cast<double>(factors[c]);
            const double difference = means[c] * factor - found[image][c];
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
    const Probe probe = make_probe(graph);
    out.layers_ = probe.order;
    std::vector<std::string> blobs;
    for (const std::string& layer : probe.order) {
        blobs.push_back(probe.linear.at(layer));
    }
    LoadedNet loaded;
    FW_RETURN_IF_ERROR(load(probe.net, nullptr, &loaded));
    FW_ASSIGN_OR_RETURN(out.means_, means_of(loaded.net, out.set_, blobs));
    FW_ASSIGN_OR_RETURN(out.bytes_, blob_bytes(loaded.net, out.set_));
    return out;
}

Status BiasCorrector::correct(ScaleTable* table) const {
    for (auto& [name, entry] : table->layers) {
        entry.bias_delta.clear();
    }
    FW_ASSIGN_OR_RETURN(const Graph scaled, corrected_graph(*net_, *table));
    const Probe probe = make_probe(scaled);
    ScaleTable working = *table;
    working.model_hash.clear();
    for (auto& [name, entry] : working.layers) {
        entry.equalize.clear();  // in the probe's weights already
        entry.round_up.clear();
    }
    for (const std::string& activation : probe.activations) {
        working.layers[activation].precision = ScaleTable::LayerPrecision::kFloat;
    }
    std::map<std::string, size_t> position;
    for (size_t i = 0; i < probe.net.layers.size(); ++i) {
        position[probe.net.layers[i].name] = i;
    }
    Walk walk(probe.net, set_, bytes_);
    for (size_t i = 0; i < layers_.size(); ++i) {
        const std::string& layer = layers_[i];
        const auto entry = table->layers.find(layer);
        if (entry == table->layers.end() || entry->second.weight_scales.empty() ||
            entry->second.precision == ScaleTable::LayerPrecision::kFloat || probe.linear.count(layer) == 0) {
            continue;
        }
        FW_ASSIGN_OR_RETURN(const std::vector<Means> found,
                            walk.measure(working, position.at(layer), probe.linear.at(layer)));
        std::vector<float> delta = corrections(means_, i, found, entry->second.equalize);
        if (std::any_of(delta.begin(), delta.end(), [](float d) { return d != 0.0F; })) {
            working.layers[layer].bias_delta = delta;
            entry->second.bias_delta = std::move(delta);
        }
    }
    return {};
}

}  // namespace fw::tools
