#include "support/example.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "common/cli.h"
#include "common/file.h"
#include "common/net_options.h"

namespace fw::examples {

void ExampleOptions::add_to(CLI::App* app, const std::string& default_model_dir) {
    model_dir = default_model_dir;
    app->add_option("IMAGE", image, "Picture to look at")->required();
    app->add_option("MODEL_DIR", model_dir, "Folder with NAME.param, NAME.bin and, if there is one, labels.txt")
        ->capture_default_str();
    app->add_option("--table", table, "Scale table: run in int8");
    app->add_option("--threads", threads, "Threads, 0 = all cores")->check(CLI::Range(0, 1024));
    app->add_option("--device", device, "Where to run")->check(CLI::IsMember({"cpu"}))->capture_default_str();
}

namespace {

Result<std::filesystem::path> find_param(const std::string& folder) {
    std::error_code error;
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".param") {
            found.push_back(entry.path());
        }
    }
    if (error) {
        return Status::error(Code::kIoError, "%s: %s", folder.c_str(), error.message().c_str());
    }
    if (found.size() != 1) {
        return Status::error(Code::kNotFound,
                             "%s: holds %zu .param files, expected one (./quickstart.sh makes the default models)",
                             folder.c_str(), found.size());
    }
    return found[0];
}

}  // namespace

Status load_model_dir(const ExampleOptions& options, Model* model) {
    FW_ASSIGN_OR_RETURN(std::filesystem::path param, find_param(options.model_dir));
    std::filesystem::path bin = param;
    bin.replace_extension(".bin");

    Option option;
    option.threads = options.threads;
    FW_RETURN_IF_ERROR(model->net.set_option(option));
    if (!options.table.empty()) {
        FW_RETURN_IF_ERROR(model->net.load_table(options.table.c_str()));
    }
    FW_RETURN_IF_ERROR(model->net.load_model(param.c_str(), bin.c_str()));
    model->files = {param, bin};
    if (!options.table.empty()) {
        model->files.push_back(options.table);
    }
    model->preprocess = model->net.preprocess();
    if (!model->preprocess.known()) {
        return Status::error(Code::kInvalidArgument,
                             "%s: stores no preprocessing; convert it with --mean, --norm, --size and --pixel",
                             param.c_str());
    }
    const std::string labels = options.model_dir + "/labels.txt";
    if (std::filesystem::exists(labels)) {
        FW_ASSIGN_OR_RETURN(model->labels, tools::read_labels(labels));
        model->files.push_back(labels);
    }
    return {};
}

std::string Model::label(int number) const {
    const bool named = number >= 0 && static_cast<size_t>(number) < labels.size();
    return named ? labels[static_cast<size_t>(number)] : std::to_string(number);
}

Status check_output(const std::string& out_path, const ExampleOptions& options, const Model& model) {
    if (out_path.empty()) {
        return {};
    }
    std::vector<std::string> inputs = model.files;
    inputs.push_back(options.image);
    return tools::check_distinct({out_path}, inputs);
}

Status run_image(const Model& model, const Image& image, const std::string& output, Mat* out, double* milliseconds) {
    FW_ASSIGN_OR_RETURN(const Mat input, mat_from_image(image, model.preprocess));
    *milliseconds = 0;
    for (int run = 0; run < 4; ++run) {
        const auto start = std::chrono::steady_clock::now();
        FW_RETURN_IF_ERROR(tools::run_net(model.net, input, output, out));
        const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        *milliseconds = run == 1 ? ms : std::min(*milliseconds, ms);
    }
    return {};
}

}  // namespace fw::examples
