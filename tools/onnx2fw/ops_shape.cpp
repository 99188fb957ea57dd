// Reshape, Flatten, Transpose, Squeeze, Unsqueeze, Expand, Tile, DepthToSpace, SpaceToDepth.
#include <algorithm>
#include <utility>

#include "onnx2fw/fold.h"
#include "onnx2fw/ops.h"

namespace fw::onnx {

namespace {

Dims above_one(const Dims& dims) {
    Dims out;
    for (const int64_t extent : dims) {
        if (extent != 1) {
            out.push_back(extent);
        }
    }
    return out;
}

// Channels in groups, groups swapped with channels, and back in one axis: ShuffleChannel. `x` is the permuted view.
bool shuffle(NodeContext* ctx, const Value& x, const Dims& dims) {
    const auto from = ctx->conversion().reshaped.find(x.blob);
    if (from == ctx->conversion().reshaped.end()) {
        return false;
    }
    const auto& [source, shape] = from->second;  // [C,H,W] behind [g,k,H,W]
    const bool grouped = shape.size() == 3 && x.shape.size() == 4 && x.shape[0] * x.shape[1] == shape[0] &&
                         x.shape[2] == shape[1] && x.shape[3] == shape[2];
    if (!grouped || dims != Dims{1, shape[0], shape[1], shape[2]}) {
        return false;
    }
    std::vector<int> order;
    for (size_t k = 0; k < x.axes.size(); ++k) {
        if (x.axes[k] != kNoAxis) {
            order.push_back(x.axes[k]);
        }
    }
    if (order != std::vector<int>{1, 0, 2, 3}) {
        return false;
    }
    LayerBuilder& layer = ctx->add("ShuffleChannel", {source});
    layer.set("group", static_cast<double>(x.shape[0]));
    ctx->out(0, &layer, dims, shape, {kNoAxis, 0, 1, 2});
    return true;
}

void reshape(NodeContext* ctx, const Value& x, const Dims& dims) {
    if (dims_count(dims) < 1) {
        ctx->error("output would be %s: not a size that a blob can have", dims_text(dims).c_str());
        return;
    }
    if (above_one(x.dims) == above_one(dims)) {
        // Only axes of 1 come and go: a view.
        Value v = x;
        v.dims = dims;
        v.axes.assign(dims.size(), kNoAxis);
        size_t from = 0;
        for (size_t k = 0; k < dims.size(); ++k) {
            if (dims[k] == 1) {
                continue;
            }
            while (x.dims[from] == 1) {
                ++from;
            }
            v.axes[k] = x.axes[from++];
        }
        ctx->view(0, v);
        return;
    }
    if (shuffle(ctx, x, dims)) {
        return;
    }
    const Value lying = ctx->arranged(x);
    std::vector<int> axes;
    const Dims shape = ctx->natural(dims, &axes);
    if (lying.blob == kNoBlob || shape.empty()) {
        return;
    }
    LayerBuilder& layer = ctx->add("Reshape", {lying.blob});
    import::set_extents(&layer, shape);
    ctx->out(0, &layer, dims, shape, axes);
    if (!ctx->failed()) {
        const BlobId made = ctx->conversion().values[ctx->node().output(0)].blob;
        ctx->conversion().reshaped[made] = {lying.blob, lying.shape};
    }
}

// Input 0 as a blob (a constant in natural order).
bool blob_in(NodeContext* ctx, Value* x) {
    *x = ctx->in(0);
    if (x->blob == kNoBlob) {
        *x = ctx->arranged(*x);
    }
    return x->blob != kNoBlob;
}

// Repeats of every ONNX axis.
void tile(NodeContext* ctx, const Value& x, const Dims& dims, const Dims& repeats) {
    std::vector<int> axes;
    const Dims shape = ctx->natural(dims, &axes);
    if (shape.empty()) {
        return;
    }
    std::vector<int> order(shape.size(), kNoAxis);
    std::vector<int> ours(shape.size(), 1);
    for (size_t k = 0; k < axes.size(); ++k) {
        if (axes[k] != kNoAxis) {
            order[static_cast<size_t>(axes[k])] = static_cast<int>(k);
            ours[static_cast<size_t>(axes[k])] = static_cast<int>(repeats[k]);
        }
    }
    const BlobId bottom = ctx->arrange(x, order);
    if (bottom == kNoBlob) {
        return;
    }
    LayerBuilder& layer = ctx->add("Tile", {bottom});
    layer.set("repeats", ours);
    ctx->out(0, &layer, dims, shape, axes);
}

}  // namespace

void convert_reshape(NodeContext* ctx) {
    Value x;
    Dims dims;
    if (blob_in(ctx, &x) && read_reshape(ctx, x.dims, &dims)) {
        reshape(ctx, x, dims);
    }
}

void convert_flatten(NodeContext* ctx) {
    Value x;
    if (!blob_in(ctx, &x)) {
        return;
    }
    const int64_t axis = ctx->attr("axis", 1);
    if (!ctx->in_range("axis", axis, -x.rank(), x.rank())) {
        return;
    }
    Dims dims = {1, 1};
    for (int k = 0; k < x.rank(); ++k) {
        dims[k < (axis < 0 ? axis + x.rank() : axis) ? 0 : 1] *= x.dims[static_cast<size_t>(k)];
    }
    reshape(ctx, x, dims);
}

void convert_transpose(NodeContext* ctx) {
    Value x;
    if (!blob_in(ctx, &x)) {
        return;
    }
    const std::vector<int64_t> perm = ctx->attr_ints("perm");
    Value v = x;
    std::vector<bool> seen(x.dims.size(), false);
    for (int k = 0; k < x.rank(); ++k) {
        const auto at = static_cast<size_t>(k);
        const int64_t from = perm.empty() ? x.rank() - 1 - k : at < perm.size() ? perm[at] : -1;
        if (from < 0 || from >= x.rank() || seen[static_cast<size_t>(from)] ||
            (!perm.empty() && perm.size() != x.dims.size())) {
            ctx->error("perm is %s, expected the axes of %s in some order", dims_text(perm).c_str(),
                       dims_text(x.dims).c_str());
            return;
        }
        seen[static_cast<size_t>(from)] = true;
        v.dims[at] = x.dims[static_cast<size_t>(from)];
        v.axes[at] = x.axes[static_cast<size_t>(from)];
    }
    ctx->view(0, v);
}

void convert_squeeze(NodeContext* ctx) {
    Value x;
    std::vector<int> axes;
    if (!blob_in(ctx, &x) || !read_axes(ctx, 1, x.rank(), &axes)) {
        return;
    }
    Value v = x;
    v.dims.clear();
    v.axes.clear();
    for (int k = 0; k < x.rank(); ++k) {
        const int64_t extent = x.dims[static_cast<size_t>(k)];
        const bool named = std::find(axes.begin(), axes.end(), k) != axes.end();
        if (named && extent != 1) {
            ctx->error("axis %d of %s is not 1", k, dims_text(x.dims).c_str());
            return;
        }
        if (!named && (!axes.empty() || extent != 1)) {
            v.dims.push_back(extent);
            v.axes.push_back(x.axes[static_cast<size_t>(k)]);
        }
    }
    ctx->view(0, v);
}

void convert_unsqueeze(NodeContext* ctx) {
    Value x;
    std::vector<int64_t> given = ctx->attr_ints("axes");
    if (!blob_in(ctx, &x) || (ctx->has(1) && !ctx->ints(1, "axes", &given))) {
        return;
    }
    if (!ctx->in_range("number of axes", x.rank() + static_cast<int64_t>(given.size()), 0, 16)) {
        return;
    }
    const int rank = x.rank() + static_cast<int>(given.size());
    std::vector<int> axes;
    if (!read_axes(ctx, 1, rank, &axes)) {
        return;
    }
    Value v = x;
    v.dims.clear();
    v.axes.clear();
    size_t next = 0;
    for (int k = 0; k < rank; ++k) {
        const bool added = std::find(axes.begin(), axes.end(), k) != axes.end();
        v.dims.push_back(added ? 1 : x.dims[next]);
        v.axes.push_back(added ? kNoAxis : x.axes[next]);
        next += added ? 0 : 1;
    }
    ctx->view(0, v);
}

void convert_expand(NodeContext* ctx) {
    std::vector<int64_t> wanted;
    Value x;
    Dims dims;
    if (!blob_in(ctx, &x) || !ctx->ints(1, "shape", &wanted)) {
        return;
    }
    if (dims_count(wanted) < 1 || !broadcast(x.dims, wanted, &dims)) {
        ctx->error("%s does not broadcast to %s", dims_text(x.dims).c_str(), dims_text(wanted).c_str());
        return;
    }
    const size_t more = dims.size() - x.dims.size();
    x.dims.insert(x.dims.begin(), more, 1);
    x.axes.insert(x.axes.begin(), more, kNoAxis);
    Dims repeats;
    for (size_t k = 0; k < dims.size(); ++k) {
        repeats.push_back(dims[k] / x.dims[k]);
    }
    if (dims == x.dims) {
        ctx->view(0, x);
        return;
    }
    tile(ctx, x, dims, repeats);
}

void convert_tile(NodeContext* ctx) {
    std::vector<int64_t> repeats;
    Value x;
    if (!blob_in(ctx, &x) || !ctx->ints(1, "repeats", &repeats)) {
        return;
    }
    Dims dims = x.dims;
    bool good = repeats.size() == dims.size();
    for (size_t k = 0; good && k < dims.size(); ++k) {
        good = repeats[k] >= 1 && repeats[k] <= kMaxParam;
        dims[k] *= good ? repeats[k] : 1;
    }
    if (!good || dims_count(dims) < 1) {
        ctx->error("repeats are %s for an input of shape %s", dims_text(repeats).c_str(), dims_text(x.dims).c_str());
        return;
    }
    tile(ctx, x, dims, repeats);
}

void convert_depth_to_space(NodeContext* ctx) {
    const Value x = ctx->in(0);
    std::vector<int> order;
    const int64_t block = ctx->attr("blocksize", 0);
    const bool back = ctx->op() == "SpaceToDepth";
    const BlobId bottom = ctx->image(x, &order);
    if (bottom == kNoBlob || !ctx->in_range("blocksize", block, 1, 32768)) {
        return;
    }
    const std::string mode = ctx->attr_s("mode", "DCR");
    const bool fits =
        x.rank() == 4 && (back ? x.dims[2] % block == 0 && x.dims[3] % block == 0 : x.dims[1] % (block * block) == 0);
    if (!fits || (mode != "DCR" && mode != "CRD")) {
        ctx->error("blocksize %lld and mode '%s' do not fit an input of shape %s", static_cast<long long>(block),
                   mode.c_str(), dims_text(x.dims).c_str());
        return;
    }
    LayerBuilder& layer = ctx->add(back ? "Reorg" : "PixelShuffle", {bottom});
    layer.set(back ? "stride" : "upscale_factor", static_cast<double>(block)).set("mode", mode == "DCR" ? 1 : 0);
    const int64_t area = block * block;
    const Dims shape = back ? Dims{x.dims[1] * area, x.dims[2] / block, x.dims[3] / block}
                            : Dims{x.dims[1] / area, x.dims[2] * block, x.dims[3] * block};
    ctx->out(0, &layer, {1, shape[0], shape[1], shape[2]}, shape, {kNoAxis, 0, 1, 2});
}

}  // namespace fw::onnx
