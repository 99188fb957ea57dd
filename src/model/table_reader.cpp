// Reads .table files (docs/table-format.md): the legacy form of caffe-int8-convert-tools and ncnn, and Featherweight's
// own.
#include <algorithm>
#include <limits>

#include "fw/table.h"
#include "model/model_io.h"
#include "model/table_format.h"
#include "model/text.h"

namespace fw {

namespace {

constexpr float kMinFactor = 1.0F / 4294967296.0F;  // of equalize: weights stay far from the ends of float's range
constexpr float kMaxFactor = 4294967296.0F;

Status parse_scale(std::string_view token, bool zero_allowed, float* out) {
    const NumberError error = parse_float(token, out);
    if (error != NumberError::kNone) {
        return Status::error(Code::kParseError,
                             error == NumberError::kOutOfRange ? "scale '%s' is beyond the range of float"
                                                               : "scale '%s' is not a finite number",
                             shown(token).c_str());
    }
    if (*out < 0) {
        return Status::error(Code::kParseError, "scale '%s' is negative", shown(token).c_str());
    }
    // Subnormal: its inverse, which dequantizes, would be infinite. A weight scale of 0 is a dead channel.
    if (*out < std::numeric_limits<float>::min() && !(zero_allowed && *out == 0)) {
        return Status::error(Code::kParseError, "%s scale '%s' is %s", zero_allowed ? "weight" : "activation",
                             shown(token).c_str(), *out == 0 ? "zero" : "too small");
    }
    return {};
}

Status parse_numbers(std::string_view list, std::vector<float>* out) {
    while (true) {
        const size_t comma = list.find(',');
        float value = 0;
        if (parse_float(list.substr(0, comma), &value) != NumberError::kNone) {
            return Status::error(Code::kParseError, "'%s' is not a number", shown(list.substr(0, comma)).c_str());
        }
        out->push_back(value);
        if (comma == std::string_view::npos) {
            return {};
        }
        list.remove_prefix(comma + 1);
    }
}

class TableReader {
public:
    TableReader(Span<const char> text, const char* source) : text_(text), source_(source), lines_(text) {}

    Result<ScaleTable> read();

private:
    Status read_legacy(std::string_view line);
    Status read_line(std::string_view line);
    Status read_preprocess(std::string_view rest);
    Status take_name(std::string_view* rest, const char* what, std::string* name);
    Status take_quant(std::string_view* rest, QuantParams* out);
    Status take_weights(std::string_view rest, const std::string& layer);
    Status take_channels(std::string_view rest, const std::string& layer, const char* what,
                         std::vector<float> ScaleTable::LayerEntry::*list);
    Status take_rounding(std::string_view rest, const std::string& layer);
    Status end(std::string_view rest);
    Status set_input(const std::string& layer, const QuantParams& quant);
    ScaleTable::LayerEntry& entry(const std::string& layer);

