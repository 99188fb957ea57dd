// Statistics in a file, so that a large set of images can be counted in parts: on several machines, or again after an
// interruption.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/collect.h"
#include "fw/table.h"

namespace fw::tools {

/// Statistics with what they belong to.
struct StatisticsFile {
    std::string model_hash;    ///< Net::model_hash() of the network that ran
    Preprocess preprocess;     ///< what it was fed
    Fit fit;                   ///< and how images were brought to its size
    uint64_t images_hash = 0;  ///< of the paths of all images that were listed (hash_of)
    uint64_t listed = 0;       ///< how many were listed
    uint64_t done = 0;         ///< the first so many have been through, unreadable ones included
    Statistics statistics;

    bool complete() const { return done == listed; }
};

/// FNV-1a (64 bit) over the paths.
uint64_t hash_of(const std::vector<ListedImage>& images);

/// File form, version 2, little-endian: "fwstats 2\n"; model and preprocessing as the text of a table; the fit as
/// parse_fit reads it; counts; the unreadable images' messages; for each blob its name, range, exponent and zeros, the
/// bins that are not 0 as (gap, count) pairs, each image's range, each channel's largest value; FNV-1a of all before
/// it. Whole numbers have 7 bits a byte, the lowest first (LEB128).
std::vector<uint8_t> encode_statistics(const StatisticsFile& file);
/// Errors name `source` and what is wrong: another kind of file or version, a cut or changed one, parts that contradict
/// each other. Takes no more memory than the file's size justifies, but for the bins of the blobs it names.
Result<StatisticsFile> decode_statistics(Span<const uint8_t> bytes, const char* source);

Result<StatisticsFile> load_statistics(const std::string& path);
Status save_statistics(const std::string& path, const StatisticsFile& file);

/// Adds `other`'s images behind those of `into`. The same result, but for the order that --method moving-minmax looks
/// at, whatever the split (quant/histogram.h).
void merge_statistics(const Statistics& other, Statistics* into);

/// Reads and merges files in the order given. An error where they belong to different models, preprocessing or fits,
/// where one is not complete, or where two are of the same images.
Result<StatisticsFile> merge_files(const std::vector<std::string>& paths);

/// Counts `set` into `path`, a checkpoint every `kCheckpointImages`, and goes on where an earlier run with the same
/// model, preprocessing, fit and images was interrupted; anything else in `path` is an error, as is a complete file
/// (the counting would be done for nothing; delete it to repeat).
Result<StatisticsFile> collect_into_file(const Net& net, const ImageSet& set, const std::string& path);
constexpr size_t kCheckpointImages = 256;

}  // namespace fw::tools
