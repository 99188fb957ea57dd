#include "calibrate/equalize.h"

#include <algorithm>
#include <cmath>

#include "graph/weighted.h"

namespace fw::tools {

namespace {

constexpr double kLeastRange = 1.0 / 1024.0;  // of the blob's, below which a channel counts as that
constexpr double kPeakPower = 16.0;  // (range of a channel)^2 / mean square, a usual value; scales both terms' ratio
constexpr int kStrengths = 8;

// One reader's weights seen from the blob: [outputs][inputs of the blob], the squares summed over taps and the largest.
struct Reader {
    size_t outputs = 0;
    std::vector<double> energy;   // sum of w^2 over taps
    std::vector<double> largest;  // max |w| over taps
    std::vector<double> weight;   // of an output's noise: 1 / its range^2
};

bool commutes(const Node& node) {
    const int activation = node.params.get(kActivationType, 0);
    if (activation == kActClip) {
        const std::vector<float> bounds = node.params.get_floats(kActivationParams);
        return bounds.size() == 2 && bounds[0] == 0.0F && bounds[1] > 0.0F;
    }
    return activation == kActNone || activation == kActRelu || activation == kActLeakyRelu;
}

bool takes_factors(const Node& node, size_t channels) {
    if (!has_constant_weights(node) || !check_weights(node).ok()) {
        return false;
    }
    const bool convolution = node.type.compare(0, 11, "Convolution") == 0;
    const auto row = static_cast<size_t>(node.weights[0].count() / num_output(node));
    const bool grouped = node.type == "ConvolutionDepthWise" || node.type == "DeconvolutionDepthWise";
    const auto group = static_cast<size_t>(std::max(1, grouped ? node.params.get(7, 1) : 1));
    return channels % group == 0 && static_cast<size_t>(num_output(node)) % group == 0 &&
           row % (channels / group) == 0 && !(convolution && node.params.get(18, 0.0F) != 0.0F);
}

Reader read_weights(const Node& node, size_t channels, const BlobStatistics* output) {
    Reader reader;
    reader.outputs = static_cast<size_t>(num_output(node));
    reader.energy.assign(reader.outputs * channels, 0.0);
    reader.largest.assign(reader.outputs * channels, 0.0);
    reader.weight.assign(reader.outputs, 1.0);
    const bool grouped = node.type == "ConvolutionDepthWise" || node.type == "DeconvolutionDepthWise";
    const auto group = static_cast<size_t>(std::max(1, grouped ? node.params.get(7, 1) : 1));
    std::vector<float> storage;
    const Span<const float> weights = node.weights[0].floats(&storage);
    const size_t row = weights.size() / reader.outputs;
    const size_t in_group = channels / group;
    const size_t taps = row / in_group;
    for (size_t i = 0; i < weights.size(); ++i) {
        const size_t out = i / row;
        const size_t in = out / (reader.outputs / group) * in_group + i % row / taps;
        const double w = weights[i];
        reader.energy[out * channels + in] += w * w;
        reader.largest[out * channels + in] = std::max(reader.largest[out * channels + in], std::fabs(w));
    }
    if (output != nullptr && output->channel_absmax.size() == reader.outputs) {
        const float all = output->values.histogram.absmax();
        for (size_t o = 0; o < reader.outputs && all > 0.0F; ++o) {
            const double range = std::max<double>(output->channel_absmax[o], all * kLeastRange);
            reader.weight[o] = 1.0 / (range * range);
        }
    }
    return reader;
}

// Noise at the readers' outputs, relative to their ranges, up to a factor: the blob's rounding through the weights, and
// the weights' rounding through the blob.
double noise(const std::vector<Reader>& readers, const std::vector<double>& range, const std::vector<double>& factor,
             bool one_sided) {
    const size_t channels = range.size();
    double reach = 0.0;
    for (size_t i = 0; i < channels; ++i) {
        reach = std::max(reach, range[i] * factor[i]);
    }
    const double step = reach / (one_sided ? 255.0 : 127.0);
    double sum = 0.0;
    for (const Reader& reader : readers) {
        for (size_t o = 0; o < reader.outputs; ++o) {
            double through_weights = 0.0;
            double largest = 0.0;
            double power = 0.0;
            for (size_t i = 0; i < channels; ++i) {
                const double energy = reader.energy[o * channels + i];
                if (energy == 0.0) {
                    continue;
                }
                through_weights += energy / (factor[i] * factor[i]);
                largest = std::max(largest, reader.largest[o * channels + i] / factor[i]);
                power += range[i] * factor[i] * range[i] * factor[i] / kPeakPower;
            }
            const double weight_step = largest / 127.0;
            sum += reader.weight[o] * (step * step * through_weights + weight_step * weight_step * power);
        }
    }
    return sum;
}

// Largest weight that reads each channel, relative to the largest of its row.
std::vector<double> column_ranges(const std::vector<Reader>& readers, size_t channels) {
    std::vector<double> column(channels, 0.0);
    for (const Reader& reader : readers) {
        for (size_t o = 0; o < reader.outputs; ++o) {
            const auto row = reader.largest.begin() + static_cast<std::ptrdiff_t>(o * channels);
            const double largest = *std::max_element(row, row + static_cast<std::ptrdiff_t>(channels));
            for (size_t i = 0; i < channels && largest > 0.0; ++i) {
                column[i] = std::max(column[i], row[static_cast<std::ptrdiff_t>(i)] / largest);
            }
        }
    }
    return column;
}

class Chooser {
public:
    Chooser(const Graph& graph, NodeId id, const BlobStatistics& blob, const Statistics& statistics)
        : one_sided_(!blob.values.histogram.has_negative()), reach_(blob.values.histogram.absmax()) {
        const Node& node = graph.node(id);
        const size_t channels = blob.channel_absmax.size();
        for (const float absmax : blob.channel_absmax) {
            range_.push_back(std::max<double>(absmax, reach_ * kLeastRange));
        }
        if (node.params.get(kActivationType, 0) == kActClip) {
            // A little above: rounding to float must not take a bound below the range.
            least_ = reach_ / node.params.get_floats(kActivationParams)[1] * 1.000001;
        }
        for (const NodeId reader : graph.consumers(node.outputs[0])) {
            const Node& reading = graph.node(reader);
            const auto output = statistics.blobs.find(graph.value(reading.outputs[0]).name);
            readers_.push_back(
                read_weights(reading, channels, output == statistics.blobs.end() ? nullptr : &output->second));
        }
        column_ = column_ranges(readers_, channels);
    }

