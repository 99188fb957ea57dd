// What the functions that convert one Caffe layer work with: its message, the shapes of its bottoms, its weights.
//
// Shapes. Caffe's blobs begin with a batch axis, ours do not. `dims` are Caffe's extents with batch 1; a blob whose
// first extent is 1 loses that axis (its "natural" shape), any other blob keeps all of them. `shape` is what our layers
// really produce: global pooling, for one, gives [C] where Caffe has (1,C,1,1); natural() adds a Reshape where that
// matters.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "caffe.pb.h"
#include "caffe2fw/convert.h"
#include "caffe2fw/read.h"
#include "import/net_builder.h"

namespace fw::caffe {

using import::BlobId;
using import::LayerBuilder;
using import::set_extents;
using Dims = std::vector<int64_t>;

/// Largest number that a kernel, pad, stride, channel count and the like may have; beyond it a file is damaged.
constexpr int64_t kMaxParam = int64_t{1} << 24;

/// Elements of a DummyData that is a constant.
constexpr int64_t kMaxConstant = int64_t{1} << 24;

struct BlobState {
    Dims dims;   ///< empty = unknown, because the layer that writes it has a problem
    Dims shape;  ///< ours
};

std::string dims_text(const Dims& dims);
/// Product of the extents, or -1 if one is negative or the product exceeds Shape::kMaxElements.
int64_t dims_count(const Dims& dims);
/// 1 if the first extent is a batch axis that our blob does not have.
inline int batch_axes(const Dims& dims) {
    return dims.size() >= 2 && dims[0] == 1 ? 1 : 0;
}
Dims natural_shape(const Dims& dims);

/// State of one conversion.
struct Conversion {
    Conversion(const ConvertOptions& o, std::string prototxt, std::string model, import::Report* r)
        : options(o), prototxt_name(std::move(prototxt)), model_name(std::move(model)), report(r), builder(r) {}

    const ConvertOptions& options;
    std::string prototxt_name;
    std::string model_name;
    import::Report* report;
    WeightMap weights;
    import::NetBuilder builder;
    std::map<std::string, BlobState> blobs;  ///< present state of each blob name
    std::set<std::string> used_weights;      ///< layers of the caffemodel that the prototxt has
    /// Owner of each shared parameter name: layer and blob index.
    std::map<std::string, std::pair<std::string, int>> shared;
    /// How many layers from the present one on read each blob name.
    std::map<std::string, int> readers_left;
    std::set<BlobId> silenced;             ///< read by a Silence layer: not wanted as outputs
    std::set<std::string> region_blobs;    ///< rows of regions: their first axis is no batch
    std::set<std::string> sequence_blobs;  ///< what recurrent layers read step by step: their batch is axis 1
    std::set<std::string> label_blobs;     ///< tops of data layers that hold labels
    bool has_input = false;
    bool without_weights = false;  ///< there is no caffemodel: weights are zeros of the expected shape
    import::ImageInput image_input;
    /// How many weight values may still be taken: layers can share blobs, and a small file must not fill the memory.
    int64_t weight_budget = 0;
    Preprocess data_preprocess;  ///< from a data layer's transform_param
};

class LayerContext {
public:
    LayerContext(Conversion* conversion, const LayerParameter& param) : c_(*conversion), param_(param) {}

    const LayerParameter& param() const { return param_; }
    Conversion& conversion() { return c_; }
    bool optimize() const { return c_.options.optimize; }

    int bottoms() const { return param_.bottom_size(); }
    int tops() const { return param_.top_size(); }
    /// Caffe's extents of a bottom; known to be non-empty when a layer function runs.
    const Dims& dims(int i) const;
    const Dims& shape(int i) const;
    BlobId in(int i) const;
    std::vector<BlobId> all_in() const;
    /// Bottom i in its natural shape.
    BlobId natural(int i);
    std::vector<BlobId> all_natural();

