#include "benchfw/made_table.h"

#include <cmath>
#include <map>

#include "model/schema.h"
#include "quant/histogram.h"

namespace fw::bench {

namespace {

// The range goes up to a power of two: float sums differ in their last bits between processors and thread counts, and
// the int8 network made here is to have the same bits on all of them. Unknown where every value was 0 or too small or
// large for a scale.
QuantParams quant_of(const Histogram& histogram) {
    int exponent = 0;
    const float fraction = std::frexp(histogram.absmax(), &exponent);
    const float range = std::ldexp(fraction > 0.5F ? 1.0F : fraction, exponent);
    QuantParams quant;
    quant.scale = (histogram.has_negative() ? 127.0F : 255.0F) / range;
    quant.zero_point = histogram.has_negative() ? 0 : -128;
    return std::isfinite(quant.scale) ? quant : QuantParams();
}

}  // namespace

Result<ScaleTable> make_table(const Net& net, const std::vector<std::vector<Mat>>& inputs) {
    std::map<std::string, Histogram> histograms;
    Extractor extractor = net.create_extractor();
    extractor.set_observer([&](const std::string& blob, const Mat& value) -> Status {
        if (!histograms[blob].add({value.data(), static_cast<size_t>(value.count())})) {
            return Status::error(Code::kInvalidArgument, "blob '%s' holds inf or nan", blob.c_str());
        }
        return {};
    });
    const std::vector<std::string> names = net.input_names();
    for (const std::vector<Mat>& mats : inputs) {
        for (size_t i = 0; i < mats.size(); ++i) {
            FW_RETURN_IF_ERROR(extractor.input(names[i].c_str(), mats[i]));
        }
        for (const std::string& output : net.output_names()) {
            Mat ignored;
            FW_RETURN_IF_ERROR(extractor.extract(output.c_str(), &ignored));
        }
    }

    ScaleTable table;
    table.source = "made table";
    for (const auto& [blob, histogram] : histograms) {
        const QuantParams quant = quant_of(histogram);
        if (quant.known()) {
            table.blobs[blob] = quant;
        }
    }
    FW_ASSIGN_OR_RETURN(const std::vector<LayerPlan> plan, net.plan());
    for (const LayerPlan& step : plan) {
        const LayerSchema* schema = find_schema(step.type);
        if (schema != nullptr && schema->quant == QuantRule::kWeighted) {
            table.layers[step.name];  // naming it is what lets it run int8
        }
    }
    return table;
}

}  // namespace fw::bench
