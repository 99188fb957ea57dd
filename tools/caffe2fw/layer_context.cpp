#include "caffe2fw/layer_context.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

namespace fw::caffe {

namespace {

Dims without_ones(const Dims& dims) {
    Dims out;
    std::copy_if(dims.begin(), dims.end(), std::back_inserter(out), [](int64_t d) { return d != 1; });
    return out;
}

}  // namespace

std::string dims_text(const Dims& dims) {
    std::string out = "(";
    for (size_t i = 0; i < dims.size(); ++i) {
        out += (i == 0 ? "" : ",") + std::to_string(dims[i]);
    }
    return out + ")";
}

int64_t dims_count(const Dims& dims) {
    int64_t count = 1;
    for (const int64_t d : dims) {
        if (d < 0 || d > Shape::kMaxElements) {
            return -1;
        }
        count *= d;  // both at most 2^31
        if (count > Shape::kMaxElements) {
            return -1;
        }
    }
    return count;
}

Dims natural_shape(const Dims& dims) {
    return {dims.begin() + batch_axes(dims), dims.end()};
}

BlobId LayerContext::in(int i) const {
    return c_.builder.find(param_.bottom(i));
}

const Dims& LayerContext::dims(int i) const {
    return c_.blobs[param_.bottom(i)].dims;
}

const Dims& LayerContext::shape(int i) const {
    return c_.blobs[param_.bottom(i)].shape;
}

std::vector<BlobId> LayerContext::all_in() const {
    std::vector<BlobId> out;
    out.reserve(static_cast<size_t>(bottoms()));
    for (int i = 0; i < bottoms(); ++i) {
        out.push_back(in(i));
    }
    return out;
}

BlobId LayerContext::natural(int i) {
    const Dims wanted = natural_shape(dims(i));
    if (shape(i) == wanted) {
        return in(i);
    }
    Dims values = wanted;
    if (shape(i).size() == 1 && wanted[0] == shape(i)[0]) {
        values[0] = -1;  // [C] -> [C,1,1] whatever C
    }
    return reshape(in(i), "reshape" + std::to_string(i), values, dims(i), wanted);
}

std::vector<BlobId> LayerContext::all_natural() {
    std::vector<BlobId> out;
    out.reserve(static_cast<size_t>(bottoms()));
    for (int i = 0; i < bottoms(); ++i) {
        out.push_back(natural(i));
    }
    return out;
}

BlobId LayerContext::reshape(BlobId blob, const std::string& suffix, const Dims& values, const Dims& to_dims,
                             const Dims& to_shape) {
    LayerBuilder& layer = add_inner("Reshape", suffix, {blob});
    set_extents(&layer, values);
    return inner_top(&layer, suffix, to_dims, to_shape);
}

int LayerContext::axis(int i, int64_t value, const char* what) {
    const auto rank = static_cast<int64_t>(dims(i).size());
    if (value < -rank || value >= rank) {
        error("%s is %lld, expected %lld to %lld for a bottom of shape %s", what, static_cast<long long>(value),
              static_cast<long long>(-rank), static_cast<long long>(rank - 1), dims_text(dims(i)).c_str());
        return -1;
    }
    return static_cast<int>(value < 0 ? value + rank : value);
}

int LayerContext::our_axis(int i, int64_t value, const char* what) {
    const int a = axis(i, value, what);
    if (a < 0) {
        return -1;
    }
    const int ours = a - batch_axes(dims(i));
    if (ours < 0) {
        error("%s is %lld, the batch axis: expected one of the others of %s", what, static_cast<long long>(value),
              dims_text(dims(i)).c_str());
    }
    return ours;
}

int64_t LayerContext::channels(int i) {
    if (batch_axes(dims(i)) == 0) {
        error("bottom '%s' has shape %s, expected a batch of one and channels", param_.bottom(i).c_str(),
              dims_text(dims(i)).c_str());
        return 0;
    }
    return dims(i)[1];
}

bool LayerContext::is_image(int i) {
    if (dims(i).size() != 4 || dims(i)[0] != 1) {
        error("bottom '%s' has shape %s, expected (1,channels,height,width)", param_.bottom(i).c_str(),
              dims_text(dims(i)).c_str());
        return false;
    }
    return true;
}

int LayerContext::weight_count() const {
    const auto it = c_.weights.find(param_.name());
    return it == c_.weights.end() ? 0 : static_cast<int>(it->second.size());
}

const BlobProto* LayerContext::find_blob(int slot) const {
    const auto it = c_.weights.find(param_.name());
    if (it != c_.weights.end() && slot < static_cast<int>(it->second.size())) {
        return &it->second[static_cast<size_t>(slot)];
    }
    if (slot < param_.param_size() && !param_.param(slot).name().empty()) {
        const auto shared = c_.shared.find(param_.param(slot).name());
        if (shared != c_.shared.end()) {
            const auto owner = c_.weights.find(shared->second.first);
            if (owner != c_.weights.end() && shared->second.second < static_cast<int>(owner->second.size())) {
                return &owner->second[static_cast<size_t>(shared->second.second)];
            }
        }
    }
    return slot < param_.blobs_size() ? &param_.blobs(slot) : nullptr;
}

int64_t LayerContext::weight_size(int slot) const {
    const BlobProto* blob = find_blob(slot);
    return blob == nullptr ? -1 : blob_values(*blob);
}

bool LayerContext::weight(int slot, const Dims& expected, const char* what, std::vector<float>* out) {
    if (c_.without_weights) {
        const int64_t values = dims_count(expected);
        if (values < 0) {
            return weight_error("%s of shape %s: more than a blob may hold", what, dims_text(expected).c_str());
        }
        if (!take_budget(values)) {
            return false;
        }
        out->assign(static_cast<size_t>(values), 0.0F);
        return true;
    }
    const BlobProto* blob = find_blob(slot);
    if (blob == nullptr) {
        if (c_.weights.count(param_.name()) == 0) {
            return weight_error("has no weights: expected %s of shape %s", what, dims_text(expected).c_str());
        }
        return weight_error("has %d weight blobs: expected %s of shape %s as blob %d", weight_count(), what,
                            dims_text(expected).c_str(), slot);
    }
    const Dims found = blob_dims(*blob);
    if (found.size() > 32 || without_ones(found) != without_ones(expected)) {
        return weight_error("%s (blob %d) has shape %s, expected %s", what, slot,
                            found.size() > 32 ? "of more than 32 axes" : dims_text(found).c_str(),
                            dims_text(expected).c_str());
    }
    const int64_t count = dims_count(expected);
    if (count < 0 || blob_values(*blob) != count) {
        return weight_error("%s (blob %d) of shape %s holds %lld values", what, slot, dims_text(found).c_str(),
                            static_cast<long long>(blob_values(*blob)));
    }
    if (!take_budget(count)) {
        return false;
    }
    *out = blob_floats(*blob);
    const auto strange = std::count_if(out->begin(), out->end(), [](float v) { return !(v - v == 0.0F); });
    if (strange > 0) {
        return weight_error("%s (blob %d) has %lld values that are inf or nan, expected finite numbers", what, slot,
                            static_cast<long long>(strange));
    }
    return true;
}

bool LayerContext::take_budget(int64_t count) {
    c_.weight_budget -= count;
    if (c_.weight_budget < 0) {
        return weight_error(c_.without_weights ? "the network has more than 2^29 weights"
                                               : "shared weights and constants add up to far more than the files hold");
    }
    return true;
}

void LayerContext::ignore_weights_from(int used) {
    if (weight_count() > used) {
        note("the caffemodel has %d weight blobs, %d are used", weight_count(), used);
    }
}

LayerBuilder& LayerContext::add(const char* type, const std::vector<BlobId>& inputs) {
    return c_.builder.add(type, param_.name().empty() ? param_.type() : param_.name(), inputs);
}

LayerBuilder& LayerContext::add_inner(const char* type, const std::string& suffix, const std::vector<BlobId>& inputs) {
    return c_.builder.add(type, param_.name() + "_" + suffix, inputs);
}

bool LayerContext::shape_ok(const Dims& dims, const Dims& shape) {
    const bool bad_extent = std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d < 1; });
    if (dims.empty() || bad_extent || dims_count(dims) < 0 || shape.size() > 4) {
        error(
            "its top would have shape %s, expected extents of at least 1, at most 4 besides the batch and %lld "
            "elements in all",
            dims_text(dims).c_str(), static_cast<long long>(Shape::kMaxElements));
        return false;
    }
    return true;
}

