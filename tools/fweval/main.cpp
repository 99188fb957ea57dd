// fweval NET.param NET.bin --images PATH --labels FILE: accuracy of a network in float and, with a table, in int8.
#include <climits>
#include <nlohmann/json.hpp>

#include "common/cli.h"
#include "common/file.h"
#include "fweval/evaluation.h"
#include "fweval/figures.h"
#include "fweval/html.h"

namespace fw::tools {

namespace {

Status evaluate(Tool* tool, const EvalOptions& options) {
    Evaluation evaluation(tool, options);
    FW_RETURN_IF_ERROR(evaluation.run());
    const nlohmann::ordered_json json = figures(evaluation);
    print_figures(json, tool->quiet());
    if (!options.json.empty()) {
        FW_RETURN_IF_ERROR(write_text_file(
            options.json, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"));
    }
    if (!options.report.empty()) {
        FW_ASSIGN_OR_RETURN(const std::string page, html_report(&evaluation, json));
        FW_RETURN_IF_ERROR(write_text_file(options.report, page));
    }
    return {};
}

}  // namespace

}  // namespace fw::tools

int main(int argc, char** argv) {
    using namespace fw::tools;
    Tool tool("fweval", "Measures the accuracy of a network, in float and in int8.",
              "  fweval net.param net.bin --images val.txt --labels val.txt --table net.table\n"
              "  fweval net.param net.bin --images photos/ --labels boxes.json --task detect --table net.table --json "
              "result.json\n"
              "  fweval net.param net.bin --images photos/ --labels masks/ --task segment --report result.html\n"
              "  fweval net.param net.bin --images photos/ --table net.table --against float       no labels needed");
    EvalOptions options;
    options.net.precision = "int8";  // what the table can do, not what this processor makes of it
    options.net.add_to(&tool.app());
    options.net.add_preprocess_to(&tool.app());
    CLI::App& app = tool.app();
    app.add_option("--images", options.images, "Folder, list file ('FILE [LABEL]' a line) or image")->required();
    app.add_option("--labels", options.labels,
                   "classify: 'FILE LABEL' a line; detect: COCO annotations (JSON) or 'FILE LABEL XMIN YMIN XMAX YMAX "
                   "[difficult|crowd]' a line; segment: folder of masks or 'FILE MASK' a line");
    app.add_option("--task", options.task, "What the output means")
        ->check(CLI::IsMember({"classify", "detect", "segment"}))
        ->capture_default_str();
    app.add_option("--against", options.against, "Compare int8 with float where there are no labels")
        ->check(CLI::IsMember({"float"}));
    app.add_option("--output", options.output, "Blob to measure (default: the network's last output)");
    app.add_option("--names", options.names, "Names of the classes, one a line");
    app.add_option("--first-name", options.first_name, "Number of the first name's class")
        ->check(CLI::Range(0, 1000000))
        ->capture_default_str();
    app.add_option("--json", options.json, "Write the figures as JSON");
    app.add_option("--report", options.report,
                   "Write a page with tables and the worst images, which needs nothing else");
    app.add_option("--worst", options.worst, "How many of the worst images to list and show")
        ->check(CLI::Range(0, 10000))
        ->capture_default_str();
    app.add_option("--limit", options.limit, "Use at most N images")->check(CLI::Range(1, INT_MAX));
    return tool.run(argc, argv, [&] {
        if (options.net.table.empty() && app.count("--precision") == 0) {
            options.net.precision = "float";
        }
        return evaluate(&tool, options);
    });
}
