#include "calibrate/collect.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "calibrate/blob_counts.h"
#include "common/npy.h"
#include "runtime/extractor_impl.h"

namespace fw::tools {

namespace {

Status run_outputs(const Net& net, const Blobs& inputs, Extractor* extractor) {
    FW_RETURN_IF_ERROR(set_inputs(net, inputs, extractor));
    for (const std::string& output : net.output_names()) {
        Mat ignored;
        FW_RETURN_IF_ERROR(extractor->extract(output.c_str(), &ignored));
    }
    return {};
}

// Extractors of one network, each for one thread at a time: their memory stays from image to image.
class WatchedExtractors {
public:
    // `value` is the blob in float32, dense, channels innermost.
    using Observer = std::function<Status(const ObservedBlob& blob, const Tensor& value)>;

    explicit WatchedExtractors(const Net& net) : net_(net) {}

    Status run(const Blobs& inputs, const Observer& observer) {
        Watched watched = take();
        ExtractorAccess::observe_tensors(
            [&](const ObservedBlob& blob) -> Status {
                Tensor dense;
                FW_RETURN_IF_ERROR(watched.memory.make(blob, Layout::kNhwc, &dense));
                return observer(blob, dense);
            },
            &watched.extractor);
        FW_RETURN_IF_ERROR(run_outputs(net_, inputs, &watched.extractor));
        const std::lock_guard<std::mutex> lock(mutex_);
        idle_.push_back(std::move(watched));
        return {};
    }

private:
    struct Watched {
        Extractor extractor;
        DenseBlob memory;
    };

    Watched take() {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (idle_.empty()) {
            return {net_.create_extractor(), DenseBlob()};
        }
        Watched watched = std::move(idle_.back());
        idle_.pop_back();
        return watched;
    }