BlobId LayerContext::inner_top(LayerBuilder* layer, const std::string& suffix, const Dims& dims, const Dims& shape) {
    shape_ok(dims, shape);
    return layer->inner_top(param_.name() + "_" + suffix);
}

void LayerContext::top(LayerBuilder* layer, int i, const Dims& dims) {
    top(layer, i, dims, natural_shape(dims));
}

void LayerContext::top(LayerBuilder* layer, int i, const Dims& dims, const Dims& shape) {
    named_top(layer, param_.top(i), dims, shape);
}

void LayerContext::named_top(LayerBuilder* layer, const std::string& name, const Dims& dims, const Dims& shape) {
    layer->top(name);
    // Made before the old state goes, which `dims` may belong to.
    BlobState state;
    if (!failed_ && shape_ok(dims, shape)) {
        state = {dims, shape};
    }
    c_.blobs[name] = std::move(state);
}

void LayerContext::top_despite_weights(LayerBuilder* layer, bool known, const Dims& dims, const Dims& shape) {
    const bool failed = failed_;
    failed_ = !known;
    top(layer, 0, dims, shape);
    failed_ = failed_ || failed;
}

void LayerContext::identity(int top_index, const Dims& dims) {
    const std::string& name = param_.top(top_index);
    const auto left = c_.readers_left.find(name);
    const bool is_output = name != param_.bottom(0) && (left == c_.readers_left.end() || left->second == 0);
    if (optimize() && !is_output) {
        c_.builder.alias(name, in(0));
        c_.blobs[name] = BlobState{dims, shape(0)};
        return;
    }
    LayerBuilder& layer = add("Noop", {in(0)});
    top(&layer, top_index, dims, shape(0));
}

