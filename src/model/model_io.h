// Readers and writers of .param and .bin files. Every size is checked against the file before memory is taken.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fw/span.h"
#include "fw/status.h"
#include "model/net_def.h"
#include "model/schema.h"

namespace fw {

/// Memory of a model file: mapped or read, freed with the last reference.
struct FileData {
    Span<const uint8_t> bytes;
    std::shared_ptr<const void> owner;
    bool mapped = false;
};

/// Maps a file read-only (nobody may shorten it while the data lives); reads it where mapping is not offered (pipes,
/// special systems).
Result<FileData> map_file(const char* path);
/// Writes beside `path` and renames, so that a failure leaves what was there.
Status write_file_atomic(const char* path, Span<const uint8_t> bytes);

/// What goes into a file, and its path.
struct OutputFile {
    std::string path;
    Span<const uint8_t> bytes;
};
/// Files that belong together: every one is written beside its target, and only when all are on disk are they renamed,
/// in this order. A failure of writing leaves all that was there.
Status write_files_atomic(Span<const OutputFile> files);

/// Weight blobs of a type that find_schema does not know (custom layers); false = the type is unknown.
using CustomBlobs = std::function<bool(const std::string& type, const ParamDict& params, std::vector<BlobSpec>* out)>;

/// Parses the text of a .param file: magic, counts, layers, connections (every bottom produced earlier, every top
/// once). Errors name source and line. An unknown type is an error unless `custom` knows it.
Result<NetDef> parse_param(Span<const char> text, const char* source, const CustomBlobs& custom = nullptr);
/// Reads the weights of `net` from .bin data. `source` names the file in messages. Trailing bytes are an error.
Status read_weights(const FileData& bin, const char* source, NetDef* net, const CustomBlobs& custom = nullptr);

/// Both files from disk.
Result<NetDef> load_net_def(const char* param_path, const char* bin_path, const CustomBlobs& custom = nullptr);

/// Fills in weights for a network that has none (benchmarks): uniform, He-style by fan-in, the same for the same seed
/// and layer names on every machine; int8 blobs and scales where the parameters ask for them. At most 2^29 weights in
/// all.
Status random_weights(NetDef* net, uint64_t seed);

enum class WeightFormat : uint8_t { kAsStored, kFloat16 };

/// Text of a .param file; default values are left out. Fails on names that would not read back (blanks) and on values
/// that are not finite.
Result<std::string> param_text(const NetDef& net);
/// Bytes of the .bin file. kFloat16 stores flagged float32 blobs as float16, except those with values beyond its range.
/// Fails if blobs do not match the parameters. Blobs of types without a schema are written as plain float32.
Result<std::vector<uint8_t>> bin_bytes(const NetDef& net, WeightFormat format = WeightFormat::kAsStored);
/// Writes both files, and `beside` (a table, a picture) with them, by write_files_atomic.
Status save_net_def(const NetDef& net, const char* param_path, const char* bin_path,
                    WeightFormat format = WeightFormat::kAsStored, Span<const OutputFile> beside = {});

}  // namespace fw
