#include "zoo/shapes.h"

#include <vector>

#include "layer/layer.h"
#include "model/schema.h"

namespace fw::zoo {

namespace {

Status add_shapes(const LayerDef& def, std::map<std::string, Shape>* shapes) {
    const LayerSchema* schema = find_schema(def.type);
    const std::unique_ptr<Layer> layer = create_layer(def.type);
    if (schema == nullptr || layer == nullptr) {
        return Status::error(Code::kUnsupported, "this build has no such layer type");
    }
    FW_RETURN_IF_ERROR(layer->load(Params(*schema, def.params), def.weights));
    std::vector<TensorDesc> in(def.bottoms.size());
    std::vector<TensorDesc> out(def.tops.size());
    for (size_t i = 0; i < in.size(); ++i) {
        in[i].shape = shapes->at(def.bottoms[i]);
    }
    FW_RETURN_IF_ERROR(layer->infer({in.data(), in.size()}, {out.data(), out.size()}));
    for (size_t i = 0; i < out.size(); ++i) {
        if (out[i].shape.rank == 0) {
            return Status::error(Code::kInvalidArgument, "the shape of '%s' is not known", def.tops[i].c_str());
        }
        (*shapes)[def.tops[i]] = out[i].shape;
    }
    return {};
}

}  // namespace

Result<std::map<std::string, Shape>> blob_shapes(const NetDef& net) {
    std::map<std::string, Shape> shapes;
    for (const LayerDef& layer : net.layers) {
        FW_RETURN_IF_ERROR(
            add_shapes(layer, &shapes)
                .with_prefix("%s: %s layer '%s'", net.source.c_str(), layer.type.c_str(), layer.name.c_str()));
    }
    return shapes;
}

}  // namespace fw::zoo
