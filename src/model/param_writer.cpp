// .param and .bin files from a NetDef.
#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <unordered_map>

#include "base/half.h"
#include "model/blobs.h"
#include "model/model_io.h"
#include "model/text.h"

namespace fw {

namespace {

Status layer_error(const LayerDef& layer, const Status& status) {
    return status.with_prefix("%s layer '%s'", shown(layer.type).c_str(), shown(layer.name).c_str());
}

/// Names are tokens: whatever would read back as something else is refused here.
Status check_name(const std::string& name, const char* what) {
    bool good = !name.empty() && name.size() <= kMaxNameLength;
    for (const char c : name) {
        good = good && static_cast<unsigned char>(c) > 0x20;
    }
    return good ? Status()
                : Status::error(Code::kInvalidArgument,
                                "%s '%s' is empty, too long, or has blanks or control characters", what,
                                shown(name).c_str());
}

/// True if the file need not say it: reading without it gives the same value.
bool is_default(const Params& params, const ParamSpec& spec, const ParamDict::Value& value) {
    switch (spec.kind) {
        case ParamKind::kInt: {
            const int* i = std::get_if<int>(&value);
            return i != nullptr &&
                   *i == (spec.default_id >= 0 ? params.i(spec.default_id) : static_cast<int>(spec.default_number));
        }
        case ParamKind::kFloat: {
            const float* f = std::get_if<float>(&value);
            const float fallback =
                spec.default_id >= 0 ? params.f(spec.default_id) : static_cast<float>(spec.default_number);
            return f != nullptr && *f == fallback && std::signbit(*f) == std::signbit(fallback);
        }
        case ParamKind::kInts:
        case ParamKind::kFloats: {
            const auto* ints = std::get_if<std::vector<int>>(&value);
            const auto* floats = std::get_if<std::vector<float>>(&value);
            return (ints != nullptr && ints->empty()) || (floats != nullptr && floats->empty());
        }
        case ParamKind::kString: {
            const auto* text = std::get_if<std::string>(&value);
            return text != nullptr && text->empty();
        }
    }
    return false;
}

Status append_value(int id, const ParamDict::Value& value, std::string* out) {
    const auto float_text = [&](float f, std::string* text) {
        if (!std::isfinite(f)) {
            return Status::error(Code::kInvalidArgument, "parameter %d is %g, which no file can hold", id,
                                 static_cast<double>(f));
        }
        *text += format_float(f);
        return Status();
    };
    if (const int* i = std::get_if<int>(&value)) {
        *out += std::to_string(id) + "=" + std::to_string(*i);
    } else if (const float* f = std::get_if<float>(&value)) {
        *out += std::to_string(id) + "=";
        return float_text(*f, out);
    } else if (const auto* ints = std::get_if<std::vector<int>>(&value)) {
        *out += std::to_string(kArrayKey - id) + "=" + std::to_string(ints->size());
        for (const int x : *ints) {
            *out += "," + std::to_string(x);
        }
    } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
        *out += std::to_string(kArrayKey - id) + "=" + std::to_string(floats->size());
        for (const float x : *floats) {
            *out += ",";
            FW_RETURN_IF_ERROR(float_text(x, out));
        }
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        for (const char c : *text) {
            if (c == '"' || (static_cast<unsigned char>(c) < 0x20 && c != '\t')) {
                return Status::error(Code::kInvalidArgument, "parameter %d: a text cannot hold quotes or line ends",
                                     id);
            }
        }
        *out += std::to_string(id) + "=\"" + *text + "\"";
    }
    return {};
}

Status append_layer(const LayerDef& layer, std::string* out) {
    FW_RETURN_IF_ERROR(check_name(layer.type, "the type"));
    FW_RETURN_IF_ERROR(check_name(layer.name, "the name"));
    std::string head = layer.type;
    head.resize(std::max<size_t>(head.size(), 24), ' ');
    std::string named = head + " " + layer.name;
    named.resize(std::max<size_t>(named.size(), 49), ' ');
    *out += named + " " + std::to_string(layer.bottoms.size()) + " " + std::to_string(layer.tops.size());
    for (const std::vector<std::string>* names : {&layer.bottoms, &layer.tops}) {
        for (const std::string& name : *names) {
            FW_RETURN_IF_ERROR(check_name(name, "blob"));
            *out += " " + name;
        }
    }
    const LayerSchema* schema = find_schema(layer.type);
    for (const auto& [id, value] : layer.params.values()) {
        if (id < 0 || id > kMaxId) {
            return Status::error(Code::kInvalidArgument, "parameter id %d is not in 0 to %d", id, kMaxId);
        }
        const ParamSpec* spec = schema != nullptr ? find_param(*schema, id) : nullptr;
        if (spec != nullptr && is_default(Params(*schema, layer.params), *spec, value)) {
            continue;
        }
        *out += " ";
        FW_RETURN_IF_ERROR(append_value(id, value, out));
    }
    *out += "\n";
    return {};
}

template <class T>
void append_bytes(const T* data, size_t count, std::vector<uint8_t>* out) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(data);
    out->insert(out->end(), bytes, bytes + count * sizeof(T));
}

void append_tag(uint32_t tag, std::vector<uint8_t>* out) {
    append_bytes(&tag, 1, out);
}
void pad_to_4(std::vector<uint8_t>* out) {
    out->resize((out->size() + 3) / 4 * 4);
}

