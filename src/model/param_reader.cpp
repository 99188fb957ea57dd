// .param files (docs/param-format.md).
#include <cinttypes>
#include <cmath>
#include <unordered_set>

#include "model/blobs.h"
#include "model/text.h"

namespace fw {

namespace {

/// A number as written: whole, or with a point or exponent.
struct Number {
    bool is_float = false;
    int i = 0;
    float f = 0;
};

Status parse_number(std::string_view token, Number* out) {
    if (token.size() > kMaxNumberLength) {
        return Status::error(Code::kParseError, "a number of %zu characters ('%s')", token.size(),
                             shown(token).c_str());
    }
    out->is_float = token.find_first_of(".eE") != std::string_view::npos;
    if (!out->is_float) {
        if (parse_int(token, &out->i)) {
            return {};
        }
        float ignored = 0;
        const bool digits = parse_float(token, &ignored) != NumberError::kNotANumber;
        return Status::error(Code::kParseError, digits ? "'%s' does not fit 32 bits" : "'%s' is not a number",
                             shown(token).c_str());
    }
    const NumberError error = parse_float(token, &out->f);
    if (error != NumberError::kNone) {
        return Status::error(
            Code::kParseError,
            error == NumberError::kOutOfRange ? "'%s' is beyond the range of float" : "'%s' is not a number",
            shown(token).c_str());
    }
    return {};
}

/// "v,v,v". Integers stay integers only if all are.
Status parse_array(std::string_view text, ParamDict::Value* out) {
    std::vector<int> ints;
    std::vector<float> floats;
    bool any_float = false;
    while (!text.empty()) {
        const size_t comma = text.find(',');
        const std::string_view token = text.substr(0, comma);
        if (comma != std::string_view::npos && comma + 1 == text.size()) {
            return Status::error(Code::kParseError, "an array that ends in a comma");
        }
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        Number number;
        FW_RETURN_IF_ERROR(parse_number(token, &number));
        any_float = any_float || number.is_float;
        ints.push_back(number.i);
        floats.push_back(number.is_float ? number.f : static_cast<float>(number.i));
    }
    if (any_float) {
        *out = std::move(floats);
    } else {
        *out = std::move(ints);
    }
    return {};
}

/// "COUNT,v,v" of an old-style array.
Status parse_counted_array(std::string_view text, ParamDict::Value* out) {
    const size_t comma = text.find(',');
    int count = 0;
    if (!parse_int(text.substr(0, comma), &count) || count < 0) {
        return Status::error(Code::kParseError, "'%s' is not the length of an array",
                             shown(text.substr(0, comma)).c_str());
    }
    const std::string_view rest = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    size_t given = comma == std::string_view::npos ? 0 : 1;
    for (const char c : rest) {
        given += c == ',' ? 1 : 0;
    }
    if (given != static_cast<size_t>(count)) {
        return Status::error(Code::kParseError, "an array of %d numbers is announced, %zu follow", count, given);
    }
    return parse_array(rest, out);
}

const char* kind_of(const ParamDict::Value& value) {
    switch (value.index()) {
        case 0: return "an int";
        case 1: return "a float";
        case 2:
        case 3: return "an array";
        default: return "a text";
    }
}

/// Brings a value to the kind of its parameter: whole numbers to float, one number to an array of one. An array or a
/// text where a number belongs is an error, and so is a fraction where a whole number belongs.
Status fit(const ParamSpec& spec, ParamDict::Value* value) {
    const auto wrong = [&](const char* expected) {
        return Status::error(Code::kParseError, "is %s, expected %s", kind_of(*value), expected);
    };
    const bool text = value->index() == 4;
    const bool array = value->index() == 2 || value->index() == 3;
    switch (spec.kind) {
        case ParamKind::kInt:
            if (text || array) {
                return wrong("a whole number");
            }
            if (const float* f = std::get_if<float>(value)) {
                if (*f != std::floor(*f) || std::fabs(*f) >= 2147483648.0F) {
                    return Status::error(Code::kParseError, "is %g, expected a whole number", static_cast<double>(*f));
                }
                *value = static_cast<int>(*f);
            }
            return {};
        case ParamKind::kFloat:
            if (text || array) {
                return wrong("a number");
            }
            if (const int* i = std::get_if<int>(value)) {
                *value = static_cast<float>(*i);
            }
            return {};
        case ParamKind::kInts:
            if (text) {
                return wrong("an array");
            }
            if (const int* i = std::get_if<int>(value)) {
                *value = std::vector<int>{*i};
            } else if (const float* f = std::get_if<float>(value)) {
                *value = std::vector<float>{*f};
            }
            return {};
        case ParamKind::kFloats:
            if (text) {
                return wrong("an array");
            }
            if (const int* i = std::get_if<int>(value)) {
                *value = std::vector<float>{static_cast<float>(*i)};
            } else if (const float* f = std::get_if<float>(value)) {
                *value = std::vector<float>{*f};
            } else if (const auto* ints = std::get_if<std::vector<int>>(value)) {
                *value = std::vector<float>(ints->begin(), ints->end());
            }
            return {};
        case ParamKind::kString: return text ? Status() : wrong("a text");
    }
    return {};
}

class ParamReader {
public:
    ParamReader(Span<const char> text, const char* source, const CustomBlobs& custom)
        : text_(text), source_(source), custom_(custom), lines_(text) {}

