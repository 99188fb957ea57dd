// Program: a network ready to run for one set of wanted blobs - the graph after its passes, a prepared Layer for every
// node.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/memory.h"
#include "fw/layer.h"
#include "fw/option.h"
#include "graph/graph.h"
#include "layer/layer.h"
#include "model/model_io.h"
#include "runtime/accelerator.h"

namespace fw {

/// Layer types of the application.
struct CustomType {
    CustomLayerFactory factory = nullptr;
    void* user_data = nullptr;
};
using CustomTypes = std::map<std::string, CustomType>;

struct ProgramStep {
    NodeId node = kNone;
    std::unique_ptr<Layer> layer;
};

/// Independent of input shapes; immutable and shared by threads once built.
struct Program {
    Graph graph;
    std::vector<ProgramStep> steps;  ///< in the order of execution; Input layers have none
    std::vector<ValueId> inputs;     ///< parallel to Model::inputs
    std::unordered_map<std::string, ValueId> outputs;
    std::unordered_map<std::string, ValueId> values;  ///< every blob that has a producer, by name
    size_t weight_bytes = 0;
    std::map<std::string, bool> int8_layers;     ///< by layer name
    std::unique_ptr<AcceleratorProgram> device;  ///< null: everything runs on the CPU
    std::unique_ptr<PagePool> pages;             ///< where the packed weights lie; whoever builds the program takes it
};

struct InputInfo {
    std::string name;
    Shape shape;  ///< as declared; rank 0 = open
};

/// What load_model leaves behind for good.
struct Model {
    NetDef def;
    std::vector<InputInfo> inputs;
    std::vector<std::string> outputs;  ///< blobs that no layer reads
    Preprocess preprocess;
    CustomTypes custom;
    std::shared_ptr<Accelerator> device;  ///< null: everything runs on the CPU
};

/// Fills inputs, outputs and preprocessing from the layers; fails for a network without an input or with a bad one.
Status describe_model(Model* model);

/// The callback that tells the readers about the application's types.
CustomBlobs custom_blobs(const CustomTypes& types);

/// Builds the program that computes `outputs` (empty = the model's own outputs). The passes see the model's outputs
/// too, and `whole`, the program for those (null for itself), has chosen the precision of each layer: so a blob has the
/// precision and scale that it has in the whole network. `table` may be null.
Result<std::shared_ptr<Program>> build_program(const Model& model, const Option& option, const ScaleTable* table,
                                               Span<const std::string> outputs, const Program* whole);

/// A Layer for a node, its parameters and weights read and checked; not prepared.
Result<std::unique_ptr<Layer>> load_layer(const Model& model, const Graph& graph, NodeId id);

}  // namespace fw
