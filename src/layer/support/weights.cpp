#include "layer/support/weights.h"

#include <cinttypes>

namespace fw {

Status take_floats(Span<const Weight> weights, size_t index, int64_t count, const char* blob, std::vector<float>* out) {
    if (index >= weights.size()) {
        return Status::error(Code::kInvalidArgument, "weights: %s is missing", blob);
    }
    if (weights[index].count() != count) {
        return Status::error(Code::kInvalidArgument, "weights: %s has %" PRId64 " elements, expected %" PRId64, blob,
                             weights[index].count(), count);
    }
    *out = weights[index].to_floats();
    return {};
}

Status check_range(const char* key, int64_t value, int64_t lo, int64_t hi) {
    if (value >= lo && value <= hi) {
        return {};
    }
    return Status::error(Code::kInvalidArgument, "%s is %" PRId64 ", expected %" PRId64 " to %" PRId64, key, value, lo,
                         hi);
}

Status check_channels(const Shape& shape, int64_t channels) {
    if (shape.rank >= 1 && shape[0] == channels) {
        return {};
    }
    return Status::error(Code::kInvalidArgument,
                         "input %s: the outermost extent must be %" PRId64 ", as many as the weights",
                         shape.str().c_str(), channels);
}

}  // namespace fw
