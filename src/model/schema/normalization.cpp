// Normalisations and per-channel affine layers.
#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kBatchNorm =
    params(int_param(0, "channels", 0, "channels"), float_param(1, "eps", 0, "added to the variance"));
constexpr auto kScale = params(int_param(0, "scale_data_size", 0, "channels; -233 = the scale is the second input"),
                               int_param(1, "bias_term", 0, "1 = there is a bias"));
constexpr auto kBias = params(int_param(0, "bias_data_size", 0, "channels"));
constexpr auto kLrn =
    params(int_param(0, "region_type", 0, "0 across channels, 1 within a channel"),
           int_param(1, "local_size", 5, "extent of the window"), float_param(2, "alpha", 1, "weight of the sum"),
           float_param(3, "beta", 0.75, "exponent"), float_param(4, "bias", 1, "added to the sum"));
constexpr auto kMvn = params(int_param(0, "normalize_variance", 0, "1 = divide by the deviation"),
                             int_param(1, "across_channels", 0, "1 = one mean for the whole blob"),
                             float_param(2, "eps", 0.0001, "added to the deviation"));
constexpr auto kNormalize = params(
    int_param(0, "across_spatial", 0, "1 = sum over the pixels"),
    int_param(4, "across_channel", 1, "1 = sum over the channels"),
    int_param(1, "channel_shared", 0, "1 = one scale for all channels"), float_param(2, "eps", 0.0001, "see eps_mode"),
    int_param(9, "eps_mode", 0, "norm: 0 sqrt(sum + eps), 1 max(sqrt(sum), eps), 2 sqrt(max(sum, eps))"),
    int_param(3, "scale_data_size", 0, "number of scales"));
constexpr auto kTailNorm = params(int_param(0, "affine_size", 0, "product of the normalised trailing axes"),
                                  float_param(1, "eps", 0.001, "added to the variance"),
                                  int_param(2, "affine", 1, "1 = there are factors and offsets"));
constexpr auto kInstanceNorm =
    params(int_param(0, "channels", 0, "channels"), float_param(1, "eps", 0.001, "added to the variance"),
           int_param(2, "affine", 1, "1 = there are factors and offsets"));
constexpr auto kGroupNorm =
    params(int_param(0, "group", 1, "groups of channels"), int_param(1, "channels", 0, "channels"),
           float_param(2, "eps", 0.001, "added to the variance"),
           int_param(3, "affine", 1, "1 = there are factors and offsets"));

Status batch_norm_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t channels, count_param(p, 0, 1));
    for (const char* blob : {"slope_data", "mean_data", "var_data", "bias_data"}) {
        out->push_back({blob, channels, false});
    }
    return {};
}

Status scale_blobs(const Params& p, std::vector<BlobSpec>* out) {
    if (p.i(0) == -233) {
        return {};
    }
    FW_ASSIGN_OR_RETURN(const int64_t channels, count_param(p, 0, 1));
    out->push_back({"scale_data", channels, false});
    if (p.i(1) != 0) {
        out->push_back({"bias_data", channels, false});
    }
    return {};
}

Status bias_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t channels, count_param(p, 0, 1));
    out->push_back({"bias_data", channels, false});
    return {};
}

Status normalize_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t scales, count_param(p, 3, 1));
    out->push_back({"scale_data", scales, false});
    return {};
}

/// gamma_data and, unless `only_gamma`, beta_data of the size in `size_id`, where `affine_id` says so.
Status affine_blobs(const Params& p, int size_id, int affine_id, bool only_gamma, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t size, count_param(p, size_id, p.i(affine_id) != 0 ? 1 : 0));
    if (p.i(affine_id) == 0) {
        return {};
    }
    out->push_back({"gamma_data", size, false});
    if (!only_gamma) {
        out->push_back({"beta_data", size, false});
    }
    return {};
}

Status layer_norm_blobs(const Params& p, std::vector<BlobSpec>* out) {
    return affine_blobs(p, 0, 2, false, out);
}
Status rms_norm_blobs(const Params& p, std::vector<BlobSpec>* out) {
    return affine_blobs(p, 0, 2, true, out);
}
Status group_norm_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t group, count_param(p, 0, 1));
    if (p.i(1) % group != 0) {
        return Status::error(Code::kParseError, "group (0) is %d, which does not divide channels %d", p.i(0), p.i(1));
    }
    return affine_blobs(p, 1, 3, false, out);
}

// A scale that is an input is float.
QuantRule scale_rule(const Params& p) {
    return p.i(0) == -233 ? QuantRule::kFloat : QuantRule::kArith;
}

constexpr LayerSchema kSchemas[] = {
    {"BatchNorm", span(kBatchNorm), batch_norm_blobs, 1, 1, 1, 1, QuantRule::kArith,
     "slope * (x - mean) / sqrt(var + eps) + bias, by channel"},
    {"Scale", span(kScale), scale_blobs, 1, 2, 1, 1, QuantRule::kArith, "x * scale + bias, by channel", scale_rule},
    {"Bias", span(kBias), bias_blobs, 1, 1, 1, 1, QuantRule::kArith, "x + bias, by channel"},
    {"LRN", span(kLrn), nullptr, 1, 1, 1, 1, QuantRule::kFloat, "local response normalisation"},
    {"MVN", span(kMvn), nullptr, 1, 1, 1, 1, QuantRule::kArith, "subtracts the mean, divides by the deviation"},
    {"Normalize", span(kNormalize), normalize_blobs, 1, 1, 1, 1, QuantRule::kFloat,
     "divides by the L2 norm, times a scale"},
    {"LayerNorm", span(kTailNorm), layer_norm_blobs, 1, 1, 1, 1, QuantRule::kArith, "normalises over trailing axes"},
    {"RMSNorm", span(kTailNorm), rms_norm_blobs, 1, 1, 1, 1, QuantRule::kArith,
     "divides by the root mean square of trailing axes"},
    {"InstanceNorm", span(kInstanceNorm), layer_norm_blobs, 1, 1, 1, 1, QuantRule::kArith, "normalises each channel"},
    {"GroupNorm", span(kGroupNorm), group_norm_blobs, 1, 1, 1, 1, QuantRule::kArith, "normalises groups of channels"},
};

}  // namespace

Span<const LayerSchema> normalization_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
