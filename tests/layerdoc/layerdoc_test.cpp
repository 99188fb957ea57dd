// The generated reference has every layer type that can be read or run, with every parameter.
#include <gtest/gtest.h>

#include <string>

#include "layer/layer.h"
#include "model/model_io.h"

namespace fw::test {

namespace {

TEST(LayerDoc, HasEveryTypeAndParameter) {
    const Result<FileData> file = map_file(FW_LAYERS_MD);
    ASSERT_TRUE(file.ok()) << file.status().message();
    const std::string text(reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size());
    for (const LayerSchema* schema : all_schemas()) {
        const size_t begin = text.find(std::string("\n## ") + schema->type + "\n");
        ASSERT_NE(begin, std::string::npos) << schema->type;
        const std::string section = text.substr(begin, text.find("\n## ", begin + 1) - begin);
        EXPECT_NE(section.find(schema->doc), std::string::npos) << schema->type;
        for (const ParamSpec& spec : schema->params) {
            EXPECT_NE(section.find("| " + std::to_string(spec.id) + " | " + spec.key + " | "), std::string::npos)
                << schema->type << " " << spec.key;
        }
        if (schema->blobs != nullptr && std::string(schema->type) != "Input") {
            EXPECT_NE(section.find("Weights, in file order"), std::string::npos) << schema->type;
        }
    }
    for (const std::string& type : layer_types()) {
        EXPECT_NE(find_schema(type), nullptr) << type << " has a layer and no schema";
    }
}

}  // namespace

}  // namespace fw::test
