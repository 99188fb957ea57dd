// .bin files: the weight blobs of all layers, one after the other.
#include <cinttypes>
#include <cstring>
#include <limits>

#include "base/memory.h"
#include "model/blobs.h"

namespace fw {

Status layer_blobs(const LayerDef& layer, const CustomBlobs& custom, std::vector<BlobSpec>* out) {
    out->clear();
    if (const LayerSchema* schema = find_schema(layer.type)) {
        return schema->blobs != nullptr ? schema->blobs(Params(*schema, layer.params), out) : Status();
    }
    if (!custom || !custom(layer.type, layer.params, out)) {
        return Status::error(Code::kUnsupported, "unknown layer type '%s'%s", layer.type.c_str(),
                             is_left_out(layer.type) ? ": FW_LAYERS left it out of this build" : "");
    }
    for (const BlobSpec& spec : *out) {
        if (spec.count < 0) {
            return Status::error(Code::kInvalidArgument, "custom type '%s' asks for %" PRId64 " weights",
                                 layer.type.c_str(), spec.count);
        }
    }
    return {};
}

namespace {

class BinReader {
public:
    explicit BinReader(const FileData& file) : file_(file) {}

    Status read(const BlobSpec& spec, bool int8_allowed, Weight* out) {
        uint32_t tag = kTagFloat32;
        if (spec.flagged) {
            const uint8_t* bytes = nullptr;
            FW_RETURN_IF_ERROR(take(sizeof tag, 1, 0, &bytes));
            std::memcpy(&tag, bytes, sizeof tag);
        }
        const uint8_t* data = nullptr;
        switch (tag) {
            case kTagFloat32:
            case kTagFloat32Old:
                FW_RETURN_IF_ERROR(take(spec.count, 4, 0, &data));
                *out = Weight::view(WeightStorage::kFloat32, data, spec.count, file_.owner, file_.mapped);
                return {};
            case kTagFloat16:
                FW_RETURN_IF_ERROR(take(spec.count, 2, 0, &data));
                *out = Weight::view(WeightStorage::kFloat16, data, spec.count, file_.owner, file_.mapped);
                return {};
            case kTagInt8:
                if (!int8_allowed) {
                    return Status::error(Code::kParseError,
                                         "int8 data, but the layer's parameters announce no int8 scales");
                }
                FW_RETURN_IF_ERROR(take(spec.count, 1, 0, &data));
                *out = Weight::view(WeightStorage::kInt8, data, spec.count, file_.owner, file_.mapped);
                return {};
            default: return read_codebook(spec, out);
        }
    }

    size_t position() const { return position_; }
    size_t remaining() const { return file_.bytes.size() - position_; }

private:
    /// Takes header + count * size bytes, rounded up to 4, if the file has them.
    Status take(int64_t count, uint64_t size, uint64_t header, const uint8_t** out) {
        // count < 2^62 / size is guaranteed by no schema: a custom layer may ask for anything.
        uint64_t bytes = 0;
        const bool fits = checked_mul(static_cast<uint64_t>(count), size, &bytes) && bytes <= (uint64_t{1} << 62);
        bytes = header + (bytes + 3) / 4 * 4;
        if (!fits || bytes > remaining()) {
            return Status::error(Code::kParseError, "%" PRId64 " values need %" PRIu64 " bytes, %zu are left", count,
                                 fits ? bytes : std::numeric_limits<uint64_t>::max(), remaining());
        }
        *out = file_.bytes.data() + position_;
        position_ += static_cast<size_t>(bytes);
        return {};
    }

    /// 256 floats, then an index a value.
    Status read_codebook(const BlobSpec& spec, Weight* out) {
        constexpr size_t kCodebook = kCodebookSize * sizeof(float);
        const uint8_t* data = nullptr;
        FW_RETURN_IF_ERROR(take(spec.count, 1, kCodebook, &data));
        float codebook[kCodebookSize];
        std::memcpy(codebook, data, kCodebook);
        std::vector<float> values(static_cast<size_t>(spec.count));
        for (size_t i = 0; i < values.size(); ++i) {
            values[i] = codebook[data[kCodebook + i]];
        }
        *out = Weight::from_codebook(std::move(values));
        return {};
    }

    const FileData& file_;
    size_t position_ = 0;
};

bool has_int8_scales(const std::vector<BlobSpec>& specs) {
    for (const BlobSpec& spec : specs) {
        if (std::strstr(spec.name, "int8_scale") != nullptr) {
            return true;
        }
    }
    return false;
}

}  // namespace

Status read_weights(const FileData& bin, const char* source, NetDef* net, const CustomBlobs& custom) {
    BinReader reader(bin);
    std::vector<BlobSpec> specs;
    for (LayerDef& layer : net->layers) {
        const auto here = [&](const Status& status, const char* blob) {
            return status.with_prefix("%s: byte %zu, %s layer '%s' (line %d), %s", source, reader.position(),
                                      layer.type.c_str(), layer.name.c_str(), layer.line, blob);
        };
        const Status known = layer_blobs(layer, custom, &specs);
        if (!known.ok()) {
            return here(known, "parameters");
        }
        layer.weights.assign(specs.size(), Weight());
        const bool int8_allowed = find_schema(layer.type) == nullptr || has_int8_scales(specs);
        for (size_t i = 0; i < specs.size(); ++i) {
            const Status read = reader.read(specs[i], int8_allowed, &layer.weights[i]);
            if (!read.ok()) {
                return here(read, specs[i].name);
            }
        }
    }
    if (reader.remaining() != 0) {
        return Status::error(Code::kParseError, "%s: %zu bytes are left after the last layer's weights (%zu used)",
                             source, reader.remaining(), reader.position());
    }
    return {};
}

Result<NetDef> load_net_def(const char* param_path, const char* bin_path, const CustomBlobs& custom) {
    FW_ASSIGN_OR_RETURN(const FileData param, map_file(param_path));
    const Span<const char> text(reinterpret_cast<const char*>(param.bytes.data()), param.bytes.size());
    FW_ASSIGN_OR_RETURN(NetDef net, parse_param(text, param_path, custom));
    FW_ASSIGN_OR_RETURN(const FileData bin, map_file(bin_path));
    FW_RETURN_IF_ERROR(read_weights(bin, bin_path, &net, custom));
    return net;
}

}  // namespace fw