    const Net& net_;
    std::mutex mutex_;  // guards idle_
    std::vector<Watched> idle_;
};

// "layer 'conv1'" that made the blob, or "input".
std::string layer_of(const ObservedBlob& blob) {
    const NodeId producer = blob.value.producer;
    const bool input = producer == kNone || blob.graph.node(producer).type == "Input";
    return input ? "input" : "layer '" + blob.graph.node(producer).name + "'";
}

Tensor scale_channels(const std::vector<float>& factors, const Tensor& value, std::vector<float>* memory) {
    const size_t channels = factors.size();
    const auto count = static_cast<size_t>(value.count());
    const bool innermost = value.rank() >= 3;
    memory->resize(count);
    for (size_t i = 0; i < count; ++i) {
        (*memory)[i] = value.ptr()[i] * factors[innermost ? i % channels : i / (count / channels)];
    }
    Tensor scaled = value;
    scaled.data = memory->data();
    return scaled;
}

// An error where every pixel is alike; numbers that are not finite are left to the counts, which name them.
Status check_varied(const std::string& path, const Mat& input) {
    const int64_t pixels = input.shape().rank == 3 ? static_cast<int64_t>(input.h()) * input.w() : 0;
    if (pixels < 2) {
        return {};
    }
    for (int c = 0; c < input.c(); ++c) {
        const float* plane = input.data() + c * pixels;
        if (std::any_of(plane + 1, plane + pixels, [&](float x) { return x != plane[0] || !std::isfinite(x); })) {
            return {};
        }
    }
    return Status::error(Code::kInvalidArgument, "%s: every pixel of it is alike", path.c_str());
}

}  // namespace

std::string input_file(const std::string& folder, const std::string& input) {
    std::string name = input;
    std::replace(name.begin(), name.end(), '/', '_');
    return folder + "/" + name + ".npy";
}

Result<Blobs> load_checked(const ImageSet& set, size_t index) {
    const std::string& path = set.images[index].path;
    Blobs blobs;
    if (set.inputs.size() == 1) {
        FW_ASSIGN_OR_RETURN(Mat input, load_input(path, set.preprocess, set.fit));
        FW_RETURN_IF_ERROR(check_varied(path, input));
        blobs.emplace(set.inputs[0], std::move(input));
        return blobs;
    }
    for (const std::string& name : set.inputs) {
        FW_ASSIGN_OR_RETURN(Mat input, read_npy(input_file(path, name)));
        blobs.emplace(name, std::move(input));
    }
    return blobs;
}

Status group_by_folder(const std::vector<std::string>& inputs, std::vector<ListedImage>* images) {
    std::set<std::string> folders;
    std::vector<ListedImage> grouped;
    for (ListedImage& image : *images) {
        const size_t slash = image.path.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : image.path.substr(0, slash);
        const std::string file = folder + "/" + image.path.substr(slash == std::string::npos ? 0 : slash + 1);
        const auto is_input = [&](const std::string& input) { return file == input_file(folder, input); };
        if (std::any_of(inputs.begin(), inputs.end(), is_input)) {
            image.path = folder;
        } else if (names_image(image.path)) {
            return Status::error(Code::kInvalidArgument,
                                 "%s: the network has %zu inputs, expected a folder for each set of them with files "
                                 "named as %s",
                                 image.path.c_str(), inputs.size(), input_file("FOLDER", inputs[0]).c_str());
        }
        if (folders.insert(image.path).second) {
            grouped.push_back(std::move(image));
        }
    }
    *images = std::move(grouped);
    return {};
}

Status set_inputs(const Net& net, const Blobs& blobs, Extractor* extractor) {
    for (const std::string& name : net.input_names()) {
        FW_RETURN_IF_ERROR(extractor->input(name.c_str(), blobs.at(name)));
    }
    return {};
}

Status run_observed(const Net& net, const Blobs& inputs, const Extractor::Observer& observer) {
    Extractor extractor = net.create_extractor();
    extractor.set_observer(observer);
    return run_outputs(net, inputs, &extractor);
}

Result<Statistics> count_images(const Net& net, const ImageSet& set, const ChannelFactors* factors) {
    BlobCounts counts;
    Statistics statistics;
    WatchedExtractors extractors(net);
    const auto work = [&](const Blobs& inputs) -> Result<ImageRanges> {
        ImageRanges ranges;
        std::vector<float> scaled;
        FW_RETURN_IF_ERROR(extractors.run(inputs, [&](const ObservedBlob& blob, const Tensor& value) -> Status {
            if (factors == nullptr) {
                return counts.join(blob, &ranges)
                           ? Status()
                           : counts.add(blob.value.name, value, &ranges).with_prefix("%s", layer_of(blob).c_str());
            }
            const auto found = factors->find(blob.value.name);
            if (found == factors->end() || found->second.size() != channels_of(value)) {
                return {};
            }
            return counts.add(blob.value.name, scale_channels(found->second, value, &scaled), &ranges);
        }));
        return ranges;
    };
    const auto commit = [&](size_t /*index*/, const ImageRanges& ranges) -> Status {
        for (const auto& [blob, range] : ranges) {
            ActivationStatistics& values = statistics.blobs[blob].values;
            values.image_min.reserve(set.images.size());
            values.image_max.reserve(set.images.size());
            values.image_min.push_back(range.min);
            values.image_max.push_back(range.max);
        }
        ++statistics.images;
        return {};
    };
    const auto unreadable = [&](size_t /*index*/, const Status& status) -> Status {
        if (!set.skip_bad) {
            return Status::error(status.code(), "%s (--skip-bad leaves such images out)", status.message());
        }
        statistics.unreadable.emplace_back(status.message());
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_image<ImageRanges>(set, "calibrating", work, commit, unreadable));
    for (auto& [blob, counted] : counts.take()) {
        BlobStatistics& out = statistics.blobs[blob];
        out.values.histogram = std::move(counted.histogram);
        out.channel_absmax = std::move(counted.channel_absmax);
    }
    return statistics;
}

Status check_readable(const Statistics& statistics) {
    if (statistics.images == 0) {
        return Status::error(Code::kInvalidArgument, "none of the %zu images can be read; the first: %s",
                             statistics.unreadable.size(), statistics.unreadable[0].c_str());
    }
    return {};
}

Result<Statistics> collect_statistics(const Net& net, const ImageSet& set, const ChannelFactors* factors) {
    FW_ASSIGN_OR_RETURN(Statistics statistics, count_images(net, set, factors));
    FW_RETURN_IF_ERROR(check_readable(statistics));
    return statistics;
}

}  // namespace fw::tools