    /// Axis of bottom `i` counted from 0 in Caffe's extents, from a number that may be negative; -1 after reporting an
    /// error.
    int axis(int i, int64_t value, const char* what);
    /// The same as an axis of our natural shape; an error for the batch axis.
    int our_axis(int i, int64_t value, const char* what);
    /// Extent of axis 1, if our outermost axis is Caffe's axis 1; else an error and 0.
    int64_t channels(int i);
    /// Reports an error unless bottom i is (1,C,H,W).
    bool is_image(int i);

    /// Number of weight blobs that the caffemodel has for this layer.
    int weight_count() const;
    /// Weight blob `slot` with the given extents (extents of 1 do not count); an error names what is wrong. `what` is
    /// its meaning.
    bool weight(int slot, const Dims& expected, const char* what, std::vector<float>* out);
    /// The number of values of a blob whose size is the layer's own choice (PReLU); -1 if it is missing.
    int64_t weight_size(int slot) const;
    /// Takes `count` values from the budget of the files' sizes; an error when it is used up.
    bool take_budget(int64_t count);
    /// Notes blobs beyond the first `used`.
    void ignore_weights_from(int used);

    /// Adds our layer under the Caffe layer's name.
    LayerBuilder& add(const char* type, const std::vector<BlobId>& inputs);
    /// Adds a helper layer named NAME_suffix.
    LayerBuilder& add_inner(const char* type, const std::string& suffix, const std::vector<BlobId>& inputs);
    BlobId inner_top(LayerBuilder* layer, const std::string& suffix, const Dims& dims, const Dims& shape);
    /// Makes top `i` of the Caffe layer the next output of `layer`. Without `shape` it is natural.
    void top(LayerBuilder* layer, int i, const Dims& dims);
    void top(LayerBuilder* layer, int i, const Dims& dims, const Dims& shape);
    /// A top that the Caffe layer does not name.
    void named_top(LayerBuilder* layer, const std::string& name, const Dims& dims, const Dims& shape);
    /// top() for a layer whose weights may have had an error: its top's shape is known all the same, so that the layers
    /// after it are still checked. `known` = nothing was wrong before the weights were read.
    void top_despite_weights(LayerBuilder* layer, bool known, const Dims& dims, const Dims& shape);
    /// A top is bottom 0: a layer that does nothing, but perhaps regard the same values as another of Caffe's shapes.
    void identity(int top_index, const Dims& dims);
    void identity() { identity(0, dims(0)); }
    /// Reshape to `shape` (ours), -1 in one place allowed.
    BlobId reshape(BlobId blob, const std::string& suffix, const Dims& values, const Dims& dims, const Dims& shape);
    /// All tops of unknown shape, after an error.
    void give_up();

    void error(const char* format, ...) FW_PRINTF(2, 3);
    void warn(const char* format, ...) FW_PRINTF(2, 3);
    void note(const char* format, ...) FW_PRINTF(2, 3);
    bool failed() const { return failed_; }
    /// Checks a number from the file: within [low, kMaxParam], else an error that names it.
    bool in_range(const char* what, int64_t value, int64_t low);

private:
    const BlobProto* find_blob(int slot) const;
    bool shape_ok(const Dims& dims, const Dims& shape);
    bool weight_error(const char* format, ...) FW_PRINTF(2, 3);
    std::string where() const;

    Conversion& c_;
    const LayerParameter& param_;
    bool failed_ = false;
};

/// One supported Caffe layer type.
struct LayerHandler {
    const char* type;
    void (*convert)(LayerContext* ctx);
    int min_bottoms, max_bottoms;  ///< max -1 = any
    int min_tops, max_tops;
    const char* becomes;  ///< for docs/caffe2fw.md

    bool dropped() const;  ///< its bottoms and tops do not matter
};

Span<const LayerHandler> layer_handlers();
const LayerHandler* find_handler(const std::string& type);

}  // namespace fw::caffe
