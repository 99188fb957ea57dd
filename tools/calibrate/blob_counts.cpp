#include "calibrate/blob_counts.h"

#include <algorithm>

#include "layer/support/shape.h"

namespace fw::tools {

namespace {

// Of each channel of a dense tensor, channels innermost.
std::vector<ValueRange> channel_ranges(const Tensor& value) {
    const size_t channels = channels_of(value);
    const Span<const float> all(value.ptr(), static_cast<size_t>(value.count()));
    if (value.rank() != 2) {
        return column_ranges(all, channels);
    }
    std::vector<ValueRange> ranges;
    const size_t row = all.size() / channels;
    for (size_t c = 0; c < channels; ++c) {
        ranges.push_back(range_of(Span<const float>(all.data() + c * row, row)));
    }
    return ranges;
}

void widen(const ValueRange& by, ValueRange* range) {
    range->min = std::min(range->min, by.min);
    range->max = std::max(range->max, by.max);
}

}  // namespace

Status BlobCounts::add(const std::string& blob, const Tensor& value, ImageRanges* ranges) {
    const std::vector<ValueRange> channels = channel_ranges(value);
    ValueRange& range = (*ranges)[blob];
    for (const ValueRange& channel : channels) {
        if (!channel.finite()) {
            return Status::error(Code::kInvalidArgument, "blob '%s' holds inf or nan", blob.c_str());
        }
        widen(channel, &range);
    }
    Shared* shared = nullptr;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        shared = &blobs_[blob];
    }
    const std::lock_guard<std::mutex> lock(shared->mutex);
    Counted& counted = shared->counted;
    counted.histogram.add(Span<const float>(value.ptr(), static_cast<size_t>(value.count())), range);
    counted.channel_absmax.resize(std::max(counted.channel_absmax.size(), channels.size()), 0.0F);
    for (size_t c = 0; c < channels.size(); ++c) {
        counted.channel_absmax[c] = std::max({counted.channel_absmax[c], channels[c].max, -channels[c].min});
    }
    return {};
}

bool BlobCounts::join(const ObservedBlob& blob, ImageRanges* ranges) {
    const NodeId producer = blob.value.producer;
    if (producer == kNone || blob.graph.node(producer).type != "Concat" || !blob.value.factors.empty()) {
        return false;
    }
    Joined joined;
    ValueRange range;
    for (const ValueId input : blob.graph.node(producer).inputs) {
        const Value& part = blob.graph.value(input);
        const auto found = ranges->find(part.name);
        if (found == ranges->end() || !part.factors.empty()) {
            return false;
        }
        joined.parts.push_back(part.name);
        widen(found->second, &range);
    }
    int axis = 0;
    if (!resolve_axis(blob.graph.params(producer).i(0), blob.tensor.rank(), &axis).ok()) {
        return false;
    }
    joined.channels = axis == 0;
    (*ranges)[blob.value.name] = range;
    const std::lock_guard<std::mutex> lock(mutex_);
    joined_.emplace(blob.value.name, std::move(joined));
    return true;
}

void BlobCounts::make_joined(const std::string& blob, std::map<std::string, Counted>* made) const {
    const auto found = joined_.find(blob);
    if (found == joined_.end() || made->count(blob) != 0) {
        return;
    }
    Counted sum;
    for (const std::string& part : found->second.parts) {
        make_joined(part, made);
        const Counted& counted = made->at(part);
        sum.histogram.merge(counted.histogram);
        const std::vector<float>& absmax = counted.channel_absmax;
        if (found->second.channels) {
            sum.channel_absmax.insert(sum.channel_absmax.end(), absmax.begin(), absmax.end());
            continue;
        }
        sum.channel_absmax.resize(std::max(sum.channel_absmax.size(), absmax.size()), 0.0F);
        for (size_t c = 0; c < absmax.size(); ++c) {
            sum.channel_absmax[c] = std::max(sum.channel_absmax[c], absmax[c]);
        }
    }
    made->emplace(blob, std::move(sum));
}

std::map<std::string, BlobCounts::Counted> BlobCounts::take() {
    std::map<std::string, Counted> made;
    for (auto& [blob, shared] : blobs_) {
        made.emplace(blob, std::move(shared.counted));
    }
    for (const auto& [blob, joined] : joined_) {
        make_joined(blob, &made);
    }
    return made;
}

}  // namespace fw::tools
