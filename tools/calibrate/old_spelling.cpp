#include "calibrate/old_spelling.h"

#include <cstring>

#include "caffe2fw/convert.h"
#include "common/cli.h"
#include "model/file.h"
#include "model/model_io.h"

namespace fw::tools {

bool is_old_spelling(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--proto") == 0 || std::strncmp(argv[i], "--proto=", 8) == 0) {
            return true;
        }
    }
    return false;
}

void add_old_options(CLI::App* app, OldOptions* options) {
    app->add_option("--proto", options->proto, "Caffe network")->required();
    app->add_option("--model", options->model, "Its weights")->required();
    app->add_option("--mean", options->mean, "Mean of blue, green and red, subtracted first")->expected(1, 3);
    app->add_option("--norm", options->norm, "Factor, applied after the mean")->capture_default_str();
    app->add_option("--images", options->images, "Folder of images")->required();
    app->add_option("--output", options->output, "Table to write, in the legacy format")->capture_default_str();
    app->add_option("--group", options->group, "1: a weight scale for each output channel, 0: for each layer")
        ->check(CLI::Range(0, 1))
        ->capture_default_str();
    app->add_option("--gpu", options->gpu, "Accepted; the processor's cores do the work");
}

Result<CalibrateOptions> translate(const OldOptions& old, const std::string& folder) {
    CalibrateOptions out;
    out.net.param = folder + "/net.param";
    out.net.bin = folder + "/net.bin";
    out.images = old.images;
    out.out = old.output;
    out.format = "legacy";
    out.layer_scales = old.group == 0;
    import::ConvertOptions convert;
    convert.preprocess.pixel = "BGR";
    convert.preprocess.norm = old.norm;
    for (const std::string& mean : old.mean) {
        convert.preprocess.mean += (convert.preprocess.mean.empty() ? "" : ",") + mean;
    }
    FW_ASSIGN_OR_RETURN(const FileData prototxt, map_file(old.proto.c_str()));
    FW_ASSIGN_OR_RETURN(const FileData caffemodel, map_file(old.model.c_str()));
    const Span<const char> text(reinterpret_cast<const char*>(prototxt.bytes.data()), prototxt.bytes.size());
    import::Report report;
    FW_ASSIGN_OR_RETURN(const NetDef net,
                        caffe::convert({text, old.proto}, {caffemodel.bytes, old.model}, convert, &report));
    FW_RETURN_IF_ERROR(save_net_def(net, out.net.param.c_str(), out.net.bin.c_str()));
    return out;
}

}  // namespace fw::tools
