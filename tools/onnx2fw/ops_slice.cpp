// Concat, Slice, Split, Gather, Pad.
#include <algorithm>
#include <iterator>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

// Input i as a blob of which ONNX's axis `axis` is an axis: as it lies, or in natural order, or with all its axes.
bool with_axis(NodeContext* ctx, const Value& in, int axis, Value* out) {
    *out = in.blob == kNoBlob ? ctx->arranged(in) : in;
    if (out->blob == kNoBlob || out->axes[static_cast<size_t>(axis)] != kNoAxis) {
        return out->blob != kNoBlob;
    }
    std::vector<int> order;
    Dims shape;
    std::vector<int> axes(in.dims.size(), kNoAxis);
    for (int k = 0; k < in.rank(); ++k) {
        if (k == axis || in.dims[static_cast<size_t>(k)] != 1) {
            axes[static_cast<size_t>(k)] = static_cast<int>(order.size());
            order.push_back(k);
            shape.push_back(in.dims[static_cast<size_t>(k)]);
        }
    }
    if (order.size() > 4) {
        ctx->error("input %s has more than four axes above 1", dims_text(in.dims).c_str());
        return false;
    }
    out->blob = ctx->arrange(in, order);
    out->shape = shape;
    out->axes = axes;
    return out->blob != kNoBlob;
}

// A part [begin, begin + extent) of the blob's axes.
LayerBuilder& crop(NodeContext* ctx, const std::string& suffix, BlobId blob, const std::vector<int>& axes,
                   const std::vector<int>& begins, const std::vector<int>& ends) {
    LayerBuilder& layer = suffix.empty() ? ctx->add("Crop", {blob}) : ctx->add_inner("Crop", suffix, {blob});
    layer.set("starts", begins).set("ends", ends).set("axes", axes);
    return layer;
}

// The elements `indices` of the blob's axis `ours`, in that order, runs of neighbours in one piece. `suffix` is empty
// for the node's own layer. The layer whose next top they are, or nullptr after an error.
LayerBuilder* pick(NodeContext* ctx, const std::string& suffix, BlobId blob, int ours,
                   const std::vector<int64_t>& indices) {
    std::vector<std::pair<int, int>> runs;
    for (const int64_t index : indices) {
        if (runs.empty() || runs.back().second != index) {
            runs.emplace_back(static_cast<int>(index), static_cast<int>(index));
        }
        runs.back().second = static_cast<int>(index) + 1;
    }
    if (runs.empty() || runs.size() > 256) {
        ctx->error("takes %zu elements in %zu runs of neighbours, expected 1 to 256 runs", indices.size(), runs.size());
        return nullptr;
    }
    if (runs.size() == 1) {
        return &crop(ctx, suffix, blob, {ours}, {runs[0].first}, {runs[0].second});
    }
    std::vector<BlobId> parts;
    for (size_t k = 0; k < runs.size(); ++k) {
        const std::string name = suffix + "run" + std::to_string(k);
        LayerBuilder& part = crop(ctx, name, blob, {ours}, {runs[k].first}, {runs[k].second});
        parts.push_back(ctx->inner(&part, name));
    }
    LayerBuilder& layer = suffix.empty() ? ctx->add("Concat", parts) : ctx->add_inner("Concat", suffix, parts);
    layer.set("axis", ours);
    return &layer;
}

// Axes that are cut backwards, or in steps where no pooling can step, element by element; `box` then has them whole.
bool pick_steps(NodeContext* ctx, Value* x, SliceBox* box) {
    for (size_t k = 0; k < x->dims.size(); ++k) {
        const bool pooled = box->step[k] > 0 && x->shape.size() == 3 && x->axes[k] >= 1;
        if (box->extent[k] < 2 || box->step[k] == 1 || pooled) {
            continue;
        }
        std::vector<int64_t> indices;
        for (int64_t i = 0; i < box->extent[k]; ++i) {
            indices.push_back(box->start[k] + i * box->step[k]);
        }
        const std::string suffix = "axis" + std::to_string(k);
        LayerBuilder* layer = pick(ctx, suffix, x->blob, x->axes[k], indices);
        if (layer == nullptr) {
            return false;
        }
        x->blob = ctx->inner(layer, suffix);
        x->dims[k] = x->shape[static_cast<size_t>(x->axes[k])] = box->extent[k];
        box->start[k] = 0;
        box->step[k] = 1;
    }
    return true;
}

}  // namespace

