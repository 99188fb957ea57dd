#include "caffe2fw/convert.h"

#include <algorithm>
#include <utility>

#include "caffe2fw/layer_context.h"
#include "caffe2fw/read.h"
#include "caffe2fw/upgrade.h"
#include "import/net_builder.h"
#include "model/model_io.h"

namespace fw::caffe {

namespace {

// Number of bottoms that a layer must have is fixed by its type, for losses by their first bottom.
bool counts_fit(LayerContext* ctx, const LayerHandler& handler) {
    const auto check = [&](const char* what, int count, int low, int high) {
        if (count >= low && (high < 0 || count <= high)) {
            return true;
        }
        const std::string most = high < 0 ? "or more" : high == low ? "" : "to " + std::to_string(high);
        ctx->error("has %d %s, expected %d%s%s", count, what, low, most.empty() ? "" : " ", most.c_str());
        return false;
    };
    const bool bottoms = check("bottoms", ctx->bottoms(), handler.min_bottoms, handler.max_bottoms);
    return check("tops", ctx->tops(), handler.min_tops, handler.max_tops) && bottoms;
}

// The bottoms that a layer really reads: a loss reads its first, the second is a label.
int read_bottoms(const LayerParameter& layer) {
    const bool loss = layer.type() == "SoftmaxWithLoss" || layer.type() == "SigmoidCrossEntropyLoss";
    return loss ? std::min(1, layer.bottom_size()) : layer.bottom_size();
}

void convert_layer(Conversion* c, const LayerParameter& layer) {
    LayerContext ctx(c, layer);
    const LayerHandler* handler = find_handler(layer.type());
    if (handler != nullptr && handler->dropped()) {
        return;
    }
    bool readable = true;
    bool known = true;
    for (int i = 0; i < read_bottoms(layer); ++i) {
        const BlobId id = ctx.in(i);
        if (id == import::kNoBlob) {
            const bool label = c->label_blobs.count(layer.bottom(i)) != 0;
            ctx.error("bottom '%s' %s", layer.bottom(i).c_str(),
                      label ? "is a data layer's label, expected a blob that exists outside training"
                            : "is no earlier layer's top, expected one");
            readable = false;
        } else {
            known = known && !c->blobs[layer.bottom(i)].dims.empty();
        }
    }
    if (handler == nullptr) {
        ctx.error("layer type is not supported (docs/caffe2fw.md lists those that are)");
        return ctx.give_up();
    }
    if (!counts_fit(&ctx, *handler) || !readable || !known) {
        return ctx.give_up();
    }
    handler->convert(&ctx);
}

void note_surplus_weights(Conversion* c) {
    for (const auto& [name, blobs] : c->weights) {
        if (!blobs.empty() && c->used_weights.count(name) == 0) {
            c->report->note(c->model_name, "layer '%s' is not in %s: its weights are ignored", name.c_str(),
                            c->prototxt_name.c_str());
        }
    }
}

// Blobs that nothing reads, save those that a Silence layer silences.
std::vector<std::string> output_names(const Conversion& c, const NetDef& net) {
    std::set<std::string> read;
    for (const LayerDef& layer : net.layers) {
        read.insert(layer.bottoms.begin(), layer.bottoms.end());
    }
    for (const BlobId id : c.silenced) {
        read.insert(c.builder.name(id));
    }
    std::vector<std::string> out;
    for (const LayerDef& layer : net.layers) {
        for (const std::string& top : layer.tops) {
            if (read.count(top) == 0) {
                out.push_back(top);
            }
        }
    }
    return out;
}

// As large as made-up weights get (model_io.h).
constexpr int64_t kMaxRandomWeights = int64_t{1} << 29;

// Weights for the zeros that stand in the network; what a DummyData holds is a constant of the network itself.
Status make_weights(uint64_t seed, NetDef* net) {
    NetDef with_weights = *net;
    FW_RETURN_IF_ERROR(random_weights(&with_weights, seed));
    for (size_t i = 0; i < net->layers.size(); ++i) {
        if (net->layers[i].type != "MemoryData") {
            net->layers[i].weights = std::move(with_weights.layers[i].weights);
        }
    }
    return {};
}

}  // namespace

Result<NetDef> convert(const Source<char>& prototxt, const Source<uint8_t>& caffemodel, const ConvertOptions& options,
                       import::Report* report, std::optional<uint64_t> random_seed,
                       const std::vector<std::string>& stages) {
    Conversion c(options, prototxt.name, caffemodel.name, report);
    NetParameter net;
    const bool read = read_prototxt(prototxt.data, prototxt.name, report, &net);
    c.without_weights = random_seed.has_value();
    if (!c.without_weights && !read_caffemodel(caffemodel.data, caffemodel.name, report, &c.weights)) {
        return report->status();
    }
    if (!read) {
        return report->status();
    }
    c.weight_budget = c.without_weights
                          ? kMaxRandomWeights
                          : kMaxConstant + 16 * static_cast<int64_t>(prototxt.data.size() + caffemodel.data.size());
    upgrade(prototxt.name, report, &net);
    for (const std::string& stage : stages) {
        net.mutable_state()->add_stage(stage);
    }
    keep_test_phase(&net);
    for (const LayerParameter& layer : net.layer()) {
        for (const std::string& bottom : layer.bottom()) {
            ++c.readers_left[bottom];
        }
        for (int i = 0; i < layer.param_size(); ++i) {
            if (!layer.param(i).name().empty()) {
                c.shared.emplace(layer.param(i).name(), std::make_pair(layer.name(), i));
            }
        }
        if ((layer.type() == "ROIPooling" || layer.type() == "PSROIPooling") && layer.bottom_size() > 1) {
            c.region_blobs.insert(layer.bottom(1));
        }
        if (layer.type() == "LSTM" || layer.type() == "RNN") {
            const int states = !layer.recurrent_param().expose_hidden() ? 0 : layer.type() == "LSTM" ? 2 : 1;
            for (int i = 0; i < layer.bottom_size(); ++i) {
                if (i < 2 || i >= layer.bottom_size() - states) {  // a static input has its batch first
                    c.sequence_blobs.insert(layer.bottom(i));
                }
            }
        }
        c.used_weights.insert(layer.name());
    }
    for (const LayerParameter& layer : net.layer()) {
        for (const std::string& bottom : layer.bottom()) {
            --c.readers_left[bottom];
        }
        convert_layer(&c, layer);
    }
    note_surplus_weights(&c);
    if (report->ok() && !c.has_input) {
        report->error(prototxt.name, "has no input: expected an Input or data layer, or the field `input`");
    }
    FW_RETURN_IF_ERROR(report->status());
    NetDef out = c.builder.finish(prototxt.name);
    if (random_seed.has_value()) {
        FW_RETURN_IF_ERROR(make_weights(*random_seed, &out));
    }
    FW_RETURN_IF_ERROR(import::store_preprocess(options.preprocess, c.data_preprocess, c.image_input, &out));
    const std::vector<std::string> outputs = output_names(c, out);
    if (outputs.empty()) {
        return Status::error(Code::kParseError, "%s: has no output: every blob is read by a layer",
                             prototxt.name.c_str());
    }
    FW_RETURN_IF_ERROR(import::optimize(options.optimize, outputs, &out));
    import::insert_splits(&out);
    return out;
}

}  // namespace fw::caffe
