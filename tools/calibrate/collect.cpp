#include "calibrate/collect.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "common/npy.h"

namespace fw::tools {

namespace {

using ImageRanges = std::map<std::string, ValueRange>;  // of one image, by blob

// Of one blob, for all threads: counts and maxima come out alike in any order.
struct BlobCounts {
    std::mutex mutex;
    Histogram histogram;
    std::vector<float> channel_absmax;
};
class Counts {
public:
    BlobCounts& operator[](const std::string& blob) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return blobs_[blob];
    }
    std::map<std::string, BlobCounts>& all() { return blobs_; }

private:
    std::mutex mutex_;
    std::map<std::string, BlobCounts> blobs_;
};

size_t channels_of(const Mat& value) {
    return static_cast<size_t>(value.shape().rank >= 3 ? value.c() : value.shape()[0]);
}

void scale_channels(const std::vector<float>& factors, const Mat& value, std::vector<float>* out) {
    const auto pixels = static_cast<size_t>(value.count()) / factors.size();
    out->resize(static_cast<size_t>(value.count()));
    for (size_t i = 0; i < out->size(); ++i) {
        (*out)[i] = value.data()[i] * factors[i / pixels];
    }
}

Status count_blob(const std::string& blob, Span<const float> values, size_t channels, Counts* counts,
                  ImageRanges* ranges) {
    std::vector<float> absmax(channels, 0.0F);
    ValueRange& range = (*ranges)[blob];
    const size_t pixels = channels == 0 ? 0 : values.size() / channels;
    for (size_t c = 0; c < channels; ++c) {
        const ValueRange channel = range_of(Span<const float>(values.data() + c * pixels, pixels));
        if (!channel.finite()) {
            return Status::error(Code::kInvalidArgument, "blob '%s' holds inf or nan", blob.c_str());
        }
        absmax[c] = std::max(channel.max, -channel.min);
        range.min = std::min(range.min, channel.min);
        range.max = std::max(range.max, channel.max);
    }
    BlobCounts& all = (*counts)[blob];
    const std::lock_guard<std::mutex> lock(all.mutex);
    all.histogram.add(values, range);
    all.channel_absmax.resize(std::max(all.channel_absmax.size(), channels), 0.0F);
    for (size_t c = 0; c < channels; ++c) {
        all.channel_absmax[c] = std::max(all.channel_absmax[c], absmax[c]);
    }
    return {};
}

// An error where every pixel is alike.
Status check_varied(const std::string& path, const Mat& input) {
    const int64_t pixels = input.shape().rank == 3 ? static_cast<int64_t>(input.h()) * input.w() : 0;
    if (pixels < 2) {
        return {};
    }
    for (int c = 0; c < input.c(); ++c) {
        const float* plane = input.data() + c * pixels;
        if (std::any_of(plane + 1, plane + pixels, [&](float x) { return x != plane[0]; })) {
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
    return ExtractorPool(net).run_observed(inputs, observer);
}

Status ExtractorPool::run_observed(const Blobs& inputs, const Extractor::Observer& observer) {
    std::optional<Extractor> extractor;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!idle_.empty()) {
            extractor = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!extractor) {
        extractor = net_.create_extractor();
    }
    extractor->set_observer(observer);
    FW_RETURN_IF_ERROR(set_inputs(net_, inputs, &*extractor));
    for (const std::string& output : net_.output_names()) {
        Mat ignored;
        FW_RETURN_IF_ERROR(extractor->extract(output.c_str(), &ignored));
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(*extractor));
    return {};
}

Result<Statistics> count_images(const Net& net, const ImageSet& set, const ChannelFactors* factors) {
    Counts counts;
    Statistics statistics;
    ExtractorPool extractors(net);
    const auto work = [&](const Blobs& inputs) -> Result<ImageRanges> {
        ImageRanges ranges;
        std::vector<float> scaled;
        FW_RETURN_IF_ERROR(extractors.run_observed(inputs, [&](const std::string& blob, const Mat& value) -> Status {
            const size_t channels = channels_of(value);
            Span<const float> values(value.data(), static_cast<size_t>(value.count()));
            if (factors != nullptr) {
                const auto found = factors->find(blob);
                if (found == factors->end() || found->second.size() != channels) {
                    return {};
                }
                scale_channels(found->second, value, &scaled);
                values = scaled;
            }
            return count_blob(blob, values, channels, &counts, &ranges);
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
    for (auto& [blob, counted] : counts.all()) {
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
