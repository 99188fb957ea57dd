// layerdoc OUT.md: writes the reference of all layer types from the schemas. Run by the build; not installed.
#include <cstdio>
#include <cstring>
#include <string>

#include "model/model_io.h"
#include "model/text.h"

namespace {

using namespace fw;

std::string count_text(int least, int most) {
    if (most < 0) {
        return std::to_string(least) + " or more";
    }
    return least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
}

std::string default_text(const LayerSchema& schema, const ParamSpec& spec) {
    if (spec.default_id >= 0) {
        return std::string("= ") + find_param(schema, spec.default_id)->key;
    }
    switch (spec.kind) {
        case ParamKind::kInt: return std::to_string(static_cast<int>(spec.default_number));
        case ParamKind::kFloat: return format_float(static_cast<float>(spec.default_number));
        default: return "empty";
    }
}

const char* int8_text(const LayerSchema& schema) {
    if (schema.quant_rule != nullptr) {
        return "depends on the parameters";
    }
    switch (schema.quant) {
        case QuantRule::kFloat: return "no";
        case QuantRule::kWeighted: return "yes, int8 weights";
        case QuantRule::kMove: return "yes, in its input's scale";
        case QuantRule::kUnify: return "yes, inputs in the output's scale";
        case QuantRule::kClamp: return "yes, in its input's scale";
        case QuantRule::kArith: return "yes, in integers";
        case QuantRule::kPointwise: return "yes, by a table of 256 entries";
        case QuantRule::kReader: return "yes, int8 in, float or int8 out";
        case QuantRule::kConstant: return "yes, quantized at load";
    }
    return "";
}

/// Names of all blobs that the type can have: the parameters are set so that every optional one is there.
std::string blob_text(const LayerSchema& schema) {
    if (schema.blobs == nullptr) {
        return "";
    }
    std::vector<BlobSpec> blobs;
    // Not every type has int8 weights; some want a number of weights that fits their gates.
    for (const auto& [int8_term, weights] : {std::pair{101, 1}, {0, 24}}) {
        ParamDict dict;
        for (const ParamSpec& spec : schema.params) {
            const auto is = [&](const char* key) { return std::strcmp(spec.key, key) == 0; };
            if (is("dynamic_weight")) {
                dict.set(spec.id, 0);
            } else if (is("int8_scale_term")) {
                dict.set(spec.id, int8_term);
            } else if (is("hidden_size")) {
                dict.set(spec.id, 2);
            } else if (is("weight_data_size")) {
                dict.set(spec.id, weights);
            } else if (spec.kind == ParamKind::kInt && spec.default_id < 0) {
                dict.set(spec.id, 1);
            }
        }
        blobs.clear();
        if (schema.blobs(Params(schema, dict), &blobs).ok()) {
            break;
        }
        blobs.clear();
    }
    std::string out;
    for (const BlobSpec& blob : blobs) {
        out += (out.empty() ? "`" : ", `") + std::string(blob.name) + "`" + (blob.flagged ? " (tagged)" : "");
    }
    return out;
}

std::string section(const LayerSchema& schema) {
    std::string out = std::string("\n## ") + schema.type + "\n\n" + schema.doc + "\n\n";
    out += "Inputs: " + count_text(schema.min_inputs, schema.max_inputs) +
           ". Outputs: " + count_text(schema.min_outputs, schema.max_outputs) + ". int8: " + int8_text(schema) + ".\n";
    const std::string blobs = blob_text(schema);
    if (!blobs.empty()) {
        out += "Weights, in file order, each if the parameters ask for it: " + blobs + ".\n";
    }
    if (schema.params.empty()) {
        return out + "No parameters.\n";
    }
    out += "\n| id | name | kind | default | meaning |\n|---|---|---|---|---|\n";
    for (const ParamSpec& spec : schema.params) {
        std::string doc = spec.doc;
        for (size_t at = doc.find('|'); at != std::string::npos; at = doc.find('|', at + 2)) {
            doc.insert(at, "\\");
        }
        out += "| " + std::to_string(spec.id) + " | " + spec.key + " | " + name(spec.kind) + " | " +
               default_text(schema, spec) + " | " + doc + " |\n";
    }
    return out;
}

std::string document() {
    std::string out =
        "# Layer types\n\n"
        "Generated from the schemas in src/model/schema. param-format.md explains ids, kinds and tagged blobs; axes "
        "count from\n"
        "the outermost dimension.\n";
    for (const LayerSchema* schema : all_schemas()) {
        out += section(*schema);
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || argv[1][0] == '-') {
        std::fprintf(stderr, "usage: layerdoc OUT.md\n");
        return 2;
    }
    const std::string text = document();
    const fw::Status status =
        fw::write_file_atomic(argv[1], {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    if (!status.ok()) {
        std::fprintf(stderr, "error: %s\n", status.message());
        return 1;
    }
    return 0;
}
