// RNN (Elman), LSTM (Hochreiter & Schmidhuber, 1997, with the forget gate of Gers et al., 2000) and GRU (Cho et al.,
// 2014) over the rows of a sequence. Input 0 is [steps x size]; then, both or neither, come the states to begin with,
// hidden [directions x num_output] and for LSTM cell [directions x hidden_size]; with `cont` the last input has a
// number for each step that multiplies the states before it: 0 begins a sequence anew. Outputs: [steps x directions *
// num_output], and the states after the last step.
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "layer/layer.h"
#include "layer/support/shape.h"
#include "layer/support/weights.h"

namespace fw {

namespace {

enum class Cell : uint8_t { kRnn, kLstm, kGru };

float sigmoid(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

// [rows][columns] -> [columns][rows]
std::vector<float> transposed(const float* m, int64_t rows, int64_t columns) {
    std::vector<float> out(static_cast<size_t>(rows * columns));
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
            out[static_cast<size_t>(c * rows + r)] = m[r * columns + c];
        }
    }
    return out;
}

// out[width] += x[count] times a matrix [count][width]. Columns are summed up row by row, so that a compiler may work
// on several at once.
void accumulate(const float* x, int64_t stride, int64_t count, const std::vector<float>& matrix, int64_t width,
                int threads, float* out) {
    constexpr int64_t kChunk = 64;
    constexpr int64_t kWorthThreads = 1 << 16;
    parallel_for((width + kChunk - 1) / kChunk, count * width < kWorthThreads ? 1 : threads, [&](int64_t chunk) {
        const int64_t begin = chunk * kChunk;
        const int64_t end = std::min(width, begin + kChunk);
        for (int64_t k = 0; k < count; ++k) {
            const float factor = x[k * stride];
            const float* row = matrix.data() + k * width;
            for (int64_t j = begin; j < end; ++j) {
                out[j] += factor * row[j];
            }
        }
    });
}

class Recurrent final : public Layer {
public:
    explicit Recurrent(Cell cell) : cell_(cell) {}

    Status load(const Params& params, Span<const Weight> weights) override;
    Status infer(Span<const TensorDesc> in, Span<TensorDesc> out) const override;
    size_t workspace_bytes(Span<const TensorDesc> in, Span<const TensorDesc> out, int threads) const override;
    Status forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const override;
    int64_t macs(Span<const TensorDesc> in, Span<const TensorDesc> out) const override;
    size_t weight_bytes() const override;

private:
    /// Weights of a direction, an output a column: input and hidden state to the gates, which stand side by side, and,
    /// where hidden_size is not num_output, the hidden units to the outputs.
    struct Direction {
        std::vector<float> input, hidden, projection;
        std::vector<float> input_bias, hidden_bias;
    };
    /// The workspace: both sums of the gates, then hidden state, cell state and the units before a projection.
    struct State {
        float *input_gates, *hidden_gates, *hidden, *cell, *units;
    };

    int gates() const { return cell_ == Cell::kLstm ? 4 : cell_ == Cell::kGru ? 3 : 1; }
    size_t states() const { return cell_ == Cell::kLstm ? 2 : 1; }
    int64_t width() const { return units_ * gates(); }
    bool has_states(size_t inputs) const { return inputs > 1 + (cont_ ? 1U : 0U); }
    State state_in(void* workspace) const;
    void step(const Direction& d, const float* x, int64_t stride, const State& s, int threads) const;

