#include "caffe2fw/read.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/wire_format_lite.h>

#include <cmath>
#include <limits>
#include <utility>

#include "caffe2fw/convert.h"

namespace fw::caffe {

namespace {

namespace pb = google::protobuf;

// Real files nest four messages deep (V0 layers: net, layers, layer, blobs).
constexpr int kMaxDepth = 32;
// The largest published Caffe networks have under 2000 layers.
constexpr int kMaxLayers = 100000;

class Collector final : public pb::io::ErrorCollector {
public:
    Collector(const std::string& file, import::Report* report) : file_(file), report_(report) {}
    void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
        report_->error(place(line, column), "%s", message.c_str());
    }
    void AddWarning(int line, pb::io::ColumnNumber column, const std::string& message) override {
        report_->warn(place(line, column), "%s (ignored)", message.c_str());
    }

private:
    std::string place(int line, int column) const {
        return line < 0 ? file_ : file_ + ":" + std::to_string(line + 1) + ":" + std::to_string(column + 1);
    }
    const std::string& file_;
    import::Report* report_;
};

template <class Layers>
void set_lines(const pb::TextFormat::ParseInfoTree& places, int field, Layers* layers) {
    const pb::FieldDescriptor* descriptor = NetParameter::descriptor()->FindFieldByNumber(field);
    for (int i = 0; i < layers->size(); ++i) {
        layers->Mutable(i)->set_line(places.GetLocation(descriptor, i).line + 1);
    }
}

// One `layer` of a caffemodel at a time, so that a file of a million empty layers is refused before it fills the
// memory.
template <class Message>
bool read_message(pb::io::CodedInputStream* in, Message* message) {
    uint32_t length = 0;
    if (!in->ReadVarint32(&length) || length > static_cast<uint32_t>(std::numeric_limits<int>::max())) {
        return false;
    }
    const auto limit = in->PushLimit(static_cast<int>(length));
    const bool ok = message->MergeFromCodedStream(in) && in->ConsumedEntireMessage() && in->BytesUntilLimit() == 0;
    in->PopLimit(limit);
    return ok;
}

template <class Blobs>
void take(const std::string& name, Blobs* blobs, WeightMap* out) {
    std::vector<BlobProto>& to = (*out)[name];
    to.clear();
    for (BlobProto& blob : *blobs) {
        blob.clear_diff();
        blob.clear_double_diff();
        to.push_back(std::move(blob));
    }
}

}  // namespace

bool read_prototxt(Span<const char> text, const std::string& file, import::Report* report, NetParameter* out) {
    if (text.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
        report->error(file, "larger than 2 GiB: not a prototxt");
        return false;
    }
    pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
    Collector collector(file, report);
    pb::TextFormat::Parser parser;
    parser.RecordErrorsTo(&collector);
    parser.AllowUnknownField(true);
    parser.AllowUnknownExtension(true);
    parser.SetRecursionLimit(kMaxDepth);
    pb::TextFormat::ParseInfoTree places;
    parser.WriteLocationsTo(&places);
    const bool ok = parser.Parse(&stream, out);
    set_lines(places, NetParameter::kLayerFieldNumber, out->mutable_layer());
    set_lines(places, NetParameter::kLayersFieldNumber, out->mutable_layers());
    if (!ok && report->ok()) {
        report->error(file, "not a Caffe network in protobuf text format");
    }
    if (ok && out->layer_size() == 0 && out->layers_size() == 0) {
        report->error(file, "has no layers (expected a Caffe network in protobuf text format)");
    }
    return report->ok();
}

