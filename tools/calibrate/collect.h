// Running images through the float network and counting what every blob holds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/image_file.h"
#include "fw/net.h"
#include "quant/histogram.h"

namespace fw::tools {

struct Statistics {
    std::map<std::string, AbsHistogram> blobs;
    int images = 0;                       ///< that went through the network
    std::vector<std::string> unreadable;  ///< one message each, in the order of the list
};

/// Runs every image once, `threads` at a time (0 = all cores); each thread decodes, runs and counts into histograms of
/// its own, which are merged at the end: memory does not depend on the number of images, the result not on the number
/// of threads. An image that cannot be read is noted and left out; none readable is an error, and so is a value that is
/// inf or nan (blob and image are named).
Result<Statistics> collect_statistics(const Net& net, const std::vector<ListedImage>& images,
                                      const Preprocess& preprocess, int threads, bool quiet);

}  // namespace fw::tools