    Span<const char> text_;
    const char* source_;
    LineReader lines_;
    ScaleTable table_;
    std::map<std::string, int> blob_lines_;
};

ScaleTable::LayerEntry& TableReader::entry(const std::string& layer) {
    ScaleTable::LayerEntry& e = table_.layers[layer];
    if (e.line == 0) {
        e.line = lines_.number();
    }
    return e;
}

Status TableReader::take_name(std::string_view* rest, const char* what, std::string* name) {
    const std::string_view token = next_token(rest);
    if (token.empty() || token.size() > kMaxNameLength) {
        return Status::error(Code::kParseError, "expected a %s's name, found '%s'", what, shown(token).c_str());
    }
    *name = token;
    return {};
}

Status TableReader::end(std::string_view rest) {
    const std::string_view token = next_token(&rest);
    return token.empty() ? Status() : Status::error(Code::kParseError, "unexpected '%s'", shown(token).c_str());
}

Status TableReader::take_weights(std::string_view rest, const std::string& layer) {
    std::vector<float> scales;
    for (std::string_view token = next_token(&rest); !token.empty(); token = next_token(&rest)) {
        float scale = 0;
        const Status parsed = parse_scale(token, true, &scale);
        if (!parsed.ok()) {
            return parsed.with_prefix("layer '%s'", shown(layer).c_str());
        }
        scales.push_back(scale);
    }
    if (scales.empty()) {
        return Status::error(Code::kParseError, "layer '%s' has no weight scales", shown(layer).c_str());
    }
    ScaleTable::LayerEntry& e = entry(layer);
    if (!e.weight_scales.empty() && e.weight_scales != scales) {
        return Status::error(Code::kParseError,
                             "weight scales of layer '%s' differ from those given before (line %d on)",
                             shown(layer).c_str(), e.line);
    }
    e.weight_scales = std::move(scales);
    return {};
}

/// Numbers of `equalize` and `bias`, one an output channel.
Status TableReader::take_channels(std::string_view rest, const std::string& layer, const char* what,
                                  std::vector<float> ScaleTable::LayerEntry::*list) {
    std::vector<float> values;
    for (std::string_view token = next_token(&rest); !token.empty(); token = next_token(&rest)) {
        float value = 0;
        if (parse_float(token, &value) != NumberError::kNone) {
            return Status::error(Code::kParseError, "layer '%s': %s '%s' is not a finite number", shown(layer).c_str(),
                                 what, shown(token).c_str());
        }
        if (list == &ScaleTable::LayerEntry::equalize && !(value >= kMinFactor && value <= kMaxFactor)) {
            return Status::error(Code::kParseError, "layer '%s': factor '%s' is not between 2^-32 and 2^32",
                                 shown(layer).c_str(), shown(token).c_str());
        }
        values.push_back(value);
    }
    if (values.empty()) {
        return Status::error(Code::kParseError, "layer '%s' has no %s", shown(layer).c_str(), what);
    }
    ScaleTable::LayerEntry& e = entry(layer);
    if (!(e.*list).empty() && e.*list != values) {
        return Status::error(Code::kParseError, "the %s of layer '%s' differs from that given before (line %d on)",
                             what, shown(layer).c_str(), e.line);
    }
    e.*list = std::move(values);
    return {};
}

/// Hexadecimal digits of `round`, four weights each, the first one in the highest bit.
Status TableReader::take_rounding(std::string_view rest, const std::string& layer) {
    const std::string_view digits = next_token(&rest);
    std::vector<bool> up;
    up.reserve(digits.size() * 4);
    for (const char c : digits) {
        const size_t digit = std::string_view("0123456789abcdef").find(c);
        if (digit == std::string_view::npos) {
            return Status::error(Code::kParseError, "layer '%s': '%c' is not a digit from 0 to 9 or a to f",
                                 shown(layer).c_str(), c);
        }
        for (size_t bit = 8; bit > 0; bit /= 2) {
            up.push_back((digit & bit) != 0);
        }
    }
    if (up.empty()) {
        return Status::error(Code::kParseError, "layer '%s' has no digits", shown(layer).c_str());
    }
    ScaleTable::LayerEntry& e = entry(layer);
    if (!e.round_up.empty() && e.round_up != up) {
        return Status::error(Code::kParseError,
                             "the rounding of layer '%s' differs from that given before (line %d on)",
                             shown(layer).c_str(), e.line);
    }
    e.round_up = std::move(up);
    return end(rest);
}

Status TableReader::set_input(const std::string& layer, const QuantParams& quant) {
    ScaleTable::LayerEntry& e = entry(layer);
    if (e.input.known() && e.input != quant) {
        return Status::error(Code::kParseError,
                             "the input scale of layer '%s' differs from that given before (line %d on)",
                             shown(layer).c_str(), e.line);
    }
    e.input = quant;
    return {};
}

/// `LAYER s` or `LAYER_param_0 s s ...`.
Status TableReader::read_legacy(std::string_view line) {
    std::string name;
    FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
    const size_t suffix = name.size() - std::min(name.size(), kTableWeightSuffix.size());
    if (suffix > 0 && name.compare(suffix, std::string::npos, kTableWeightSuffix) == 0) {
        return take_weights(line, name.substr(0, suffix));
    }
    const std::string_view token = next_token(&line);
    if (token.empty()) {
        return Status::error(Code::kParseError, "layer '%s' has no scale", shown(name).c_str());
    }
    QuantParams quant;
    FW_RETURN_IF_ERROR(parse_scale(token, false, &quant.scale).with_prefix("layer '%s'", shown(name).c_str()));
    const std::string_view more = next_token(&line);
    if (!more.empty()) {
        return Status::error(Code::kParseError, "layer '%s' has more than one activation scale ('%s')",
                             shown(name).c_str(), shown(more).c_str());
    }
    return set_input(name, quant);
}

Status TableReader::take_quant(std::string_view* rest, QuantParams* out) {
    FW_RETURN_IF_ERROR(parse_scale(next_token(rest), false, &out->scale));
    const std::string_view token = next_token(rest);
    int zero_point = 0;
    if (!parse_int(token, &zero_point) || zero_point < -128 || zero_point > 127) {
        return Status::error(Code::kParseError, "zero point '%s' is not a whole number from -128 to 127",
                             shown(token).c_str());
    }
    out->zero_point = zero_point;
    return end(*rest);
}

/// `pixel=RGB size=227x227 mean=104,117,123 norm=1,1,1`, each part optional but the first.
Status TableReader::read_preprocess(std::string_view rest) {
    Preprocess out;
    for (std::string_view token = next_token(&rest); !token.empty(); token = next_token(&rest)) {
        const size_t equals = token.find('=');
        const std::string_view key = token.substr(0, equals);
        const std::string_view value = equals == std::string_view::npos ? std::string_view() : token.substr(equals + 1);
        if (key == "pixel") {
            for (int pixel = 1; pixel <= 3; ++pixel) {
                if (value == kTablePixelNames[pixel]) {
                    out.pixel = static_cast<Pixel>(pixel);
                }
            }
            if (out.pixel == Pixel::kNone) {
                return Status::error(Code::kParseError, "pixel is '%s', expected RGB, BGR or GRAY",
                                     shown(value).c_str());
            }
        } else if (key == "size") {
            const size_t x = value.find('x');
            if (x == std::string_view::npos || !parse_int(value.substr(0, x), &out.width) ||
                !parse_int(value.substr(x + 1), &out.height) || out.width <= 0 || out.height <= 0) {
                return Status::error(Code::kParseError, "size is '%s', expected WIDTHxHEIGHT", shown(value).c_str());
            }
        } else if (key == "mean" || key == "norm") {
            FW_RETURN_IF_ERROR(parse_numbers(value, key == "mean" ? &out.mean : &out.norm).with_prefix("preprocess"));
        } else {
            return Status::error(Code::kParseError, "preprocess has an unknown part '%s'", shown(token).c_str());
        }
    }
    const size_t channels = out.pixel == Pixel::kGray ? 1 : 3;
    for (const std::vector<float>* values : {&out.mean, &out.norm}) {
        if (values->size() > 1 && values->size() != channels) {
            return Status::error(Code::kParseError, "preprocess has %zu means or norms, expected 1 or %zu",
                                 values->size(), channels);
        }
    }
    if (!out.known()) {
        return Status::error(Code::kParseError, "preprocess lacks pixel=RGB, BGR or GRAY");
    }
    table_.preprocess = std::move(out);
    return {};
}

/// A line of format 2.
Status TableReader::read_line(std::string_view line) {
    const std::string_view keyword = next_token(&line);
    std::string name;
    if (keyword == "model") {
        FW_RETURN_IF_ERROR(take_name(&line, "model", &table_.model_hash));
        return end(line);
    }
    if (keyword == "preprocess") {
        return read_preprocess(line);
    }
    if (keyword == "blob") {
        FW_RETURN_IF_ERROR(take_name(&line, "blob", &name));
        QuantParams quant;
        FW_RETURN_IF_ERROR(take_quant(&line, &quant).with_prefix("blob '%s'", shown(name).c_str()));
        const auto [at, added] = table_.blobs.emplace(name, quant);
        const int before = blob_lines_.emplace(name, lines_.number()).first->second;
        if (!added && at->second != quant) {
            return Status::error(Code::kParseError, "blob '%s' differs from line %d", shown(name).c_str(), before);
        }
        return {};
    }
    if (keyword == "input") {
        FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
        QuantParams quant;
        FW_RETURN_IF_ERROR(take_quant(&line, &quant).with_prefix("layer '%s'", shown(name).c_str()));
        return set_input(name, quant);
    }
    if (keyword == "weights") {
        FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
        return take_weights(line, name);
    }
    if (keyword == "equalize") {
        FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
        return take_channels(line, name, "factor", &ScaleTable::LayerEntry::equalize);
    }
    if (keyword == "bias") {
        FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
        return take_channels(line, name, "bias", &ScaleTable::LayerEntry::bias_delta);
    }
    if (keyword == "round") {
        FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
        return take_rounding(line, name);
    }
    if (keyword == "layer") {
        FW_RETURN_IF_ERROR(take_name(&line, "layer", &name));
        const std::string_view word = next_token(&line);
        if (word != "int8" && word != "float") {
            return Status::error(Code::kParseError, "layer '%s': precision is '%s', expected int8 or float",
                                 shown(name).c_str(), shown(word).c_str());
        }
        const auto precision = word == "int8" ? ScaleTable::LayerPrecision::kInt8 : ScaleTable::LayerPrecision::kFloat;
        ScaleTable::LayerEntry& e = entry(name);
        if (e.precision != ScaleTable::LayerPrecision::kUnset && e.precision != precision) {
            return Status::error(Code::kParseError, "layer '%s' is both int8 and float", shown(name).c_str());
        }
        e.precision = precision;
        return end(line);
    }
    return Status::error(Code::kParseError, "unknown keyword '%s'", shown(keyword).c_str());
}

Result<ScaleTable> TableReader::read() {
    FW_RETURN_IF_ERROR(check_text(text_, source_));
    table_.source = source_;
    bool first = true;
    bool legacy = true;
    std::string_view line;
    while (lines_.next(&line)) {
        skip_blanks(&line);
        if (line.empty()) {
            continue;
        }
        std::string_view rest = line;
        if (first && next_token(&rest) == kTableHeader) {
            const std::string_view token = next_token(&rest);
            int version = 0;
            if (!parse_int(token, &version) || version != kTableVersion || !end(rest).ok()) {
                return at_line(Status::error(Code::kParseError, "%s version '%s', this build reads %d", kTableHeader,
                                             shown(token).c_str(), kTableVersion),
                               source_, lines_.number());
            }
            legacy = false;
        } else if (legacy) {
            FW_RETURN_IF_ERROR(at_line(read_legacy(line), source_, lines_.number()));
        } else if (line.front() != '#') {
            FW_RETURN_IF_ERROR(at_line(read_line(line), source_, lines_.number()));
        }
        first = false;
    }
    if (legacy && table_.empty()) {
        return Status::error(Code::kParseError, "%s: the table has no entries", source_);
    }
    return std::move(table_);
}

}  // namespace

Result<ScaleTable> ScaleTable::parse(Span<const char> text, const char* source) {
    return TableReader(text, source).read();
}

Result<ScaleTable> ScaleTable::load(const char* path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path));
    return parse({reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()}, path);
}

}  // namespace fw
