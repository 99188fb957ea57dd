// Running images through the float network and counting what every blob holds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "calibrate/image_loop.h"
#include "quant/threshold.h"

namespace fw::tools {

struct BlobStatistics {
    ActivationStatistics values;
    std::vector<float> channel_absmax;  ///< largest |x| of each channel (axis 0)
};

struct Statistics {
    std::map<std::string, BlobStatistics> blobs;
    int images = 0;                       ///< that went through the network
    std::vector<std::string> unreadable;  ///< one message each, in the order of the list
};

/// Factors a channel, by blob (src/graph/passes/equalize_channels.cpp).
using ChannelFactors = std::map<std::string, std::vector<float>>;

/// Runs every image once through the float `net`. Memory does not depend on the number of images but for 8 bytes a blob
/// and image, the result not on the number of threads. With `factors`, only blobs that have some are counted, times
/// their factors. An image that cannot be read is noted and left out where the set says so, else an error; none
/// readable is an error (collect_statistics only), and so is a value that is inf or nan (blob and image are named).
Result<Statistics> collect_statistics(const Net& net, const ImageSet& set, const ChannelFactors* factors = nullptr);
Result<Statistics> count_images(const Net& net, const ImageSet& set, const ChannelFactors* factors = nullptr);

/// An error where no image could be read.
Status check_readable(const Statistics& statistics);

}  // namespace fw::tools
