// Layers that read a sequence step by step.
#include <cinttypes>

#include "fw/mat.h"
#include "model/schema/tables.h"

namespace fw::schema {

namespace {

constexpr auto kRecurrent =
    params(int_param(0, "num_output", 0, "outputs of a direction"),
           int_param(1, "weight_data_size", 0, "weights of the input"),
           int_param(2, "direction", 0, "0 forwards, 1 backwards, 2 both"),
           int_param(4, "cont", 0, "1 = the last input has a factor of the states before each step, 0 to begin anew"),
           int_param(8, "int8_scale_term", 0, "not 0 = int8 weights, which are refused"));
constexpr auto kHiddenSize =
    params(int_like(3, "hidden_size", 0, "units; where it is not num_output, a projection follows"));
constexpr auto kLstm = join(kRecurrent, kHiddenSize);

/// weight_xc, bias_c and weight_hc of `gates` gates, with `biases` rows of biases; LSTM's weight_hr.
Status recurrent_blobs(const Params& p, int64_t gates, int64_t biases, int64_t units, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t outputs, count_param(p, 0, 1));
    FW_ASSIGN_OR_RETURN(const int64_t weights, count_param(p, 1, 1));
    const int64_t rows = gates * units * (p.i(2) == 2 ? 2 : 1);
    if (weights % rows != 0) {
        return Status::error(Code::kParseError,
                             "weight_data_size (1) is %" PRId64 ", not a multiple of %" PRId64
                             " (gates x units x directions)",
                             weights, rows);
    }
    if (p.i(8) != 0) {
        return Status::error(Code::kUnsupported, "int8_scale_term (8) is %d: int8 weights are not supported", p.i(8));
    }
    if (rows > Shape::kMaxElements / outputs) {
        return Status::error(Code::kParseError, "num_output (0) is %" PRId64 ": too many weights", outputs);
    }
    out->push_back({"weight_xc_data", weights, true});
    out->push_back({"bias_c_data", rows / gates * biases, true});
    out->push_back({"weight_hc_data", rows * outputs, true});
    if (units != outputs) {
        out->push_back({"weight_hr_data", rows / gates * outputs, true});
    }
    return {};
}

Status rnn_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t units, count_param(p, 0, 1));
    return recurrent_blobs(p, 1, 1, units, out);
}

Status gru_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t units, count_param(p, 0, 1));
    return recurrent_blobs(p, 3, 4, units, out);
}

Status lstm_blobs(const Params& p, std::vector<BlobSpec>* out) {
    FW_ASSIGN_OR_RETURN(const int64_t units, count_param(p, 3, 1));
    return recurrent_blobs(p, 4, 4, units, out);
}

constexpr LayerSchema kSchemas[] = {
    {"RNN", span(kRecurrent), rnn_blobs, 1, 3, 1, 2, QuantRule::kFloat, "a recurrent layer of tanh units"},
    {"GRU", span(kRecurrent), gru_blobs, 1, 3, 1, 2, QuantRule::kFloat, "gated recurrent units"},
    {"LSTM", span(kLstm), lstm_blobs, 1, 4, 1, 3, QuantRule::kFloat, "long short-term memory"},
};

}  // namespace

Span<const LayerSchema> recurrent_schemas() {
    static constexpr auto kBuilt = built<built_count(kSchemas)>(kSchemas);
    return {kBuilt.data(), kBuilt.size()};
}

}  // namespace fw::schema
