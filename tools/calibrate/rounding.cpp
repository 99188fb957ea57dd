#include "calibrate/rounding.h"

#include <algorithm>
#include <cmath>

#include "calibrate/likeness.h"
#include "calibrate/make_table.h"
#include "graph/weighted.h"
#include "layer/support/window.h"

namespace fw::tools {

namespace {

constexpr size_t kPlaces = 64;                  // of a filter in one image
constexpr double kGolden = 0.6180339887498949;  // places i * kGolden mod 1 are spread evenly
constexpr int kSweeps = 20;
constexpr float kLeastFlip = 1e-6F;  // of a weight's own error, below which a flip is rounding noise

// One layer's filter over its input.
struct Filter {
    std::string layer;
    bool inner_product = false;
    size_t groups = 1;
    size_t length = 0;
    int kernel_w = 1;
    int kernel_h = 1;
    WindowSpec across;
    WindowSpec down;
    float padding = 0.0F;
};

Filter filter_of(const Graph& graph, NodeId id) {
    const Node& node = graph.node(id);
    const Params p = graph.params(id);
    Filter f;
    f.layer = node.name;
    f.inner_product = node.type == "InnerProduct";
    f.length = static_cast<size_t>(node.weights[0].count() / num_output(node));
    if (!f.inner_product) {
        f.groups = node.type == "ConvolutionDepthWise" ? static_cast<size_t>(std::max(1, p.i(7))) : 1;
        f.across = {p.i(1), p.i(3), p.i(2), p.i(4), p.i(15)};
        f.down = {p.i(11), p.i(13), p.i(12), p.i(14), p.i(16)};
        f.padding = p.f(18);
    }
    return f;
}

// Rows of the input as the filter sees them at places spread over the image: [place][groups * length].
std::vector<float> patches(const Filter& f, const Mat& value) {
    const float* data = value.data();
    const auto count = static_cast<size_t>(value.count());
    if (f.inner_product) {
        return f.length > 0 && count % f.length == 0 ? std::vector<float>(data, data + count) : std::vector<float>();
    }
    const size_t taps = static_cast<size_t>(f.across.kernel) * static_cast<size_t>(f.down.kernel);
    const auto channels = static_cast<size_t>(value.c());
    WindowAxis across;
    WindowAxis down;
    if (value.shape().rank < 3 || f.length * f.groups != channels * taps ||
        !conv_window("width", value.w(), f.across, &across).ok() ||
        !conv_window("height", value.h(), f.down, &down).ok()) {
        return {};
    }
    const auto all = static_cast<size_t>(across.out) * static_cast<size_t>(down.out);
    const size_t places = std::min(all, kPlaces);
    std::vector<float> out;
    out.reserve(places * channels * taps);
    for (size_t i = 0; i < places; ++i) {
        const double fraction = static_cast<double>(i) * kGolden;
        const size_t place =
            all <= kPlaces ? i : static_cast<size_t>((fraction - std::floor(fraction)) * static_cast<double>(all));
        const int x0 = static_cast<int>(place % static_cast<size_t>(across.out)) * f.across.stride - across.pad_before;
        const int y0 = static_cast<int>(place / static_cast<size_t>(across.out)) * f.down.stride - down.pad_before;
        for (size_t c = 0; c < channels; ++c) {
            const float* plane = data + c * static_cast<size_t>(value.w()) * static_cast<size_t>(value.h());
            for (int ky = 0; ky < f.down.kernel; ++ky) {
                for (int kx = 0; kx < f.across.kernel; ++kx) {
                    const int x = x0 + kx * f.across.dilation;
                    const int y = y0 + ky * f.down.dilation;
                    const bool inside = x >= 0 && y >= 0 && x < value.w() && y < value.h();
                    out.push_back(inside ? plane[static_cast<int64_t>(y) * value.w() + x] : f.padding);
                }
            }
        }
    }
    return out;
}

void add_patches(const std::vector<float>& rows, InputMoments* m) {
    const size_t length = m->length;
    const size_t width = m->groups * length;
    for (size_t row = 0; row + width <= rows.size(); row += width) {
        m->samples += 1.0;
        for (size_t g = 0; g < m->groups; ++g) {
            const float* x = &rows[row + g * length];
            float* square = &m->square[g * length * length];
            for (size_t i = 0; i < length; ++i) {
                const float xi = x[i];
                if (xi == 0.0F) {
                    continue;
                }
                m->sum[g * length + i] += static_cast<double>(xi);
                float* line = square + i * length;
                for (size_t j = 0; j <= i; ++j) {
                    line[j] += xi * x[j];
                }
            }
        }
    }
}

}  // namespace

std::vector<float> moment_matrix(const InputMoments& m, size_t group, bool centred, const std::vector<float>& factors) {
    const size_t n = m.length;
    const float* square = &m.square[group * n * n];
    const double* sum = &m.sum[group * n];
    const double between = m.samples / (m.samples + static_cast<double>(n));
    const size_t channels = m.groups * n;
    const size_t taps = factors.empty() ? 1 : channels / factors.size();
    const auto factor = [&](size_t i) {
        return factors.empty() ? 1.0 : static_cast<double>(factors[(group * n + i) / taps]);
    };
    std::vector<float> out(n * n);
    for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j <= i; ++j) {
            double value = static_cast<double>(square[i * n + j]) / m.samples;
            if (centred) {
                value -= sum[i] / m.samples * (sum[j] / m.samples);
            }
            value *= factor(i) * factor(j) * (i == j ? 1.0 : between);
            out[i * n + j] = static_cast<float>(value);
            out[j * n + i] = static_cast<float>(value);
        }
    }
    return out;
}