void convert_concat(NodeContext* ctx) {
    const int rank = ctx->in(0).rank();
    const int axis = ctx->axis(ctx->attr("axis", 0), rank);
    if (axis < 0) {
        return;
    }
    Dims dims = ctx->in(0).dims;
    dims[static_cast<size_t>(axis)] = 0;
    for (int i = 0; i < ctx->inputs(); ++i) {
        if (!ctx->has(i)) {
            ctx->error("input %d is absent", i);
            return;
        }
        Dims own = ctx->in(i).dims;
        if (own.size() == dims.size()) {
            dims[static_cast<size_t>(axis)] += own[static_cast<size_t>(axis)];
            own[static_cast<size_t>(axis)] = dims[static_cast<size_t>(axis)];
        }
        if (own != dims) {
            ctx->error("joins %s and %s along axis %d", dims_text(ctx->in(0).dims).c_str(),
                       dims_text(ctx->in(i).dims).c_str(), axis);
            return;
        }
    }
    // The first input that lies in its own order leads, unless they all lie naturally.
    Value lead;
    if (!with_axis(ctx, ctx->in(0), axis, &lead)) {
        return;
    }
    std::vector<int> order(lead.shape.size(), kNoAxis);
    for (size_t k = 0; k < lead.axes.size(); ++k) {
        if (lead.axes[k] != kNoAxis) {
            order[static_cast<size_t>(lead.axes[k])] = static_cast<int>(k);
        }
    }
    std::vector<BlobId> bottoms = {lead.blob};
    for (int i = 1; i < ctx->inputs(); ++i) {
        bottoms.push_back(ctx->arrange(ctx->in(i), order));
        if (bottoms.back() == kNoBlob) {
            return;
        }
    }
    Dims shape = lead.shape;
    const int ours = lead.axes[static_cast<size_t>(axis)];
    shape[static_cast<size_t>(ours)] = dims[static_cast<size_t>(axis)];
    LayerBuilder& layer = ctx->add("Concat", bottoms);
    layer.set("axis", ours);
    ctx->out(0, &layer, dims, shape, lead.axes);
}

void convert_slice(NodeContext* ctx) {
    Value x = ctx->in(0);
    SliceBox box;
    if (!read_slice(ctx, x.dims, &box)) {
        return;
    }
    if (dims_count(box.extent) < 1) {
        ctx->error("nothing is left of %s", dims_text(x.dims).c_str());
        return;
    }
    if (box.extent == x.dims) {
        bool forwards = true;
        for (size_t k = 0; k < box.step.size(); ++k) {
            forwards = forwards && (box.step[k] > 0 || box.extent[k] == 1);
        }
        if (forwards && x.blob != kNoBlob) {
            ctx->view(0, x);
            return;
        }
    }
    x = x.blob == kNoBlob ? ctx->arranged(x) : x;
    if (x.blob == kNoBlob || !pick_steps(ctx, &x, &box)) {
        return;
    }
    std::vector<int> axes;
    std::vector<int> begins;
    std::vector<int> ends;
    Value v = x;
    v.dims = box.extent;
    bool strided = false;
    for (size_t k = 0; k < x.dims.size(); ++k) {
        if (box.extent[k] == x.dims[k] && (box.step[k] == 1 || box.extent[k] == 1)) {
            continue;
        }
        const auto ours = static_cast<size_t>(x.axes[k]);
        const int64_t span = box.step[k] > 1 ? (box.extent[k] - 1) * box.step[k] + 1 : box.extent[k];
        axes.push_back(x.axes[k]);
        begins.push_back(static_cast<int>(box.start[k]));
        ends.push_back(static_cast<int>(box.start[k] + span));
        v.shape[ours] = span;
        strided = strided || (box.step[k] > 1 && box.extent[k] > 1);
    }
    if (axes.empty()) {
        ctx->view(0, x);
        return;
    }
    if (!strided) {
        LayerBuilder& layer = crop(ctx, "", x.blob, axes, begins, ends);
        ctx->out(0, &layer, v.dims, v.shape, v.axes);
        return;
    }
    // Every s-th element: a maximum over windows of one, which steps along height and width.
    const Dims cut = v.shape;
    int64_t step[2] = {1, 1};
    for (size_t k = 0; k < x.dims.size(); ++k) {
        if (box.step[k] > 1 && box.extent[k] > 1) {
            step[x.axes[k] - 1] = box.step[k];
            v.shape[static_cast<size_t>(x.axes[k])] = box.extent[k];
        }
    }
    BlobId part = x.blob;
    if (cut != x.shape) {
        LayerBuilder& first = crop(ctx, "part", x.blob, axes, begins, ends);
        part = ctx->inner(&first, "part");
    }
    LayerBuilder& layer = ctx->add("Pooling", {part});
    layer.set("pooling_type", 0).set("kernel_w", 1).set("kernel_h", 1).set("pad_mode", 1);
    layer.set("stride_w", static_cast<double>(step[1])).set("stride_h", static_cast<double>(step[0]));
    ctx->out(0, &layer, v.dims, v.shape, v.axes);
}