bool read_caffemodel(Span<const uint8_t> bytes, const std::string& file, import::Report* report, WeightMap* out) {
    using pb::internal::WireFormatLite;
    if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
        report->error(file, "larger than 2 GiB, the limit of the protobuf format");
        return false;
    }
    pb::io::CodedInputStream in(bytes.data(), static_cast<int>(bytes.size()));
    in.SetTotalBytesLimit(std::numeric_limits<int>::max());
    in.SetRecursionLimit(kMaxDepth);
    bool ok = true;
    int layers = 0;
    while (ok) {
        const uint32_t tag = in.ReadTag();
        if (tag == 0) {
            ok = in.ConsumedEntireMessage();
            break;
        }
        const bool is_message = WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
        const int field = WireFormatLite::GetTagFieldNumber(tag);
        if (is_message && field == WeightFile::kLayerFieldNumber) {
            WeightLayer layer;
            ok = read_message(&in, &layer);
            take(layer.name(), layer.mutable_blobs(), out);
            ++layers;
        } else if (is_message && field == WeightFile::kLayersFieldNumber) {
            V1WeightLayer layer;
            ok = read_message(&in, &layer);
            if (layer.has_layer()) {
                take(layer.layer().name(), layer.mutable_layer()->mutable_blobs(), out);
            } else {
                take(layer.name(), layer.mutable_blobs(), out);
            }
            ++layers;
        } else {
            ok = WireFormatLite::SkipField(&in, tag);
        }
        if (layers > kMaxLayers) {
            report->error(file, "more than %d layers", kMaxLayers);
            return false;
        }
    }
    if (!ok) {
        report->error(file, "damaged near byte %d of %zu: expected a Caffe network in protobuf binary format",
                      in.CurrentPosition(), bytes.size());
        return false;
    }
    if (layers == 0) {
        report->error(file, "has no layers: expected a Caffe network in protobuf binary format");
        return false;
    }
    return true;
}

std::string place(const std::string& file, int line) {
    return line > 0 ? file + ":" + std::to_string(line) : file;
}

Result<std::vector<float>> channel_means(const Source<uint8_t>& file) {
    BlobProto mean;
    const bool small = file.data.size() <= static_cast<size_t>(std::numeric_limits<int>::max());
    if (!small || !mean.ParseFromArray(file.data.data(), static_cast<int>(file.data.size()))) {
        return Status::error(Code::kParseError, "%s: expected a mean.binaryproto, one blob in protobuf binary format",
                             file.name.c_str());
    }
    std::vector<int64_t> dims = blob_dims(mean);
    if (dims.size() == 4 && dims[0] == 1) {
        dims.erase(dims.begin());
    }
    const std::vector<float> values = blob_floats(mean);
    const bool sized = dims.size() == 3 && (dims[0] == 1 || dims[0] == 3) && dims[1] > 0 && dims[2] > 0 &&
                       dims[1] < (1 << 20) && dims[2] < (1 << 20) &&
                       dims[0] * dims[1] * dims[2] == static_cast<int64_t>(values.size());
    if (!sized) {
        return Status::error(Code::kParseError, "%s: %zu values in %zu axes, expected a picture of 1 or 3 channels",
                             file.name.c_str(), values.size(), dims.size());
    }
    const size_t plane = values.size() / static_cast<size_t>(dims[0]);
    std::vector<float> means;
    for (size_t begin = 0; begin < values.size(); begin += plane) {
        double sum = 0.0;
        for (size_t i = begin; i < begin + plane; ++i) {
            sum += static_cast<double>(values[i]);
        }
        means.push_back(static_cast<float>(sum / static_cast<double>(plane)));
        if (!std::isfinite(means.back())) {
            return Status::error(Code::kParseError, "%s: holds values that are inf or nan", file.name.c_str());
        }
    }
    return means;
}

std::vector<int64_t> blob_dims(const BlobProto& blob) {
    if (blob.has_num() || blob.has_channels() || blob.has_height() || blob.has_width()) {
        return {blob.num(), blob.channels(), blob.height(), blob.width()};
    }
    return {blob.shape().dim().begin(), blob.shape().dim().end()};
}

int64_t blob_values(const BlobProto& blob) {
    return blob.data_size() > 0 ? blob.data_size() : blob.double_data_size();
}

std::vector<float> blob_floats(const BlobProto& blob) {
    if (blob.data_size() > 0) {
        return {blob.data().begin(), blob.data().end()};
    }
    std::vector<float> out;
    out.reserve(static_cast<size_t>(blob.double_data_size()));
    for (const double value : blob.double_data()) {
        out.push_back(static_cast<float>(value));
    }
    return out;
}

}  // namespace fw::caffe
