// Writes .table files (docs/table-format.md) in both forms.
#include "fw/table.h"
#include "model/table_format.h"
#include "model/text.h"

namespace fw {

namespace {

void append_scale(float scale, std::string* out) {
    *out += " " + format_float(scale);
}

void append_scales(const std::vector<float>& scales, std::string* out) {
    for (const float scale : scales) {
        append_scale(scale, out);
    }
    *out += "\n";
}

// As take_rounding reads them; bits that fill the last digit are 0.
void append_bits(const std::vector<bool>& bits, std::string* out) {
    for (size_t i = 0; i < bits.size(); i += 4) {
        size_t digit = 0;
        for (size_t bit = 0; bit < 4; ++bit) {
            digit = 2 * digit + (i + bit < bits.size() && bits[i + bit] ? 1 : 0);
        }
        *out += "0123456789abcdef"[digit];
    }
    *out += "\n";
}

void append_quant(const QuantParams& quant, std::string* out) {
    append_scale(quant.scale, out);
    *out += " " + std::to_string(quant.zero_point) + "\n";
}

void append_list(const char* key, const std::vector<float>& values, std::string* out) {
    for (size_t i = 0; i < values.size(); ++i) {
        *out += (i == 0 ? std::string(" ") + key + "=" : std::string(",")) + format_float(values[i]);
    }
}

}  // namespace

std::string ScaleTable::to_text() const {
    std::string out = std::string(kTableHeader) + " " + std::to_string(kTableVersion) + "\n";
    if (!model_hash.empty()) {
        out += "model " + model_hash + "\n";
    }
    if (preprocess.known()) {
        out += std::string("preprocess pixel=") + kTablePixelNames[static_cast<int>(preprocess.pixel)];
        if (preprocess.width > 0 && preprocess.height > 0) {
            out += " size=" + std::to_string(preprocess.width) + "x" + std::to_string(preprocess.height);
        }
        append_list("mean", preprocess.mean, &out);
        append_list("norm", preprocess.norm, &out);
        out += "\n";
    }
    for (const auto& [name, quant] : blobs) {
        out += "blob " + name;
        append_quant(quant, &out);
    }
    for (const auto& [name, e] : layers) {
        if (e.precision != LayerPrecision::kUnset) {
            out += "layer " + name + (e.precision == LayerPrecision::kInt8 ? " int8\n" : " float\n");
        }
        if (e.input.known()) {
            out += "input " + name;
            append_quant(e.input, &out);
        }
        if (!e.weight_scales.empty()) {
            out += "weights " + name;
            append_scales(e.weight_scales, &out);
        }
        if (!e.equalize.empty()) {
            out += "equalize " + name;
            append_scales(e.equalize, &out);
        }
        if (!e.bias_delta.empty()) {
            out += "bias " + name;
            append_scales(e.bias_delta, &out);
        }
        if (!e.round_up.empty()) {
            out += "round " + name + " ";
            append_bits(e.round_up, &out);
        }
    }
    return out;
}

std::string ScaleTable::to_legacy_text() const {
    std::string out;
    for (const auto& [name, e] : layers) {
        if (!e.weight_scales.empty()) {
            out += name;
            out += kTableWeightSuffix;
            append_scales(e.weight_scales, &out);
        }
    }
    for (const auto& [name, e] : layers) {
        if (e.input.known()) {
            out += name;
            append_scale(e.input.scale, &out);
            out += "\n";
        }
    }
    return out;
}

}  // namespace fw
