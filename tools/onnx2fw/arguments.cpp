// Arguments that folding and the conversion of a node read alike.
#include <algorithm>
#include <numeric>

#include "onnx2fw/fold.h"

namespace fw::onnx {

bool broadcast(const Dims& a, const Dims& b, Dims* out) {
    const size_t rank = std::max(a.size(), b.size());
    out->assign(rank, 1);
    for (size_t k = 0; k < rank; ++k) {
        const int64_t x = k + a.size() < rank ? 1 : a[k + a.size() - rank];
        const int64_t y = k + b.size() < rank ? 1 : b[k + b.size() - rank];
        if (x != y && x != 1 && y != 1) {
            return false;
        }
        (*out)[k] = x == 1 ? y : x;
    }
    return true;
}

bool read_axes(NodeContext* ctx, int i, int rank, std::vector<int>* axes) {
    std::vector<int64_t> values = ctx->attr_ints("axes");
    if (ctx->has(i) && !ctx->ints(i, "axes", &values)) {
        return false;
    }
    for (const int64_t value : values) {
        const int axis = ctx->axis(value, rank, "axes");
        if (axis < 0) {
            return false;
        }
        if (std::find(axes->begin(), axes->end(), axis) != axes->end()) {
            ctx->error("axes name axis %d twice", axis);
            return false;
        }
        axes->push_back(axis);
    }
    return true;
}

bool read_slice(NodeContext* ctx, const Dims& dims, SliceBox* box) {
    std::vector<int64_t> starts = ctx->attr_ints("starts");
    std::vector<int64_t> ends = ctx->attr_ints("ends");
    std::vector<int64_t> steps;
    std::vector<int> axes;
    if (ctx->inputs() > 1 && (!ctx->ints(1, "starts", &starts) || !ctx->ints(2, "ends", &ends))) {
        return false;
    }
    if (ctx->has(4) && !ctx->ints(4, "steps", &steps)) {
        return false;
    }
    const int rank = static_cast<int>(dims.size());
    if (!read_axes(ctx, 3, rank, &axes)) {
        return false;
    }
    if (axes.empty()) {
        axes.resize(std::min(starts.size(), dims.size()));
        std::iota(axes.begin(), axes.end(), 0);
    }
    steps.resize(std::max(steps.size(), axes.size()), 1);
    if (starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size()) {
        ctx->error("%zu starts, %zu ends, %zu axes, %zu steps, expected equal numbers for an input of shape %s",
                   starts.size(), ends.size(), axes.size(), steps.size(), dims_text(dims).c_str());
        return false;
    }
    box->start.assign(dims.size(), 0);
    box->extent = dims;
    box->step.assign(dims.size(), 1);
    for (size_t k = 0; k < axes.size(); ++k) {
        const auto axis = static_cast<size_t>(axes[k]);
        const int64_t extent = dims[axis];
        const int64_t step = steps[k];
        if (step == 0 || step < -kMaxParam || step > kMaxParam) {
            ctx->error("step %lld, expected a number from 1 on or below 0", static_cast<long long>(step));
            return false;
        }
        // Clamped before anything is added: ends are often the largest int64.
        const auto place = [&](int64_t value, int64_t low, int64_t high) {
            if (value < -extent) {
                return std::min(low, high);
            }
            return std::min(std::max(value < 0 ? value + extent : value, low), high);
        };
        const int64_t low = step > 0 ? 0 : -1;
        const int64_t high = step > 0 ? extent : extent - 1;
        const int64_t start = place(starts[k], 0, high);
        const int64_t end = place(ends[k], low, high);
        box->start[axis] = start;
        box->step[axis] = step;
        box->extent[axis] = step > 0 ? std::max<int64_t>(0, (end - start + step - 1) / step)
                                     : std::max<int64_t>(0, (start - end - step - 1) / -step);
    }
    return true;
}

bool read_reshape(NodeContext* ctx, const Dims& dims, Dims* out) {
    std::vector<int64_t> wanted = ctx->attr_ints("shape");
    if (ctx->inputs() > 1 && !ctx->ints(1, "shape", &wanted)) {
        return false;
    }
    const bool allow_zero = ctx->attr("allowzero", 0) != 0;
    const int64_t count = dims_count(dims);
    int open = -1;
    int64_t rest = 1;
    *out = wanted;
    for (size_t k = 0; k < wanted.size(); ++k) {
        int64_t& extent = (*out)[k];
        if (extent == 0 && !allow_zero) {
            if (k >= dims.size()) {
                ctx->error("shape %s keeps axis %zu of an input of shape %s", dims_text(wanted).c_str(), k,
                           dims_text(dims).c_str());
                return false;
            }
            extent = dims[k];
        }
        if (extent == -1 && open < 0) {
            open = static_cast<int>(k);
            continue;
        }
        if (extent < 0 || extent > kMaxParam * 64) {
            ctx->error("shape %s has an extent of %lld", dims_text(wanted).c_str(), static_cast<long long>(extent));
            return false;
        }
        rest = rest > count ? rest : rest * extent;
    }
    if (open >= 0 && rest > 0 && count % rest == 0) {
        (*out)[static_cast<size_t>(open)] = count / rest;
        rest = count;
    }
    if (rest != count) {
        ctx->error("cannot turn %s into %s", dims_text(dims).c_str(), dims_text(wanted).c_str());
        return false;
    }
    return true;
}

bool read_split(NodeContext* ctx, int64_t extent, Dims* out) {
    *out = ctx->attr_ints("split");
    if (ctx->has(1) && !ctx->ints(1, "split", out)) {
        return false;
    }
    const auto pieces = static_cast<int64_t>(ctx->node().output_size());
    if (out->empty()) {
        const int64_t piece = (extent + pieces - 1) / pieces;
        for (int64_t left = extent; static_cast<int64_t>(out->size()) < pieces; left -= piece) {
            out->push_back(std::min(piece, left));
        }
    }
    int64_t sum = 0;
    bool good = static_cast<int64_t>(out->size()) == pieces;
    for (const int64_t piece : *out) {
        good = good && piece >= 1 && piece <= extent;
        sum += good ? piece : 0;
    }
    if (!good || sum != extent) {
        ctx->error("splits an extent of %lld into %s for %lld outputs", static_cast<long long>(extent),
                   dims_text(*out).c_str(), static_cast<long long>(pieces));
        return false;
    }
    return true;
}

}  // namespace fw::onnx