/// The halves of `values`, or false if a finite value would become infinite.
bool to_halves(const std::vector<float>& values, std::vector<uint16_t>* out) {
    out->resize(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
        (*out)[i] = float_to_half(values[i]);
        if (((*out)[i] & 0x7fffU) == 0x7c00U && std::isfinite(values[i])) {
            return false;
        }
    }
    return true;
}

/// 256 floats, then an index a value; false = there are more values than that.
bool append_codebook(const std::vector<float>& values, std::vector<uint8_t>* out) {
    float codebook[kCodebookSize] = {};
    std::unordered_map<uint32_t, uint8_t> index_of;  // by bits: -0 and nan stay what they are
    std::vector<uint8_t> indices;
    indices.reserve(values.size());
    for (const float value : values) {
        uint32_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        const size_t next = index_of.size();
        const auto found = index_of.emplace(bits, static_cast<uint8_t>(next)).first;
        if (index_of.size() > kCodebookSize) {
            return false;
        }
        codebook[found->second] = value;
        indices.push_back(found->second);
    }
    append_tag(kTagCodebook, out);
    append_bytes(codebook, kCodebookSize, out);
    append_bytes(indices.data(), indices.size(), out);
    return true;
}

Status append_blob(const BlobSpec& spec, const Weight& weight, WeightFormat format, std::vector<uint8_t>* out) {
    if (spec.count >= 0 && weight.count() != spec.count) {
        return Status::error(Code::kInvalidArgument, "%s has %" PRId64 " values, the parameters say %" PRId64,
                             spec.name, weight.count(), spec.count);
    }
    const auto bytes = static_cast<const uint8_t*>(weight.data());
    if (!spec.flagged) {
        if (weight.storage() == WeightStorage::kInt8) {
            return Status::error(Code::kInvalidArgument, "%s is int8, but is stored as plain float32", spec.name);
        }
        const std::vector<float> values = weight.to_floats();
        append_bytes(values.data(), values.size(), out);
        return {};
    }
    switch (weight.storage()) {
        case WeightStorage::kInt8:
            append_tag(kTagInt8, out);
            append_bytes(bytes, weight.bytes(), out);
            break;
        case WeightStorage::kFloat16:
            append_tag(kTagFloat16, out);
            append_bytes(bytes, weight.bytes(), out);
            break;
        case WeightStorage::kScaledInt8: return append_blob(spec, Weight::from_floats(weight.to_floats()), format, out);
        case WeightStorage::kFloat32: {
            if (weight.is_codebook() && append_codebook(weight.to_floats(), out)) {
                break;
            }
            std::vector<uint16_t> halves;
            if (format == WeightFormat::kFloat16 && to_halves(weight.to_floats(), &halves)) {
                append_tag(kTagFloat16, out);
                append_bytes(halves.data(), halves.size(), out);
            } else {
                append_tag(kTagFloat32, out);
                append_bytes(bytes, weight.bytes(), out);
            }
            break;
        }
    }
    pad_to_4(out);
    return {};
}

/// A custom layer's blobs are raw floats of whatever size they have: its type is not known here.
void custom_specs(const LayerDef& layer, std::vector<BlobSpec>* out) {
    out->clear();
    for (const Weight& weight : layer.weights) {
        out->push_back({"weights", weight.count(), false});
    }
}

}  // namespace

Result<std::string> param_text(const NetDef& net) {
    size_t blobs = 0;
    std::string layers;
    for (const LayerDef& layer : net.layers) {
        blobs += layer.tops.size();
        FW_RETURN_IF_ERROR(layer_error(layer, append_layer(layer, &layers)));
    }
    return std::to_string(kMagic) + "\n" + std::to_string(net.layers.size()) + " " + std::to_string(blobs) + "\n" +
           layers;
}

Result<std::vector<uint8_t>> bin_bytes(const NetDef& net, WeightFormat format) {
    std::vector<uint8_t> out;
    std::vector<BlobSpec> specs;
    for (const LayerDef& layer : net.layers) {
        if (find_schema(layer.type) != nullptr) {
            FW_RETURN_IF_ERROR(layer_error(layer, layer_blobs(layer, nullptr, &specs)));
        } else {
            custom_specs(layer, &specs);
        }
        if (layer.weights.size() != specs.size()) {
            return layer_error(layer,
                               Status::error(Code::kInvalidArgument, "has %zu weight blobs, its parameters say %zu",
                                             layer.weights.size(), specs.size()));
        }
        for (size_t i = 0; i < specs.size(); ++i) {
            FW_RETURN_IF_ERROR(layer_error(layer, append_blob(specs[i], layer.weights[i], format, &out)));
        }
    }
    return out;
}

Status save_net_def(const NetDef& net, const char* param_path, const char* bin_path, WeightFormat format,
                    Span<const OutputFile> beside) {
    FW_ASSIGN_OR_RETURN(const std::string text, param_text(net));
    FW_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, bin_bytes(net, format));
    std::vector<OutputFile> files(beside.begin(), beside.end());
    files.push_back({bin_path, bytes});
    files.push_back({param_path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}});
    return write_files_atomic(files);
}

}  // namespace fw
