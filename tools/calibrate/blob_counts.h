// What is counted of the blobs of a network while images run through it.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "quant/histogram.h"
#include "runtime/runner.h"

namespace fw::tools {

using ImageRanges = std::map<std::string, ValueRange>;  ///< of one image, by blob

/// Extent of axis 0: what channel_absmax is kept of.
inline size_t channels_of(const Tensor& value) {
    return static_cast<size_t>(value.shape[0]);
}

/// Histograms and largest magnitudes of blobs. Of one blob for all threads: counts and maxima come out alike in any
/// order.
class BlobCounts {
public:
    struct Counted {
        Histogram histogram;
        std::vector<float> channel_absmax;
    };

    /// Counts a blob, float32, dense, channels innermost; `*ranges` gets its range in this image. An error where a
    /// value is inf or nan.
    Status add(const std::string& blob, const Tensor& value, ImageRanges* ranges);
    /// For a Concat of blobs that `*ranges` has: notes that its counts are the sums of theirs, which take() makes once
    /// for all images, and returns true. Every image has to go the same way.
    bool join(const ObservedBlob& blob, ImageRanges* ranges);
    /// All that was counted, by blob.
    std::map<std::string, Counted> take();

private:
    struct Shared {
        std::mutex mutex;
        Counted counted;
    };
    struct Joined {
        std::vector<std::string> parts;
        bool channels = false;  ///< joined along axis 0
    };

    void make_joined(const std::string& blob, std::map<std::string, Counted>* made) const;

    std::mutex mutex_;  // guards the maps
    std::map<std::string, Shared> blobs_;
    std::map<std::string, Joined> joined_;
};

}  // namespace fw::tools