void convert_split(NodeContext* ctx) {
    const Value in = ctx->in(0);
    const int axis = ctx->axis(ctx->attr("axis", 0), in.rank());
    Value x;
    Dims pieces;
    if (axis < 0 || !read_split(ctx, in.dims[static_cast<size_t>(axis)], &pieces) || !with_axis(ctx, in, axis, &x)) {
        return;
    }
    LayerBuilder& layer = ctx->add("Slice", {x.blob});
    const int ours = x.axes[static_cast<size_t>(axis)];
    layer.set("axis", ours).set("slices", std::vector<int>(pieces.begin(), pieces.end()));
    for (size_t i = 0; i < pieces.size(); ++i) {
        Dims dims = x.dims;
        Dims shape = x.shape;
        dims[static_cast<size_t>(axis)] = shape[static_cast<size_t>(ours)] = pieces[i];
        ctx->out(static_cast<int>(i), &layer, dims, shape, x.axes);
    }
}

void convert_gather(NodeContext* ctx) {
    const Value in = ctx->in(0);
    std::vector<int64_t> indices;
    const int axis = ctx->axis(ctx->attr("axis", 0), in.rank());
    Value x;
    if (axis < 0 || !ctx->ints(1, "indices", &indices) || !with_axis(ctx, in, axis, &x)) {
        return;
    }
    const Dims index_dims = ctx->in(1).dims;
    const int64_t extent = in.dims[static_cast<size_t>(axis)];
    for (int64_t& index : indices) {
        if (!ctx->in_range("index", index, -extent, extent - 1)) {
            return;
        }
        index += index < 0 ? extent : 0;
    }
    // The axis becomes those of the indices, in the blob those that are not 1.
    const int ours = x.axes[static_cast<size_t>(axis)];
    Dims above;
    std::copy_if(index_dims.begin(), index_dims.end(), std::back_inserter(above), [](int64_t d) { return d != 1; });
    const bool single = above.empty();
    above.resize(std::max<size_t>(1, above.size()), 1);
    Value v = x;
    v.shape.erase(v.shape.begin() + ours);
    v.shape.insert(v.shape.begin() + ours, above.begin(), above.end());
    v.dims.erase(v.dims.begin() + axis);
    v.axes.erase(v.axes.begin() + axis);
    for (int& own : v.axes) {
        own += own > ours ? static_cast<int>(above.size()) - 1 : 0;
    }
    int next = ours;
    for (size_t k = 0; k < index_dims.size(); ++k) {
        const auto at = axis + static_cast<std::ptrdiff_t>(k);
        v.dims.insert(v.dims.begin() + at, index_dims[k]);
        v.axes.insert(v.axes.begin() + at, index_dims[k] != 1 || (single && k == 0) ? next++ : kNoAxis);
    }
    if (v.shape.size() > Shape::kMaxRank) {
        ctx->error("output would be %s, expected at most %d axes above 1", dims_text(v.dims).c_str(), Shape::kMaxRank);
        return;
    }
    const bool reshaped = above.size() > 1;
    LayerBuilder* layer = pick(ctx, reshaped ? "picked" : "", x.blob, ours, indices);
    if (layer == nullptr) {
        return;
    }
    if (reshaped) {
        const BlobId row = ctx->inner(layer, "picked");
        layer = &ctx->add("Reshape", {row});
        import::set_extents(layer, v.shape);
    }
    ctx->out(0, layer, v.dims, v.shape, v.axes);
}

