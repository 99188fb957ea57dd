// docs/onnx2fw.md lists what the code converts, no more and no less.
#include <fstream>
#include <sstream>

#include "onnx2fw/node_context.h"
#include "onnx_test_util.h"
#include "support/source_dir.h"

namespace fw::onnx {

namespace {

TEST(OnnxDocs, TableOfOperatorsIsThatOfTheCode) {
    std::string table = "| operator | becomes |\n|---|---|\n";
    for (const OpHandler& handler : op_handlers()) {
        table += std::string("| ") + handler.op + " | " + handler.becomes + " |\n";
    }
    std::ifstream file(FW_SOURCE_DIR "/docs/onnx2fw.md");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_NE(text.str().find(table), std::string::npos) << "put this into docs/onnx2fw.md:\n" << table;
}

}  // namespace

}  // namespace fw::onnx
