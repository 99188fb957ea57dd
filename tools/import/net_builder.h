// NetBuilder: puts a NetDef together from another framework's graph. It makes layer and blob names unique and
// file-safe, gives every value of a blob that is overwritten in place a name of its own, and finds parameters by the
// schema's keys.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fw/status.h"
#include "import/report.h"
#include "model/net_def.h"

namespace fw::import {

/// One value: a blob between two writes.
using BlobId = int;
constexpr BlobId kNoBlob = -1;

/// Names that differ: a second "x" becomes "x_2".
class UniqueNames {
public:
    const std::string& add(const std::string& wanted);

private:
    std::set<std::string> taken_;
    std::map<std::string, int> next_;
};

class NetBuilder;

/// A layer under construction; lives as long as its NetBuilder.
class LayerBuilder {
public:
    /// Sets a parameter by its key in the layer type's schema ("kernel_w"), as int or float as the schema says.
    LayerBuilder& set(const char* key, double value);
    LayerBuilder& set(const char* key, const std::vector<float>& values);
    LayerBuilder& set(const char* key, const std::vector<int>& values);
    /// Appends a weight blob, in the order of the schema.
    LayerBuilder& weight(std::vector<float> values);
    /// Makes the next output the new value of blob `name`.
    BlobId top(const std::string& name);
    /// An output that the source file does not know; its name is made from `hint`.
    BlobId inner_top(const std::string& hint);

private:
    friend class NetBuilder;
    NetBuilder* net_ = nullptr;
    LayerDef def_;
    std::vector<BlobId> bottoms_;
    std::vector<BlobId> tops_;
};

class NetBuilder {
public:
    explicit NetBuilder(Report* report) : report_(report) {}

    /// Appends a layer; the reference stays valid.
    LayerBuilder& add(const std::string& type, const std::string& name, const std::vector<BlobId>& bottoms);
    /// The present value of blob `name`; kNoBlob if none was written yet.
    BlobId find(const std::string& name) const;
    /// Lets `name` stand for an existing value, for layers that do nothing.
    void alias(const std::string& name, BlobId value);

    /// The network. The last value of a blob keeps the blob's name; the value that layer L overwrote is called
    /// BLOB_pre_L. `source` names the file in later messages.
    NetDef finish(const std::string& source);
    /// The final name of a value; valid after finish().
    const std::string& name(BlobId value) const { return values_[static_cast<size_t>(value)].name; }

private:
    friend class LayerBuilder;
    struct ValueInfo {
        std::string blob;    // the source's name, "" for inner values
        std::string name;    // final
        std::string writer;  // layer that replaced this value by the next one of the same blob
    };
    BlobId add_value(const std::string& blob);

    Report* report_;
    std::deque<LayerBuilder> layers_;
    std::vector<ValueInfo> values_;
    std::map<std::string, BlobId> current_;
    UniqueNames layer_names_;
};

/// Sets w, h, d, c of a Reshape, Input or MemoryData from one to four extents, outermost first.
void set_extents(LayerBuilder* layer, const std::vector<int64_t>& values);

/// ncnn reads a blob once: gives every blob with several readers a Split layer. The last step before a file is written.
void insert_splits(NetDef* net);

/// `text` with everything that a .param file cannot hold in a name replaced by '_'; "_" for nothing.
std::string file_safe_name(const std::string& text);

}  // namespace fw::import
