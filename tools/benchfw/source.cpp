#include "benchfw/source.h"

#include "common/file.h"
#include "model/model_io.h"

namespace fw::bench {

namespace {

/// Of every made-up weight: figures of different days are of the same network.
constexpr uint64_t kSeed = 1;

Status to_files(const NetDef& def, zoo::ModelFiles* files) {
    FW_ASSIGN_OR_RETURN(files->param, param_text(def));
    FW_ASSIGN_OR_RETURN(files->bin, bin_bytes(def));
    return {};
}

std::string stem(const std::string& path) {
    std::string name = tools::base_name(path);
    const size_t dot = name.rfind(".param");
    return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

}  // namespace

Result<Source> source_of_zoo(const zoo::Network& network) {
    Source source;
    source.name = network.name;
    FW_ASSIGN_OR_RETURN(const NetDef def, zoo::build(network, kSeed));
    FW_RETURN_IF_ERROR(to_files(def, &source.files));
    return source;
}

Result<Source> source_of_files(const std::string& param, const std::string& bin) {
    Source source;
    source.name = stem(param);
    if (!bin.empty()) {
        source.param_path = param;
        source.bin_path = bin;
        return source;
    }
    FW_ASSIGN_OR_RETURN(const std::string text, tools::read_text_file(param));
    FW_ASSIGN_OR_RETURN(NetDef def, parse_param({text.data(), text.size()}, param.c_str()));
    FW_RETURN_IF_ERROR(random_weights(&def, kSeed));
    FW_RETURN_IF_ERROR(to_files(def, &source.files));
    return source;
}

Status load(const Source& source, Net* net) {
    if (!source.param_path.empty()) {
        return net->load_model(source.param_path.c_str(), source.bin_path.c_str());
    }
    const zoo::ModelFiles& files = source.files;
    return net->load_model_memory({files.param.data(), files.param.size()}, {files.bin.data(), files.bin.size()})
        .with_prefix("%s", source.name.c_str());
}

}  // namespace fw::bench
