// The reports of a diagnosis: JSON, a page, lines of text.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "calibrate/diagnosis.h"
#include "common/file.h"
#include "common/page.h"
#include "fw/version.h"

extern const char kDiagnosisPage[];  // report.html, by fw_embed

namespace fw::tools {

namespace {

using Json = nlohmann::ordered_json;

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

std::string range(float lo, float hi) {
    return number(static_cast<double>(lo)) + " to " + number(static_cast<double>(hi)) + "\n";
}

// Counts as a row of characters, each a power of ten: '.' none, then 1, 2, ... for their digits.
std::string sparkline(const std::vector<uint64_t>& counts) {
    std::string out;
    for (uint64_t count : counts) {
        char digits = '.';
        for (; count > 0; count /= 10) {
            digits = digits == '.' ? '1' : static_cast<char>(digits + (digits < '9' ? 1 : 0));
        }
        out += digits;
    }
    return out;
}

// `histograms`: with the counts of every bin.
Json to_json(const Diagnosis& diagnosis, bool histograms) {
    Json layers = Json::array();
    for (const LayerDiagnosis& layer : diagnosis.layers) {
        Json entry = {{"name", layer.name}, {"type", layer.type}, {"blob", layer.blob}};
        if (layer.quant.known()) {
            entry["scale"] = layer.quant.scale;
            entry["zero_point"] = layer.quant.zero_point;
            entry["threshold"] = std::max(-layer.lo, layer.hi);
            entry["lo"] = layer.lo;
            entry["hi"] = layer.hi;
        }
        entry["absmax"] = std::max(-layer.min, layer.max);
        entry["min"] = layer.min;
        entry["max"] = layer.max;
        entry["clipped_percent"] = layer.clipped_percent;
        if (layer.sqnr_db) {
            entry["sqnr_db"] = *layer.sqnr_db;
            entry["cosine"] = *layer.cosine;
        }
        entry["precision"] = layer.precision;
        if (layer.weight_spread > 0.0) {
            entry["weight_spread"] = layer.weight_spread;
            entry["dead_channels"] = layer.dead_channels;
        }
        if (histograms) {
            entry["counts"] = layer.counts;
        }
        layers.push_back(std::move(entry));
    }
    Json worst = Json::array();
    for (const ImageDiagnosis& image : diagnosis.worst) {
        worst.push_back({{"image", image.path}, {"sqnr_db", image.sqnr_db}});
    }
    return {{"method", diagnosis.method},
            {"images", diagnosis.images},
            {"seconds", diagnosis.seconds},
            {"layers", std::move(layers)},
            {"worst", std::move(worst)}};
}

}  // namespace

std::string diagnosis_json(const Diagnosis& diagnosis) {
    return to_json(diagnosis, false).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string diagnosis_html(const Diagnosis& diagnosis) {
    Json report = to_json(diagnosis, true);
    report["version"] = version();
    report["net"] = base_name(diagnosis.net);
    return fill_page(kDiagnosisPage, report);
}

Result<std::string> explain(const Diagnosis& diagnosis, const std::string& layer) {
    std::string similar;
    for (const LayerDiagnosis& d : diagnosis.layers) {
        if (d.name != layer) {
            similar = similar.empty() && d.name.find(layer) != std::string::npos ? d.name : similar;
            continue;
        }
        std::string out =
            layer + " (" + d.type + ") runs " + (d.precision.empty() ? "inside another layer" : d.precision) + "\n";
        out += "  seen           " + range(d.min, d.max);
        if (d.quant.known()) {
            out += "  kept           " + range(d.lo, d.hi);
            out += "  scale          " + number(static_cast<double>(d.quant.scale)) + ", zero point " +
                   std::to_string(d.quant.zero_point) + "\n";
            out += "  clipped        " + number(d.clipped_percent) + " % of the values\n";
        }
        if (d.sqnr_db) {
            out += "  against float  " + number(*d.sqnr_db) + " dB, cosine " + number(*d.cosine) + "\n";
        }
        if (d.weight_spread > 0.0) {
            out += "  weights        largest channel / smallest: " + number(d.weight_spread) + ", " +
                   std::to_string(d.dead_channels) + " dead channels\n";
        }
        out += "  digits of the counts from the least to the largest value seen:\n  " + sparkline(d.counts) + "\n";
        return out;
    }
    return Status::error(Code::kInvalidArgument, "--explain %s: the network has no such layer%s%s", layer.c_str(),
                         similar.empty() ? "" : "; is it ", similar.c_str());
}

}  // namespace fw::tools