    // The best factors; empty where none is worthwhile.
    std::vector<float> choose(double worthwhile) const {
        const std::vector<double> ones(range_.size(), 1.0);
        double least = noise(readers_, range_, ones, one_sided_) * worthwhile;
        std::vector<double> best;
        for (int step = 0; step <= kStrengths; ++step) {
            std::vector<double> factor = factors(static_cast<double>(step) / kStrengths);
            const double value = noise(readers_, range_, factor, one_sided_);
            if (value < least) {
                least = value;
                best = std::move(factor);
            }
        }
        return {best.begin(), best.end()};
    }

private:
    std::vector<double> factors(double strength) const {
        std::vector<double> factor(range_.size(), 1.0);
        double reach = 0.0;
        for (size_t i = 0; i < factor.size(); ++i) {
            const double column = std::max(column_[i], kLeastRange);
            factor[i] = std::pow(column, 1.0 - strength) / std::pow(range_[i], strength);
            reach = std::max(reach, factor[i] * range_[i]);
        }
        for (size_t i = 0; i < factor.size(); ++i) {
            factor[i] = std::max(factor[i] * reach_ / reach, least_);
        }
        return factor;
    }

    bool one_sided_;
    double reach_;
    double least_ = 0.0;
    std::vector<double> range_;
    std::vector<double> column_;
    std::vector<Reader> readers_;
};

}  // namespace

LayerFactors choose_factors(const Graph& graph, const Statistics& statistics, double worthwhile) {
    LayerFactors out;
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        if (!has_constant_weights(node) || !check_weights(node).ok() || !commutes(node) ||
            graph.value(node.outputs[0]).output) {
            continue;
        }
        const auto channels = static_cast<size_t>(num_output(node));
        const auto blob = statistics.blobs.find(graph.value(node.outputs[0]).name);
        const std::vector<NodeId> readers = graph.consumers(node.outputs[0]);
        const auto input = statistics.blobs.find(graph.value(node.inputs[0]).name);
        const bool suited = input != statistics.blobs.end() && input->second.values.histogram.absmax() > 0.0F &&
                            blob != statistics.blobs.end() && blob->second.channel_absmax.size() == channels &&
                            !readers.empty() && blob->second.values.histogram.absmax() > 0.0F &&
                            std::all_of(readers.begin(), readers.end(),
                                        [&](NodeId reader) { return takes_factors(graph.node(reader), channels); });
        if (!suited) {
            continue;
        }
        std::vector<float> factors = Chooser(graph, id, blob->second, statistics).choose(worthwhile);
        if (!factors.empty()) {
            out[node.name] = std::move(factors);
        }
    }
    return out;
}

ChannelFactors blob_factors(const Graph& graph, const LayerFactors& factors) {
    ChannelFactors out;
    for (const NodeId id : graph.order()) {
        const auto found = factors.find(graph.node(id).name);
        if (found != factors.end()) {
            out[graph.value(graph.node(id).outputs[0]).name] = found->second;
        }
    }
    return out;
}

}  // namespace fw::tools