void LayerContext::give_up() {
    failed_ = true;
    LayerBuilder& layer = add("Noop", {});
    for (int i = 0; i < tops(); ++i) {
        top(&layer, i, {});
    }
}

std::string LayerContext::where() const {
    return place(c_.prototxt_name, param_.line()) + ": layer '" + param_.name() + "' (" + param_.type() + ")";
}

void LayerContext::error(const char* format, ...) {
    char text[800];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c_.report->layer_error(place(c_.prototxt_name, param_.line()), param_.name(), param_.type(), "%s", text);
    failed_ = true;
}

bool LayerContext::weight_error(const char* format, ...) {
    char text[800];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c_.report->layer_error(c_.model_name, param_.name(), param_.type(), "%s", text);
    failed_ = true;
    return false;
}

void LayerContext::warn(const char* format, ...) {
    char text[800];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c_.report->warn(where(), "%s", text);
}

void LayerContext::note(const char* format, ...) {
    char text[800];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c_.report->note(where(), "%s", text);
}

bool LayerContext::in_range(const char* what, int64_t value, int64_t low) {
    if (value < low || value > kMaxParam) {
        error("%s is %lld, expected %lld to %lld", what, static_cast<long long>(value), static_cast<long long>(low),
              static_cast<long long>(kMaxParam));
        return false;
    }
    return true;
}

}  // namespace fw::caffe
