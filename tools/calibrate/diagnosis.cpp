#include "calibrate/diagnosis.h"

#include <algorithm>
#include <cmath>

#include "calibrate/likeness.h"
#include "calibrate/make_table.h"
#include "graph/weighted.h"
#include "quant/quant.h"

namespace fw::tools {

namespace {

constexpr int kCountedBins = 2048;

// Sums over a blob's values in both networks.
struct Sums {
    double signal = 0.0;   // x^2
    double other = 0.0;    // y^2
    double product = 0.0;  // x y
    double noise = 0.0;    // (x - y)^2

    void add(const Sums& more) {
        signal += more.signal;
        other += more.other;
        product += more.product;
        noise += more.noise;
    }
    double sqnr_db() const {
        return noise > 0.0 && signal > 0.0 ? 10.0 * std::log10(signal / noise) : noise > 0.0 ? 0.0 : kEqualSqnr;
    }
    double cosine() const {
        return signal > 0.0 && other > 0.0 ? product / std::sqrt(signal * other) : noise > 0.0 ? 0.0 : 1.0;
    }
};
using BlobSums = std::map<std::string, Sums>;

Sums compare(const std::vector<float>& x, const Mat& y) {
    Sums sums;
    for (size_t i = 0; i < x.size(); ++i) {
        const auto a = static_cast<double>(x[i]);
        const auto b = static_cast<double>(y.data()[i]);
        sums.signal += a * a;
        sums.other += b * b;
        sums.product += a * b;
        sums.noise += (a - b) * (a - b);
    }
    return sums;
}

Result<BlobSums> compare_image(const Net& float_net, const Net& int8_net, const Blobs& inputs) {
    std::map<std::string, std::vector<float>> reference;
    FW_RETURN_IF_ERROR(run_observed(float_net, inputs, [&](const std::string& blob, const Mat& value) -> Status {
        reference[blob].assign(value.data(), value.data() + value.count());
        return {};
    }));
    BlobSums sums;
    FW_RETURN_IF_ERROR(run_observed(int8_net, inputs, [&](const std::string& blob, const Mat& value) -> Status {
        const auto found = reference.find(blob);
        if (found != reference.end() && found->second.size() == static_cast<size_t>(value.count())) {
            sums[blob] = compare(found->second, value);
        }
        return {};
    }));
    return sums;
}

void describe_weights(const Node& node, LayerDiagnosis* out) {
    if (!has_constant_weights(node) || !check_weights(node).ok()) {
        return;
    }
    std::vector<float> storage;
    const Span<const float> weights = node.weights[0].floats(&storage);
    const size_t row = weights.size() / static_cast<size_t>(num_output(node));
    float least = INFINITY;
    float most = 0.0F;
    for (size_t begin = 0; begin < weights.size(); begin += row) {
        float largest = 0.0F;
        for (size_t i = begin; i < begin + row; ++i) {
            largest = std::max(largest, std::fabs(weights[i]));
        }
        out->dead_channels += largest == 0.0F ? 1 : 0;
        least = largest > 0.0F ? std::min(least, largest) : least;
        most = std::max(most, largest);
    }
    out->weight_spread = most > 0.0F ? static_cast<double>(most) / static_cast<double>(least) : 0.0;
}

void describe_blob(const BlobStatistics& seen, LayerDiagnosis* out) {
    const Histogram& histogram = seen.values.histogram;
    out->min = histogram.min();
    out->max = histogram.max();
    out->counts = histogram.rebin(kShownBins).counts;
    if (!out->quant.known()) {
        return;
    }
    const int least = out->quant.zero_point == 0 ? -kQuantMax : -kQuantMax - 1;
    out->lo = static_cast<float>(least - out->quant.zero_point) / out->quant.scale;
    out->hi = static_cast<float>(kQuantMax - out->quant.zero_point) / out->quant.scale;
    const double half_step = 0.5 / static_cast<double>(out->quant.scale);
    const Bins bins = histogram.rebin(kCountedBins);
    uint64_t clipped = 0;
    for (size_t i = 0; i < bins.counts.size(); ++i) {
        const double centre = bins.lo + (static_cast<double>(i) + 0.5) * bins.width;
        const bool outside =
            centre < static_cast<double>(out->lo) - half_step || centre > static_cast<double>(out->hi) + half_step;
        clipped += outside ? bins.counts[i] : 0;
    }
    const uint64_t all = histogram.count() + histogram.zeros();
    out->clipped_percent = all == 0 ? 0.0 : 100.0 * static_cast<double>(clipped) / static_cast<double>(all);
}

Status load_int8(const NetOptions& files, const ScaleTable& table, Net* net) {
    Option option;
    option.precision = Precision::kInt8;
    option.threads = 1;
    option.ignore_table_model = files.force;
    option.disabled_passes = passes_that_hide_blobs();
    FW_RETURN_IF_ERROR(net->set_option(option));
    FW_RETURN_IF_ERROR(net->load_table(table));
    return net->load_model(files.param.c_str(), files.bin.c_str());
}

}  // namespace

Result<Diagnosis> diagnose(const NetOptions& files, const NetDef& def, const Net& float_net, const ImageSet& set,
                           const Statistics& statistics, const ScaleTable& table) {
    Diagnosis out;
    out.net = files.param;
    out.images = statistics.images;
    Net int8_net;
    FW_RETURN_IF_ERROR(load_int8(files, table, &int8_net));
    FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(def));
    const std::vector<std::string> answers = find_answers(graph).blobs;
    const ImageSet some = some_of(set, kDiagnosedImages);
    BlobSums sums;
    const auto take = [&](size_t index, const BlobSums& image) -> Status {
        Sums whole;
        for (const auto& [blob, more] : image) {
            sums[blob].add(more);
            if (std::find(answers.begin(), answers.end(), blob) != answers.end()) {
                whole.add(more);
            }
        }
        out.worst.push_back({some.images[index].path, whole.sqnr_db()});
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_image<BlobSums>(
        some, "comparing", [&](const Blobs& inputs) { return compare_image(float_net, int8_net, inputs); }, take,
        [](size_t, const Status&) { return Status(); }));
    std::stable_sort(out.worst.begin(), out.worst.end(),
                     [](const ImageDiagnosis& a, const ImageDiagnosis& b) { return a.sqnr_db < b.sqnr_db; });
    out.worst.resize(std::min(out.worst.size(), kShownImages));
    std::map<std::string, std::string> precisions;
    FW_ASSIGN_OR_RETURN(const std::vector<LayerPlan> plan, int8_net.plan());
    for (const LayerPlan& step : plan) {
        precisions[step.name] = step.input_type == DType::kInt8 ? "int8" : "float";
    }
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        LayerDiagnosis layer;
        layer.name = node.name;
        layer.type = node.type;
        layer.blob = graph.value(node.outputs[0]).name;
        const auto precision = precisions.find(node.name);
        layer.precision = precision == precisions.end() ? "" : precision->second;
        const auto quant = table.blobs.find(layer.blob);
        layer.quant = quant == table.blobs.end() ? QuantParams() : quant->second;
        const auto seen = statistics.blobs.find(layer.blob);
        if (seen != statistics.blobs.end()) {
            describe_blob(seen->second, &layer);
        }
        const auto compared = sums.find(layer.blob);
        if (compared != sums.end()) {
            layer.sqnr_db = compared->second.sqnr_db();
            layer.cosine = compared->second.cosine();
        }
        describe_weights(node, &layer);
        out.layers.push_back(std::move(layer));
    }
    return out;
}

}  // namespace fw::tools