void choose_rounding(Span<const float> weights, float scale, const std::vector<float>& matrix, std::vector<bool>* up) {
    const size_t n = weights.size();
    std::vector<float> error(n);  // q - w * scale
    std::vector<bool> movable(n);
    std::vector<float> slope(n, 0.0F);  // matrix * error
    const size_t first = up->size();
    for (size_t i = 0; i < n; ++i) {
        const float scaled = weights[i] * scale;
        const float below = std::floor(scaled);
        movable[i] = below >= -127.0F && below <= 126.0F;
        const bool nearest_up = movable[i] && scaled - below > 0.5F;
        up->push_back(nearest_up);
        error[i] = std::clamp(below + (nearest_up ? 1.0F : 0.0F), -127.0F, 127.0F) - scaled;
        const float* line = &matrix[i * n];
        for (size_t j = 0; j < n; ++j) {
            slope[j] += line[j] * error[i];
        }
    }
    bool moved = true;
    for (int sweep = 0; moved && sweep < kSweeps; ++sweep) {
        moved = false;
        for (size_t i = 0; i < n; ++i) {
            if (!movable[i]) {
                continue;
            }
            const float* line = &matrix[i * n];
            const float step = (*up)[first + i] ? -1.0F : 1.0F;
            if (2.0F * step * slope[i] + line[i] >= -kLeastFlip * line[i]) {
                continue;
            }
            (*up)[first + i] = step > 0.0F;
            for (size_t j = 0; j < n; ++j) {
                slope[j] += line[j] * step;
            }
            moved = true;
        }
    }
}

Result<WeightRounder> WeightRounder::create(const NetDef& def, const Net& net, const ImageSet& set) {
    WeightRounder out;
    out.def_ = &def;
    FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(def));
    std::map<std::string, std::vector<Filter>> readers;  // by blob
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        if (!has_constant_weights(node) || !check_weights(node).ok() || node.type.compare(0, 6, "Deconv") == 0) {
            continue;
        }
        const Filter filter = filter_of(graph, id);
        if (filter.length > kLongestRow) {
            continue;
        }
        InputMoments& m = out.moments_[filter.layer];
        m.groups = filter.groups;
        m.length = filter.length;
        m.sum.assign(m.groups * m.length, 0.0);
        m.square.assign(m.groups * m.length * m.length, 0.0F);
        readers[graph.value(node.inputs[0]).name].push_back(filter);
    }
    using Rows = std::map<std::string, std::vector<float>>;
    const auto work = [&](const Blobs& inputs) -> Result<Rows> {
        Rows rows;
        FW_RETURN_IF_ERROR(run_observed(net, inputs, [&](const std::string& blob, const Mat& value) -> Status {
            const auto found = readers.find(blob);
            if (found != readers.end()) {
                for (const Filter& filter : found->second) {
                    rows[filter.layer] = patches(filter, value);
                }
            }
            return {};
        }));
        return rows;
    };
    const auto take = [&](size_t, const Rows& rows) -> Status {
        for (const auto& [layer, values] : rows) {
            add_patches(values, &out.moments_.at(layer));
        }
        return {};
    };
    FW_RETURN_IF_ERROR(for_each_image<Rows>(some_of(set, kRoundingImages), "inputs of weights", work, take,
                                            [](size_t, const Status&) { return Status(); }));
    return out;
}

Status WeightRounder::round(ScaleTable* table, bool centred) const {
    for (auto& [name, entry] : table->layers) {
        entry.round_up.clear();
    }
    FW_ASSIGN_OR_RETURN(const Graph graph, corrected_graph(*def_, *table));
    for (const NodeId id : graph.order()) {
        const Node& node = graph.node(id);
        const auto found = moments_.find(node.name);
        const auto entry = table->layers.find(node.name);
        if (found == moments_.end() || found->second.samples == 0.0 || entry == table->layers.end() ||
            entry->second.precision == ScaleTable::LayerPrecision::kFloat ||
            entry->second.weight_scales.size() != static_cast<size_t>(num_output(node))) {
            continue;
        }
        const InputMoments& m = found->second;
        const std::vector<float>& scales = entry->second.weight_scales;
        std::vector<float> storage;
        const Span<const float> weights = node.weights[0].floats(&storage);
        std::vector<bool> up;
        up.reserve(weights.size() + 3);
        const size_t outputs = scales.size() / m.groups;
        for (size_t g = 0; g < m.groups; ++g) {
            const std::vector<float> matrix = moment_matrix(m, g, centred, graph.value(node.inputs[0]).factors);
            for (size_t o = g * outputs; o < (g + 1) * outputs; ++o) {
                choose_rounding({weights.data() + o * m.length, m.length}, scales[o], matrix, &up);
            }
        }
        up.resize((up.size() + 3) / 4 * 4);
        entry->second.round_up = std::move(up);
    }
    return {};
}

}  // namespace fw::tools
