#include "layer/support/window.h"

#include <algorithm>

namespace fw {

namespace {

bool is_same(int pad) {
    return pad == kPadSameUpper || pad == kPadSameLower;
}

int64_t extent_of(const WindowSpec& spec) {
    return int64_t{spec.dilation} * (int64_t{spec.kernel} - 1) + 1;
}

void same_pads(int64_t in, const WindowSpec& spec, bool upper, int64_t* before, int64_t* after) {
    const int64_t total = std::max<int64_t>(0, extent_of(spec) + (in - 1) / spec.stride * spec.stride - in);
    *before = upper ? total / 2 : total - total / 2;
    *after = total - *before;
}

Status check_extent(const char* axis, int64_t in) {
    if (in < 1 || in > INT32_MAX) {
        return Status::error(Code::kInvalidArgument, "input %s is %lld, expected at least 1", axis,
                             static_cast<long long>(in));
    }
    return {};
}

// Fills `out` once both pads are numbers.
Status resolve(const char* axis, int64_t in, const WindowSpec& spec, int64_t before, int64_t after, WindowAxis* out) {
    const int64_t room = in + before + after - extent_of(spec);
    if (room < 0) {
        return Status::error(Code::kInvalidArgument,
                             "no window fits: input %s %lld with pads %lld and %lld, kernel %d, dilation %d", axis,
                             static_cast<long long>(in), static_cast<long long>(before), static_cast<long long>(after),
                             spec.kernel, spec.dilation);
    }
    const int64_t windows = room / spec.stride + 1;
    if (windows > INT32_MAX || after > INT32_MAX) {
        return Status::error(Code::kInvalidArgument, "output %s would be %lld with pads %lld and %lld: too large", axis,
                             static_cast<long long>(windows), static_cast<long long>(before),
                             static_cast<long long>(after));
    }
    out->out = static_cast<int>(windows);
    out->pad_before = static_cast<int>(before);
    out->pad_after = static_cast<int>(after);
    return {};
}

}  // namespace

Status check_window(const char* axis, const WindowSpec& spec) {
    const struct {
        const char* what;
        int value;
    } positive[] = {{"kernel", spec.kernel}, {"stride", spec.stride}, {"dilation", spec.dilation}};
    for (const auto& p : positive) {
        if (p.value < 1) {
            return Status::error(Code::kInvalidArgument, "%s %s is %d, expected at least 1", axis, p.what, p.value);
        }
    }
    const bool same = is_same(spec.pad_before) && spec.pad_before == spec.pad_after;
    if (!same && (spec.pad_before < 0 || spec.pad_after < 0)) {
        return Status::error(Code::kInvalidArgument,
                             "%s pads are %d and %d, expected numbers from 0, or both %d or both %d for same padding",
                             axis, spec.pad_before, spec.pad_after, kPadSameUpper, kPadSameLower);
    }
    return {};
}

Status conv_window(const char* axis, int64_t in, const WindowSpec& spec, WindowAxis* out) {
    FW_RETURN_IF_ERROR(check_window(axis, spec));
    FW_RETURN_IF_ERROR(check_extent(axis, in));
    int64_t before = spec.pad_before;
    int64_t after = spec.pad_after;
    if (is_same(spec.pad_before)) {
        same_pads(in, spec, spec.pad_before == kPadSameUpper, &before, &after);
    }
    return resolve(axis, in, spec, before, after, out);
}

Status pool_window(const char* axis, int64_t in, const WindowSpec& spec, PoolPad mode, WindowAxis* out) {
    WindowSpec used = spec;
    if (mode == PoolPad::kSameUpper || mode == PoolPad::kSameLower) {
        used.pad_before = used.pad_after = mode == PoolPad::kSameUpper ? kPadSameUpper : kPadSameLower;
        return conv_window(axis, in, used, out);
    }
    FW_RETURN_IF_ERROR(check_window(axis, spec));
    FW_RETURN_IF_ERROR(check_extent(axis, in));
    if (is_same(spec.pad_before)) {
        return Status::error(Code::kInvalidArgument, "%s pad is %d: pooling asks for same padding by pad_mode", axis,
                             spec.pad_before);
    }
    int64_t after = spec.pad_after;
    if (mode == PoolPad::kCeil) {
        // An image smaller than the kernel gives one window, as Caffe's rounding up has it.
        const int64_t room = in + spec.pad_before + after - extent_of(spec);
        after += room < 0 ? -room : (spec.stride - room % spec.stride) % spec.stride;
    }
    return resolve(axis, in, spec, spec.pad_before, after, out);
}

}  // namespace fw