    Result<NetDef> read();

private:
    Status here(const Status& status) const { return at_line(status, source_, lines_.number()); }
    /// The next line that is not blank; false at the end.
    bool next_line(std::string_view* line);
    Status read_header();
    Status read_layer(std::string_view line, LayerDef* layer);
    Status read_names(std::string_view* rest, int count, const char* what, std::vector<std::string>* out);
    Status read_param(std::string_view* rest, const LayerSchema* schema, ParamDict* params);
    Status check_connections(const LayerDef& layer);

    Span<const char> text_;
    const char* source_;
    const CustomBlobs& custom_;
    LineReader lines_;
    int layer_count_ = 0;
    int blob_count_ = 0;
    std::unordered_set<std::string> produced_;
    std::vector<BlobSpec> blobs_;
};

bool ParamReader::next_line(std::string_view* line) {
    while (lines_.next(line)) {
        skip_blanks(line);
        if (!line->empty()) {
            return true;
        }
    }
    return false;
}

Status ParamReader::read_header() {
    std::string_view line;
    if (!next_line(&line)) {
        return Status::error(Code::kParseError, "%s: the file is empty", source_);
    }
    int magic = 0;
    if (!parse_int(next_token(&line), &magic) || magic != kMagic || !next_token(&line).empty()) {
        return here(Status::error(Code::kParseError, "not a .param file (its first line must be %d)", kMagic));
    }
    if (!next_line(&line)) {
        return Status::error(Code::kParseError, "%s: the file ends after its first line", source_);
    }
    const bool numbers = parse_int(next_token(&line), &layer_count_) && parse_int(next_token(&line), &blob_count_);
    if (!numbers || layer_count_ <= 0 || blob_count_ <= 0 || !next_token(&line).empty()) {
        return here(Status::error(Code::kParseError, "expected the numbers of layers and blobs, both at least 1"));
    }
    // A layer's line has at least 8 characters ("A b 0 0" and its end): what cannot be true need not be read.
    if (static_cast<uint64_t>(layer_count_) > text_.size() / 8 + 1) {
        return here(Status::error(Code::kParseError, "%d layers are announced, a file of %zu bytes cannot hold them",
                                  layer_count_, text_.size()));
    }
    return {};
}

Status ParamReader::read_names(std::string_view* rest, int count, const char* what, std::vector<std::string>* out) {
    for (int i = 0; i < count; ++i) {
        const std::string_view token = next_token(rest);
        if (token.empty()) {
            return Status::error(Code::kParseError, "%d %s are announced, %d follow", count, what, i);
        }
        if (token.size() > kMaxNameLength) {
            return Status::error(Code::kParseError, "a blob name of %zu characters ('%s')", token.size(),
                                 shown(token).c_str());
        }
        out->emplace_back(token);
    }
    return {};
}

Status ParamReader::read_param(std::string_view* rest, const LayerSchema* schema, ParamDict* params) {
    const size_t equals = rest->find('=');
    const std::string_view key = rest->substr(0, equals);
    int id = 0;
    if (equals == std::string_view::npos || !parse_int(key, &id)) {
        return Status::error(Code::kParseError, "'%s' is not a parameter (ID=VALUE)", shown(next_token(rest)).c_str());
    }
    const bool counted = id <= kArrayKey;
    const int64_t real_id = counted ? int64_t{kArrayKey} - id : id;
    if (real_id < 0 || real_id > kMaxId) {
        return Status::error(Code::kParseError, "parameter id %d is not in 0 to %d", id, kMaxId);
    }
    id = static_cast<int>(real_id);
    const ParamSpec* spec = schema != nullptr ? find_param(*schema, id) : nullptr;
    rest->remove_prefix(equals + 1);

    ParamDict::Value value;
    Status status;
    if (!counted && !rest->empty() && rest->front() == '"') {
        const size_t end = rest->find('"', 1);
        if (end == std::string_view::npos) {
            return Status::error(Code::kParseError, "parameter %d: the text has no closing quote", id);
        }
        value = std::string(rest->substr(1, end - 1));
        rest->remove_prefix(end + 1);
    } else {
        // next_token would skip blanks first, and "ID= 5" is no parameter.
        const bool blank = rest->empty() || rest->front() == ' ' || rest->front() == '\t' || rest->front() == '\r';
        const std::string_view token = blank ? std::string_view() : next_token(rest);
        if (token.empty()) {
            return Status::error(Code::kParseError, "parameter %d has no value", id);
        }
        const bool numeric = token.find_first_of("0123456789") != std::string_view::npos &&
                             std::string_view("+-.0123456789").find(token.front()) != std::string_view::npos;
        if (counted) {
            status = parse_counted_array(token, &value);
        } else if ((spec != nullptr && spec->kind == ParamKind::kString) || (!numeric && spec == nullptr)) {
            value = std::string(token);
        } else if (token.find(',') != std::string_view::npos) {
            status = parse_array(token, &value);
        } else {
            Number number;
            status = parse_number(token, &number);
            if (number.is_float) {
                value = number.f;
            } else {
                value = number.i;
            }
        }
    }
    if (status.ok() && spec != nullptr) {
        status = fit(*spec, &value);
    }
    if (!status.ok()) {
        return status.with_prefix("%s (%d)", spec != nullptr ? spec->key : "parameter", id);
    }
    if (params->has(id)) {
        return Status::error(Code::kParseError, "parameter %d is given twice", id);
    }
    params->set(id, std::move(value));
    return {};
}

Status check_count(const char* what, int count, int least, int most) {
    if (count < least || (most >= 0 && count > most)) {
        const std::string expected = most < 0        ? "at least " + std::to_string(least)
                                     : least == most ? std::to_string(least)
                                                     : std::to_string(least) + " to " + std::to_string(most);
        return Status::error(Code::kParseError, "has %d %s, expected %s", count, what, expected.c_str());
    }
    return {};
}

Status ParamReader::read_layer(std::string_view line, LayerDef* layer) {
    layer->line = lines_.number();
    const std::string_view type = next_token(&line);
    const std::string_view name = next_token(&line);
    if (type.size() > kMaxNameLength || name.size() > kMaxNameLength) {
        return Status::error(Code::kParseError, "a layer name of more than %zu characters", kMaxNameLength);
    }
    layer->type = type;
    layer->name = name;
    const std::string_view inputs = next_token(&line);
    const std::string_view outputs = next_token(&line);
    int input_count = 0;
    int output_count = 0;
    if (!parse_int(inputs, &input_count) || !parse_int(outputs, &output_count) || input_count < 0 || output_count < 0) {
        return Status::error(Code::kParseError, "expected TYPE NAME N_INPUTS N_OUTPUTS, found '%s %s %s %s'",
                             shown(type).c_str(), shown(name).c_str(), shown(inputs).c_str(), shown(outputs).c_str());
    }
    const LayerSchema* schema = find_schema(layer->type);
    const auto named = [&](const Status& status) {
        return status.ok() ? status : status.with_prefix("%s layer '%s'", shown(type).c_str(), shown(name).c_str());
    };
    if (schema != nullptr) {
        FW_RETURN_IF_ERROR(named(check_count("inputs", input_count, schema->min_inputs, schema->max_inputs)));
        FW_RETURN_IF_ERROR(named(check_count("outputs", output_count, schema->min_outputs, schema->max_outputs)));
    }
    FW_RETURN_IF_ERROR(named(read_names(&line, input_count, "inputs", &layer->bottoms)));
    FW_RETURN_IF_ERROR(named(read_names(&line, output_count, "outputs", &layer->tops)));
    for (skip_blanks(&line); !line.empty(); skip_blanks(&line)) {
        FW_RETURN_IF_ERROR(named(read_param(&line, schema, &layer->params)));
    }
    FW_RETURN_IF_ERROR(named(layer_blobs(*layer, custom_, &blobs_)));
    return named(check_connections(*layer));
}

Status ParamReader::check_connections(const LayerDef& layer) {
    for (const std::string& bottom : layer.bottoms) {
        if (produced_.count(bottom) == 0) {
            return Status::error(Code::kParseError, "input blob '%s' is produced by no layer before it",
                                 shown(bottom).c_str());
        }
    }
    for (const std::string& top : layer.tops) {
        if (!produced_.insert(top).second) {
            return Status::error(Code::kParseError, "output blob '%s' is produced a second time", shown(top).c_str());
        }
    }
    return {};
}

Result<NetDef> ParamReader::read() {
    FW_RETURN_IF_ERROR(check_text(text_, source_));
    FW_RETURN_IF_ERROR(read_header());
    NetDef net;
    net.source = source_;
    std::string_view line;
    while (next_line(&line)) {
        if (net.layers.size() == static_cast<size_t>(layer_count_)) {
            return here(Status::error(Code::kParseError, "line 2 announces %d layers, here is one more", layer_count_));
        }
        LayerDef layer;
        const Status status = read_layer(line, &layer);
        if (!status.ok()) {
            return here(status);
        }
        net.layers.push_back(std::move(layer));
    }
    if (net.layers.size() != static_cast<size_t>(layer_count_)) {
        return Status::error(Code::kParseError, "%s: %d layers are announced, the file has %zu", source_, layer_count_,
                             net.layers.size());
    }
    if (produced_.size() != static_cast<size_t>(blob_count_)) {
        return Status::error(Code::kParseError, "%s: %d blobs are announced, the layers produce %zu", source_,
                             blob_count_, produced_.size());
    }
    return net;
}

}  // namespace

Result<NetDef> parse_param(Span<const char> text, const char* source, const CustomBlobs& custom) {
    return ParamReader(text, source, custom).read();
}

}  // namespace fw