    Cell cell_;
    int64_t size_ = 0, units_ = 0, outputs_ = 0;
    bool cont_ = false;
    bool backwards_ = false;  ///< the only direction is that from the last step to the first
    std::vector<Direction> directions_;
};

Status Recurrent::load(const Params& params, Span<const Weight> weights) {
    if (params.i(8) != 0) {
        return Status::error(Code::kUnsupported, "int8_scale_term is %d: int8 weights are not supported", params.i(8));
    }
    outputs_ = params.i(0);
    units_ = cell_ == Cell::kLstm ? params.i(3) : outputs_;
    cont_ = params.i(4) != 0;
    FW_RETURN_IF_ERROR(check_range("num_output", outputs_, 1, 1 << 20));
    FW_RETURN_IF_ERROR(check_range("hidden_size", units_, 1, 1 << 20));
    FW_RETURN_IF_ERROR(check_range("direction", params.i(2), 0, 2));
    backwards_ = params.i(2) == 1;
    const int64_t count = params.i(2) == 2 ? 2 : 1;
    size_ = params.i(1) / (count * width());
    FW_RETURN_IF_ERROR(check_range("weight_data_size", params.i(1), count * width(), Shape::kMaxElements));
    const int64_t biases = units_ * (cell_ == Cell::kGru ? 4 : gates());
    std::vector<float> input;
    std::vector<float> bias;
    std::vector<float> hidden;
    std::vector<float> projection;
    FW_RETURN_IF_ERROR(take_floats(weights, 0, count * width() * size_, "weight_xc_data", &input));
    FW_RETURN_IF_ERROR(take_floats(weights, 1, count * biases, "bias_c_data", &bias));
    FW_RETURN_IF_ERROR(take_floats(weights, 2, count * width() * outputs_, "weight_hc_data", &hidden));
    if (units_ != outputs_) {
        FW_RETURN_IF_ERROR(take_floats(weights, 3, count * units_ * outputs_, "weight_hr_data", &projection));
    }
    for (int64_t i = 0; i < count; ++i) {
        Direction d;
        d.input = transposed(input.data() + i * width() * size_, width(), size_);
        d.hidden = transposed(hidden.data() + i * width() * outputs_, width(), outputs_);
        if (!projection.empty()) {
            d.projection = transposed(projection.data() + i * units_ * outputs_, outputs_, units_);
        }
        const float* from = bias.data() + i * biases;
        d.input_bias.assign(from, from + width());
        d.hidden_bias.assign(static_cast<size_t>(width()), 0.0F);
        if (cell_ == Cell::kGru) {  // the new state's gate has a bias on either side
            std::copy(from + width(), from + biases, d.hidden_bias.end() - units_);
        }
        directions_.push_back(std::move(d));
    }
    return {};
}

Status Recurrent::infer(Span<const TensorDesc> in, Span<TensorDesc> out) const {
    const size_t with_states = 1 + states() + (cont_ ? 1 : 0);
    const auto directions = static_cast<int64_t>(directions_.size());
    if (in.size() != with_states && in.size() != with_states - states()) {
        return Status::error(Code::kInvalidArgument, "has %zu inputs, expected %zu or, with states, %zu", in.size(),
                             with_states - states(), with_states);
    }
    FW_RETURN_IF_ERROR(check_rank(in[0].shape, 2, 2));
    if (in[0].shape.w() != size_) {
        return Status::error(Code::kInvalidArgument, "input is %s, expected rows of %lld", in[0].shape.str().c_str(),
                             static_cast<long long>(size_));
    }
    const int64_t state_sizes[] = {outputs_, units_};
    for (size_t k = 0; has_states(in.size()) && k < states(); ++k) {
        const Shape& shape = in[1 + k].shape;
        if (shape.rank != 2 || shape.h() != directions || shape.w() != state_sizes[k]) {
            return Status::error(Code::kInvalidArgument, "state %zu is %s, expected [%lldx%lld]", k,
                                 shape.str().c_str(), static_cast<long long>(directions),
                                 static_cast<long long>(state_sizes[k]));
        }
    }
    const Shape& cont = in[in.size() - 1].shape;
    if (cont_ && (cont.rank != 1 || cont.w() != in[0].shape.h())) {
        return Status::error(Code::kInvalidArgument, "cont is %s, expected a number for each of %d steps",
                             cont.str().c_str(), in[0].shape.h());
    }
    const int64_t dims[] = {in[0].shape.h(), directions * outputs_};
    FW_RETURN_IF_ERROR(make_shape(2, dims, &out[0].shape));
    for (size_t k = 1; k < out.size() && k <= states(); ++k) {
        const int64_t state[] = {directions, state_sizes[k - 1]};
        FW_RETURN_IF_ERROR(make_shape(2, state, &out[k].shape));
    }
    return {};
}

size_t Recurrent::workspace_bytes(Span<const TensorDesc> /*in*/, Span<const TensorDesc> /*out*/,
                                  int /*threads*/) const {
    return static_cast<size_t>(2 * width() + outputs_ + 2 * units_) * sizeof(float);
}

Recurrent::State Recurrent::state_in(void* workspace) const {
    State s{};
    s.input_gates = static_cast<float*>(workspace);
    s.hidden_gates = s.input_gates + width();
    s.hidden = s.hidden_gates + width();
    s.cell = s.hidden + outputs_;
    s.units = s.cell + units_;
    return s;
}

void Recurrent::step(const Direction& d, const float* x, int64_t stride, const State& s, int threads) const {
    std::copy(d.input_bias.begin(), d.input_bias.end(), s.input_gates);
    std::copy(d.hidden_bias.begin(), d.hidden_bias.end(), s.hidden_gates);
    accumulate(x, stride, size_, d.input, width(), threads, s.input_gates);
    accumulate(s.hidden, 1, outputs_, d.hidden, width(), threads, s.hidden_gates);
    for (int64_t j = 0; j < units_; ++j) {
        const auto gate = [&](int64_t k) { return s.input_gates[k * units_ + j] + s.hidden_gates[k * units_ + j]; };
        if (cell_ == Cell::kLstm) {  // input, forget, output, new
            s.cell[j] = sigmoid(gate(1)) * s.cell[j] + sigmoid(gate(0)) * std::tanh(gate(3));
            s.units[j] = sigmoid(gate(2)) * std::tanh(s.cell[j]);
        } else if (cell_ == Cell::kGru) {  // reset, update, new
            const float reset = sigmoid(gate(0));
            const float update = sigmoid(gate(1));
            const float fresh = std::tanh(s.input_gates[2 * units_ + j] + reset * s.hidden_gates[2 * units_ + j]);
            s.units[j] = (1.0F - update) * fresh + update * s.hidden[j];
        } else {
            s.units[j] = std::tanh(gate(0));
        }
    }
    if (d.projection.empty()) {
        std::copy(s.units, s.units + units_, s.hidden);
    } else {
        std::fill(s.hidden, s.hidden + outputs_, 0.0F);
        accumulate(s.units, 1, units_, d.projection, outputs_, threads, s.hidden);
    }
}

Status Recurrent::forward(Span<const Tensor> in, Span<Tensor> out, const RunContext& context) const {
    const State s = state_in(context.workspace);
    const int64_t steps = in[0].h();
    float* const state[] = {s.hidden, s.cell};
    const int64_t state_sizes[] = {outputs_, units_};
    for (size_t d = 0; d < directions_.size(); ++d) {
        const auto row = static_cast<int64_t>(d);
        for (size_t k = 0; k < 2; ++k) {
            const Tensor* from = has_states(in.size()) && k < states() ? &in[1 + k] : nullptr;
            for (int64_t j = 0; j < state_sizes[k]; ++j) {
                state[k][j] = from == nullptr ? 0.0F : from->ptr()[row * from->stride[0] + j * from->stride[1]];
            }
        }
        for (int64_t i = 0; i < steps; ++i) {
            const int64_t t = backwards_ || d == 1 ? steps - 1 - i : i;
            if (cont_) {
                const Tensor& cont = in[in.size() - 1];
                const float factor = cont.ptr()[t * cont.stride[0]];
                std::for_each(s.hidden, s.hidden + outputs_, [&](float& v) { v *= factor; });
                std::for_each(s.cell, s.cell + units_, [&](float& v) { v *= factor; });
            }
            step(directions_[d], in[0].ptr() + t * in[0].stride[0], in[0].stride[1], s, context.threads);
            float* to = out[0].ptr() + t * out[0].stride[0] + row * outputs_ * out[0].stride[1];
            for (int64_t j = 0; j < outputs_; ++j) {
                to[j * out[0].stride[1]] = s.hidden[j];
            }
        }
        for (size_t k = 1; k < out.size() && k <= states(); ++k) {
            for (int64_t j = 0; j < state_sizes[k - 1]; ++j) {
                out[k].ptr()[row * out[k].stride[0] + j * out[k].stride[1]] = state[k - 1][j];
            }
        }
    }
    return {};
}

int64_t Recurrent::macs(Span<const TensorDesc> in, Span<const TensorDesc> /*out*/) const {
    const int64_t a_step = width() * (size_ + outputs_) + (units_ != outputs_ ? units_ * outputs_ : 0);
    return in[0].shape.h() * static_cast<int64_t>(directions_.size()) * a_step;
}

size_t Recurrent::weight_bytes() const {
    size_t count = 0;
    for (const Direction& d : directions_) {
        count += d.input.size() + d.hidden.size() + d.projection.size() + d.input_bias.size() + d.hidden_bias.size();
    }
    return count * sizeof(float);
}

}  // namespace

std::unique_ptr<Layer> make_RNN() {
    return std::make_unique<Recurrent>(Cell::kRnn);
}
std::unique_ptr<Layer> make_LSTM() {
    return std::make_unique<Recurrent>(Cell::kLstm);
}
std::unique_ptr<Layer> make_GRU() {
    return std::make_unique<Recurrent>(Cell::kGru);
}

}  // namespace fw
