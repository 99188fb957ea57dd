// docs/caffe2fw.md lists what the code converts, no more and no less.
#include <fstream>
#include <sstream>

#include "caffe2fw/layer_context.h"
#include "caffe_test_util.h"
#include "support/source_dir.h"

namespace fw::caffe {

namespace {

TEST(CaffeDocs, TableOfLayersIsThatOfTheCode) {
    std::string table = "| Caffe | becomes |\n|---|---|\n";
    for (const LayerHandler& handler : layer_handlers()) {
        table += std::string("| ") + handler.type + " | " + handler.becomes + " |\n";
    }
    std::ifstream file(FW_SOURCE_DIR "/docs/caffe2fw.md");
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_NE(text.str().find(table), std::string::npos) << "put this into docs/caffe2fw.md:\n" << table;
}

}  // namespace

}  // namespace fw::caffe
