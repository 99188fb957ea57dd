// Layers that join, cut, reorder and reshape.
#include <algorithm>
#include <numeric>

#include "caffe2fw/layers.h"

namespace fw::caffe {

void convert_concat(LayerContext* ctx) {
    const ConcatParameter& concat = ctx->param().concat_param();
    if (concat.has_axis() && concat.has_concat_dim()) {
        ctx->error("has axis and concat_dim, expected one of them");
        return ctx->give_up();
    }
    if (ctx->bottoms() == 1) {
        return ctx->identity();
    }
    const int64_t value = concat.has_concat_dim() ? int64_t{concat.concat_dim()} : concat.axis();
    const int axis = ctx->axis(0, value, "axis");
    const int ours = axis < 0 ? -1 : ctx->our_axis(0, value, "axis");
    if (ours < 0) {
        return ctx->give_up();
    }
    const auto at = static_cast<size_t>(axis);
    Dims out = ctx->dims(0);
    bool flat = ours == 0;  // every bottom is [C] for (1,C,1,1)
    out[at] = 0;
    for (int i = 0; i < ctx->bottoms(); ++i) {
        Dims dims = ctx->dims(i);
        flat = flat && ctx->shape(i).size() == 1 && ctx->shape(i)[0] == dims[at];
        const int64_t extent = at < dims.size() ? dims[at] : 0;
        if (at < dims.size()) {
            dims[at] = out[at];
        }
        if (dims != out) {
            ctx->error("bottom '%s' has shape %s, which does not fit %s of bottom '%s' along axis %d",
                       ctx->param().bottom(i).c_str(), dims_text(ctx->dims(i)).c_str(), dims_text(ctx->dims(0)).c_str(),
                       ctx->param().bottom(0).c_str(), axis);
            return ctx->give_up();
        }
        out[at] += extent;
    }
    LayerBuilder& layer = ctx->add("Concat", flat ? ctx->all_in() : ctx->all_natural());
    layer.set("axis", ours);
    ctx->top(&layer, 0, out, flat ? Dims{out[at]} : natural_shape(out));
}

void convert_slice(LayerContext* ctx) {
    const SliceParameter& slice = ctx->param().slice_param();
    if (slice.has_axis() && slice.has_slice_dim()) {
        ctx->error("has axis and slice_dim, expected one of them");
        return ctx->give_up();
    }
    if (ctx->tops() == 1) {
        return ctx->identity();
    }
    const int64_t value = slice.has_slice_dim() ? int64_t{slice.slice_dim()} : slice.axis();
    const int axis = ctx->axis(0, value, "axis");
    const int ours = axis < 0 ? -1 : ctx->our_axis(0, value, "axis");
    if (ours < 0) {
        return ctx->give_up();
    }
    const Dims dims = ctx->dims(0);
    const auto at = static_cast<size_t>(axis);
    const int tops = ctx->tops();
    std::vector<int64_t> extents;
    std::vector<int> slices(static_cast<size_t>(tops), -233);
    if (slice.slice_point_size() > 0) {
        if (slice.slice_point_size() != tops - 1) {
            ctx->error("has %d slice points, expected %d for %d tops", slice.slice_point_size(), tops - 1, tops);
            return ctx->give_up();
        }
        int64_t last = 0;
        for (int i = 0; i < tops; ++i) {
            const int64_t point = i < tops - 1 ? int64_t{slice.slice_point(i)} : dims[at];
            if (point <= last || point > dims[at]) {
                ctx->error("slice point %d is %lld, expected more than %lld and less than %lld", i,
                           static_cast<long long>(point), static_cast<long long>(last),
                           static_cast<long long>(dims[at]));
                return ctx->give_up();
            }
            extents.push_back(point - last);
            if (i < tops - 1) {
                slices[static_cast<size_t>(i)] = static_cast<int>(point - last);
            }
            last = point;
        }
    } else {
        if (dims[at] % tops != 0) {
            ctx->error("cuts an extent of %lld into %d tops, expected a multiple", static_cast<long long>(dims[at]),
                       tops);
            return ctx->give_up();
        }
        extents.assign(static_cast<size_t>(tops), dims[at] / tops);
    }
    const bool flat = ctx->shape(0).size() == 1 && ours == 0;
    LayerBuilder& layer = ctx->add("Slice", {flat ? ctx->in(0) : ctx->natural(0)});
    layer.set("slices", slices).set("axis", ours);
    for (int i = 0; i < tops; ++i) {
        Dims out = dims;
        out[at] = extents[static_cast<size_t>(i)];
        ctx->top(&layer, i, out, flat ? Dims{out[at]} : natural_shape(out));
    }
}

void convert_split(LayerContext* ctx) {
    for (int i = 0; i < ctx->tops(); ++i) {
        ctx->identity(i, ctx->dims(0));
    }
}

void convert_crop(LayerContext* ctx) {
    const CropParameter& crop = ctx->param().crop_param();
    const int axis = ctx->axis(0, crop.axis(), "axis");
    if (axis < 0) {
        return ctx->give_up();
    }
    const Dims a = ctx->dims(0);
    const Dims b = ctx->dims(1);
    const int cropped = static_cast<int>(a.size()) - axis;
    if (a.size() != 4 || b.size() != a.size() || batch_axes(a) == 0 || axis == 0) {
        ctx->error(
            "crops %s from axis %d to the extents of %s, expected two (1,channels,height,width) and an axis from 1 to "
            "3",
            dims_text(a).c_str(), axis, dims_text(b).c_str());
        return ctx->give_up();
    }
    if (crop.offset_size() > 1 && crop.offset_size() != cropped) {
        ctx->error("has %d offsets, expected 1 or %d (one an axis from %d on)", crop.offset_size(), cropped, axis);
        return ctx->give_up();
    }
    Dims out = a;
    int64_t offset[4] = {0, 0, 0, 0};
    for (int i = axis; i < 4; ++i) {
        const auto at = static_cast<size_t>(i);
        offset[i] = crop.offset_size() == 0 ? 0 : crop.offset(crop.offset_size() == 1 ? 0 : i - axis);
        out[at] = b[at];
        if (offset[i] + b[at] > a[at]) {
            ctx->error("offset %lld and extent %lld exceed the extent %lld of axis %d",
                       static_cast<long long>(offset[i]), static_cast<long long>(b[at]), static_cast<long long>(a[at]),
                       i);
            return ctx->give_up();
        }
    }
    // A second input gives all three extents: only right if the channels that stay are as many as the second input has.
    const bool by_reference = out == b;
    std::vector<BlobId> inputs = {ctx->natural(0)};
    if (by_reference) {
        inputs.push_back(ctx->natural(1));
    }
    LayerBuilder& layer = ctx->add("Crop", inputs);
    layer.set("coffset", static_cast<double>(offset[1])).set("hoffset", static_cast<double>(offset[2]));
    layer.set("woffset", static_cast<double>(offset[3]));
    if (!by_reference) {
        layer.set("outc", static_cast<double>(out[1])).set("outh", static_cast<double>(out[2]));
        layer.set("outw", static_cast<double>(out[3]));
    }
    ctx->top(&layer, 0, out);
}

namespace {

// Reshapes bottom 0 to `dims`; `free_axis` (in Caffe's counting, -1 = none) is what is left over and may vary with the
// input.
void to_dims(LayerContext* ctx, const Dims& dims, int free_axis) {
    const Dims shape = natural_shape(dims);
    if (shape == ctx->shape(0)) {
        return ctx->identity(0, dims);
    }
    if (shape.size() == 1) {
        LayerBuilder& layer = ctx->add("Flatten", {ctx->in(0)});
        return ctx->top(&layer, 0, dims);
    }
    if (shape.size() > 4) {
        ctx->error("its top would have shape %s, expected at most 4 axes besides the batch", dims_text(dims).c_str());
        return ctx->give_up();
    }
    Dims values = shape;
    const int at = free_axis - batch_axes(dims);
    if (at >= 0) {
        values[static_cast<size_t>(at)] = -1;
    }
    LayerBuilder& layer = ctx->add("Reshape", {ctx->in(0)});
    set_extents(&layer, values);
    ctx->top(&layer, 0, dims);
}

}  // namespace

void convert_flatten(LayerContext* ctx) {
    const FlattenParameter& flatten = ctx->param().flatten_param();
    const int begin = ctx->axis(0, flatten.axis(), "axis");
    const int end = ctx->axis(0, flatten.end_axis(), "end_axis");
    if (begin < 0 || end < 0) {
        return ctx->give_up();
    }
    if (begin > end) {
        ctx->error("axis is %d and end_axis %d, expected axis not after end_axis", begin, end);
        return ctx->give_up();
    }
    const Dims& dims = ctx->dims(0);
    Dims out(dims.begin(), dims.begin() + begin);
    out.push_back(dims_count({dims.begin() + begin, dims.begin() + end + 1}));
    out.insert(out.end(), dims.begin() + end + 1, dims.end());
    to_dims(ctx, out, begin);
}

void convert_reshape(LayerContext* ctx) {
    const ReshapeParameter& reshape = ctx->param().reshape_param();
    const Dims dims = ctx->dims(0);
    const auto rank = static_cast<int64_t>(dims.size());
    // axis counts the gaps between axes here: -1 is after the last.
    const int64_t begin = reshape.axis() < 0 ? reshape.axis() + rank + 1 : reshape.axis();
    if (begin < 0 || begin > rank) {
        ctx->error("axis is %d, expected %lld to %lld", reshape.axis(), static_cast<long long>(-rank - 1),
                   static_cast<long long>(rank));
        return ctx->give_up();
    }
    if (reshape.num_axes() < -1 || begin + std::max(0, reshape.num_axes()) > rank) {
        ctx->error("num_axes is %d from axis %lld, expected -1 to %lld", reshape.num_axes(),
                   static_cast<long long>(begin), static_cast<long long>(rank - begin));
        return ctx->give_up();
    }
    const int64_t end = reshape.num_axes() == -1 ? rank : begin + reshape.num_axes();
    Dims out(dims.begin(), dims.begin() + begin);
    int free_axis = -1;
    if (reshape.shape().dim_size() > 32) {
        ctx->error("shape has %d extents, expected at most 5", reshape.shape().dim_size());
        return ctx->give_up();
    }
    for (int i = 0; i < reshape.shape().dim_size(); ++i) {
        const int64_t value = reshape.shape().dim(i);
        if (value == -1 && free_axis == -1) {
            free_axis = static_cast<int>(out.size());
            out.push_back(1);
        } else if (value == 0 && begin + i < rank) {
            out.push_back(dims[static_cast<size_t>(begin + i)]);
        } else if (value >= 1 && value <= Shape::kMaxElements) {
            out.push_back(value);
        } else {
            ctx->error("extent %d is %lld, expected a size, 0 for the bottom's own, or -1 once", i,
                       static_cast<long long>(value));
            return ctx->give_up();
        }
    }
    out.insert(out.end(), dims.begin() + end, dims.end());
    const int64_t from = dims_count(dims);
    const int64_t to = dims_count(out);
    if (free_axis >= 0 && to > 0 && from % to == 0) {
        out[static_cast<size_t>(free_axis)] = from / to;
    } else if (to != from) {
        ctx->error("reshapes %s (%lld elements) to %s, expected as many elements", dims_text(dims).c_str(),
                   static_cast<long long>(from), dims_text(out).c_str());
        return ctx->give_up();
    }
    to_dims(ctx, out, free_axis);
}

void convert_permute(LayerContext* ctx) {
    const PermuteParameter& permute = ctx->param().permute_param();
    const Dims dims = ctx->dims(0);
    const auto rank = static_cast<int>(dims.size());
    std::vector<int> order;
    std::vector<bool> seen(dims.size(), false);
    for (const uint32_t axis : permute.order()) {
        if (axis >= dims.size() || seen[axis]) {
            ctx->error("order names axis %u, expected each of 0 to %d once", axis, rank - 1);
            return ctx->give_up();
        }
        seen[axis] = true;
        order.push_back(static_cast<int>(axis));
    }
    for (int i = 0; i < rank; ++i) {  // axes that are not named follow in their order
        if (!seen[static_cast<size_t>(i)]) {
            order.push_back(i);
        }
    }
    // A batch of 1 may go where it likes: our blob does not have it.
    const int batch = batch_axes(dims);
    Dims out;
    Dims shape;
    std::vector<int> ours;
    for (const int axis : order) {
        const int64_t extent = dims[static_cast<size_t>(axis)];
        out.push_back(extent);
        if (axis >= batch) {
            shape.push_back(extent);
            ours.push_back(axis - batch);
        }
    }
    if (std::is_sorted(ours.begin(), ours.end())) {
        return ctx->identity(0, out);
    }
    if (ours.size() > 3) {
        ctx->error("permutes %zu axes besides the batch, expected at most 3", ours.size());
        return ctx->give_up();
    }
    // Types count the orders of [c,h,w] as listed here, new outermost axis first.
    static const int kTypes[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    int type = 1;  // 2-d: transposed
    for (int t = 0; ours.size() == 3 && t < 6; ++t) {
        type = std::equal(ours.begin(), ours.end(), kTypes[t]) ? t : type;
    }
    LayerBuilder& layer = ctx->add("Permute", {ctx->natural(0)});
    layer.set("order_type", type);
    ctx->top(&layer, 0, out, shape);
}

void convert_reduction(LayerContext* ctx) {
    const ReductionParameter& reduction = ctx->param().reduction_param();
    const int axis = ctx->axis(0, reduction.axis(), "axis");
    if (axis < 0) {
        return ctx->give_up();
    }
    const Dims dims = ctx->dims(0);
    const int batch = batch_axes(dims);
    LayerBuilder& layer = ctx->add("Reduction", {ctx->natural(0)});
    layer.set("operation", reduction.operation() - ReductionParameter::SUM)
        .set("coeff", reduction.coeff())
        .set("fixbug0", 1);
    const int ours = axis - batch;
    Dims out(dims.begin(), dims.begin() + axis);
    if (ours <= 0) {  // all of the sample
        layer.set("reduce_all", 1);
        return ctx->top(&layer, 0, {1}, {1});
    }
    std::vector<int> axes(dims.size() - static_cast<size_t>(axis));
    std::iota(axes.begin(), axes.end(), ours);
    layer.set("reduce_all", 0).set("axes", axes);
    ctx->top(&layer, 0, out);
}

namespace {

// The largest value of each column along an axis, or its index.
void argmax_along(LayerContext* ctx, int axis) {
    const ArgMaxParameter& argmax = ctx->param().argmax_param();
    const int ours = ctx->our_axis(0, axis, "axis");
    if (ours < 0) {
        return ctx->give_up();
    }
    if (argmax.top_k() != 1) {
        ctx->error("top_k is %u along axis %d of %s, expected 1", argmax.top_k(), axis,
                   dims_text(ctx->dims(0)).c_str());
        return ctx->give_up();
    }
    Dims out = ctx->dims(0);
    out[static_cast<size_t>(axis)] = 1;
    Dims shape = natural_shape(ctx->dims(0));
    shape.erase(shape.begin() + ours);
    LayerBuilder& layer = ctx->add(argmax.out_max_val() ? "Reduction" : "ArgMax", {ctx->natural(0)});
    if (argmax.out_max_val()) {
        layer.set("operation", 4).set("reduce_all", 0).set("axes", std::vector<int>{ours}).set("fixbug0", 1);
    } else {
        layer.set("axis", ours).set("last", 1);
    }
    ctx->top(&layer, 0, out, shape);
}

}  // namespace

void convert_argmax(LayerContext* ctx) {
    const ArgMaxParameter& argmax = ctx->param().argmax_param();
    const Dims dims = ctx->dims(0);
    const int64_t count = dims_count(dims);
    if (argmax.has_axis()) {
        const int axis = ctx->axis(0, argmax.axis(), "axis");
        if (axis < 0) {
            return ctx->give_up();
        }
        if (dims[static_cast<size_t>(axis)] != count) {
            return argmax_along(ctx, axis);
        }
    }
    const int64_t k = argmax.top_k();
    if (k < 1 || k > count) {
        ctx->error("top_k is %lld, expected 1 to %lld", static_cast<long long>(k), static_cast<long long>(count));
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("ArgMax", {ctx->in(0)});
    layer.set("out_max_val", argmax.out_max_val() ? 1 : 0).set("topk", static_cast<double>(k));
    if (argmax.out_max_val()) {
        ctx->top(&layer, 0, {1, 2, k});
    } else {
        ctx->top(&layer, 0, {1, 1, k}, {k});
    }
}

void convert_tile(LayerContext* ctx) {
    const TileParameter& tile = ctx->param().tile_param();
    const int axis = ctx->axis(0, tile.axis(), "axis");
    if (axis < 0 || !ctx->in_range("tiles", tile.tiles(), 1)) {
        return ctx->give_up();
    }
    const int ours = ctx->our_axis(0, tile.axis(), "axis");
    if (ours < 0) {
        return ctx->give_up();
    }
    Dims out = ctx->dims(0);
    out[static_cast<size_t>(axis)] *= tile.tiles();
    LayerBuilder& layer = ctx->add("Tile", {ctx->natural(0)});
    layer.set("axis", ours).set("tiles", tile.tiles());
    ctx->top(&layer, 0, out);
}

void convert_interp(LayerContext* ctx) {
    const InterpParameter& interp = ctx->param().interp_param();
    if (!ctx->is_image(0)) {
        return ctx->give_up();
    }
    if (interp.pad_beg() != 0 || interp.pad_end() != 0) {
        ctx->error("pad_beg is %d and pad_end %d, expected 0", interp.pad_beg(), interp.pad_end());
        return ctx->give_up();
    }
    Dims out = ctx->dims(0);
    if (interp.has_height() || interp.has_width()) {
        out[2] = interp.height();
        out[3] = interp.width();
        if (!ctx->in_range("height", out[2], 1) || !ctx->in_range("width", out[3], 1)) {
            return ctx->give_up();
        }
    } else if (interp.has_zoom_factor() || interp.has_shrink_factor()) {
        if (!ctx->in_range("zoom_factor", interp.zoom_factor(), 1) ||
            !ctx->in_range("shrink_factor", interp.shrink_factor(), 1)) {
            return ctx->give_up();
        }
        for (const size_t a : {2, 3}) {
            out[a] = (out[a] - 1) / interp.shrink_factor() + 1;
            out[a] += (out[a] - 1) * (interp.zoom_factor() - 1);
        }
    } else if (ctx->bottoms() == 2 && ctx->dims(1).size() == 4) {
        out[2] = ctx->dims(1)[2];
        out[3] = ctx->dims(1)[3];
    } else {
        ctx->error("has no size: expected height and width, zoom_factor or shrink_factor");
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("Interp", {ctx->natural(0)});
    layer.set("resize_type", 2).set("align_corner", 1);
    layer.set("output_height", static_cast<double>(out[2])).set("output_width", static_cast<double>(out[3]));
    ctx->top(&layer, 0, out);
}

void convert_shuffle_channel(LayerContext* ctx) {
    const int64_t group = ctx->param().shuffle_channel_param().group();
    if (!ctx->is_image(0) || !ctx->in_range("group", group, 1)) {
        return ctx->give_up();
    }
    if (ctx->dims(0)[1] % group != 0) {
        ctx->error("group is %lld, expected a divisor of %lld channels", static_cast<long long>(group),
                   static_cast<long long>(ctx->dims(0)[1]));
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("ShuffleChannel", {ctx->natural(0)});
    layer.set("group", static_cast<double>(group));
    ctx->top(&layer, 0, ctx->dims(0));
}

void convert_reorg(LayerContext* ctx) {
    const ReorgParameter& reorg = ctx->param().reorg_param();
    if (!ctx->is_image(0) || !ctx->in_range("stride", reorg.stride(), 1)) {
        return ctx->give_up();
    }
    if (reorg.reverse()) {
        ctx->error("reverse is true, expected false");
        return ctx->give_up();
    }
    const Dims d = ctx->dims(0);
    const int64_t s = reorg.stride();
    if (d[2] % s != 0 || d[3] % s != 0) {
        ctx->error("stride is %lld, expected a divisor of height and width of %s", static_cast<long long>(s),
                   dims_text(d).c_str());
        return ctx->give_up();
    }
    LayerBuilder& layer = ctx->add("Reorg", {ctx->natural(0)});
    layer.set("stride", static_cast<double>(s));
    ctx->top(&layer, 0, {1, d[1] * s * s, d[2] / s, d[3] / s});
}

}  // namespace fw::caffe