void convert_pad(NodeContext* ctx) {
    const Value in = ctx->in(0);
    std::vector<int64_t> pads = ctx->attr_ints(ctx->has_attr("pads") ? "pads" : "paddings");
    std::vector<int> axes;
    double value = 0;
    if ((ctx->has(1) && !ctx->ints(1, "pads", &pads)) || !ctx->number(2, "value", 0, &value) ||
        !read_axes(ctx, 3, in.rank(), &axes)) {
        return;
    }
    for (int k = 0; !ctx->has(3) && k < in.rank(); ++k) {
        axes.push_back(k);
    }
    const std::string mode = ctx->attr_s("mode", "constant");
    const int type = mode == "constant" ? 0 : mode == "edge" ? 1 : mode == "reflect" ? 2 : -1;
    if (type < 0 || pads.size() != 2 * axes.size()) {
        ctx->error("mode is '%s' with %zu pads, expected constant, edge or reflect and %zu pads", mode.c_str(),
                   pads.size(), 2 * axes.size());
        return;
    }
    Dims dims = in.dims;
    std::vector<int> padded;
    Dims before(in.dims.size(), 0);
    Dims after(in.dims.size(), 0);
    for (size_t k = 0; k < axes.size(); ++k) {
        const auto axis = static_cast<size_t>(axes[k]);
        before[axis] = pads[k];
        after[axis] = pads[k + axes.size()];
        if (!ctx->in_range("pads", before[axis], -dims[axis]) || !ctx->in_range("pads", after[axis], -dims[axis])) {
            return;
        }
        dims[axis] += before[axis] + after[axis];
        if (before[axis] != 0 || after[axis] != 0) {
            padded.push_back(axes[k]);
        }
    }
    if (dims_count(dims) < 1) {
        ctx->error("output would be %s", dims_text(dims).c_str());
        return;
    }
    Value x = in.blob == kNoBlob ? ctx->arranged(in) : in;
    if (x.blob == kNoBlob) {
        return;
    }
    // Our Padding reaches three axes, the innermost ones (all that a blob of rank 3 has). Axes of 1 that are padded
    // must be axes of the blob.
    const auto reaches = [&](const Value& v) {
        for (const int axis : padded) {
            if (v.axes[static_cast<size_t>(axis)] < static_cast<int>(v.shape.size()) - 3 ||
                v.axes[static_cast<size_t>(axis)] == kNoAxis) {
                return false;
            }
        }
        return true;
    };
    if (!reaches(x)) {
        std::vector<int> order;
        x.axes.assign(x.dims.size(), kNoAxis);
        x.shape.clear();
        for (int pass = 0; pass < 2; ++pass) {  // axes that stay, then those that are padded
            for (int k = 0; k < in.rank(); ++k) {
                const bool grows = std::find(padded.begin(), padded.end(), k) != padded.end();
                if (grows == (pass == 1) && (grows || in.dims[static_cast<size_t>(k)] != 1)) {
                    x.axes[static_cast<size_t>(k)] = static_cast<int>(order.size());
                    order.push_back(k);
                    x.shape.push_back(in.dims[static_cast<size_t>(k)]);
                }
            }
        }
        if (padded.size() > 3 || order.size() > 4) {
            ctx->error("pads %zu axes of %s, expected at most 3", padded.size(), dims_text(in.dims).c_str());
            return;
        }
        x.blob = ctx->arrange(in, order);
        if (x.blob == kNoBlob) {
            return;
        }
    }
    // Negative pads cut first.
    std::vector<int> cut_axes;
    std::vector<int> begins;
    std::vector<int> ends;
    for (const int axis : padded) {
        const auto at = static_cast<size_t>(axis);
        if (before[at] < 0 || after[at] < 0) {
            cut_axes.push_back(x.axes[at]);
            begins.push_back(static_cast<int>(std::max<int64_t>(0, -before[at])));
            ends.push_back(static_cast<int>(in.dims[at] - std::max<int64_t>(0, -after[at])));
            if (begins.back() >= ends.back()) {
                ctx->error("negative pads leave nothing of axis %d", axis);
                return;
            }
        }
    }
    Value v = x;
    v.dims = dims;
    for (const int axis : padded) {
        v.shape[static_cast<size_t>(x.axes[static_cast<size_t>(axis)])] = dims[static_cast<size_t>(axis)];
    }
    BlobId blob = x.blob;
    if (!cut_axes.empty()) {
        LayerBuilder& part = crop(ctx, "part", blob, cut_axes, begins, ends);
        blob = ctx->inner(&part, "part");
    }
    static const char* const kKeys[3][2] = {{"left", "right"}, {"top", "bottom"}, {"front", "behind"}};
    LayerBuilder& layer = ctx->add("Padding", {blob});
    layer.set("type", type).set("value", value);
    for (const int axis : padded) {
        const auto at = static_cast<size_t>(axis);
        const auto key = v.shape.size() - 1 - static_cast<size_t>(x.axes[at]);
        layer.set(kKeys[key][0], static_cast<double>(std::max<int64_t>(0, before[at])));
        layer.set(kKeys[key][1], static_cast<double>(std::max<int64_t>(0, after[at])));
    }
    ctx->out(0, &layer, v.dims, v.shape, v.axes);
}

}  // namespace fw::onnx
