#include "import/finish.h"

#include <utility>

#include "graph/graph.h"
#include "graph/pass.h"

namespace fw::import {

Status store_preprocess(const tools::PreprocessOptions& options, const Preprocess& known, const ImageInput& input,
                        NetDef* net) {
    const bool given = !options.mean.empty() || !options.norm.empty() || !options.pixel.empty();
    if (!given && !known.known()) {
        return {};
    }
    if (input.channels == 0) {
        return Status::error(
            Code::kInvalidArgument,
            "--mean, --norm and --pixel need an input of channels, height and width; the network has none");
    }
    Preprocess base = known;
    if (base.pixel == Pixel::kNone && input.channels == 1) {
        base.pixel = Pixel::kGray;
    }
    FW_ASSIGN_OR_RETURN(Preprocess preprocess, tools::apply_preprocess_options(options, base));
    const int channels = preprocess.pixel == Pixel::kGray ? 1 : 3;
    if (channels != input.channels) {
        return Status::error(Code::kInvalidArgument, "--pixel has %d channels, the network's input has %d", channels,
                             input.channels);
    }
    preprocess.width = input.width;
    preprocess.height = input.height;
    net->set_preprocess(preprocess);
    return {};
}

Status optimize(bool optimize, const std::vector<std::string>& outputs, NetDef* net) {
    FW_ASSIGN_OR_RETURN(Graph graph, Graph::build(*net, outputs));
    if (optimize) {
        Option option;
        option.precision = Precision::kFloat;
        PassContext context;
        context.option = &option;
        FW_RETURN_IF_ERROR(run_passes(&graph, context));
    }
    NetDef out = graph.to_net_def();
    out.source = net->source;
    *net = std::move(out);
    return {};
}

}  // namespace fw::import
