// Tensors whose data lie in files beside the model: those that are read, and those that must not be.
#include <sys/stat.h>

#include <filesystem>

#include "onnx_test_util.h"
#include "support/temp_folder.h"

namespace fw::onnx {
namespace {

namespace fs = std::filesystem;

class ExternalData : public test::TempFolderTest {
protected:
    void SetUp() override {
        TempFolderTest::SetUp();
        for (const char* name : {"w.bin", "model/w.bin", "model/deeper/w.bin"}) {
            write(name, std::string("\0\0\x80\x3f\0\0\0\x40", 8));  // 1, 2
        }
    }
    fs::path model(const std::string& name) const { return fs::path(folder_) / "model" / name; }

    // The problem of a model whose weights [2] lie at `location`; "" where it converts.
    std::string problem(const std::string& location, const std::string& offset = "0") const {
        ModelBuilder m({1, 2});
        TensorProto* w = m.graph()->add_initializer();
        w->set_name("w");
        w->set_data_type(TensorProto::FLOAT);
        w->add_dims(2);
        w->set_data_location(TensorProto::EXTERNAL);
        for (const auto& [key, value] :
             {std::pair<std::string, std::string>("location", location), {"offset", offset}}) {
            StringStringEntryProto* entry = w->add_external_data();
            entry->set_key(key);
            entry->set_value(value);
        }
        m.node("Add", {"x", "w"}, {"y"});
        m.output("y");
        OnnxOptions options;
        options.folder = model("").string();
        const Outcome o = convert_bytes(m.serialized(), options);
        EXPECT_EQ(o.status.ok(), o.report.errors().empty());
        EXPECT_LE(o.report.errors().size(), 1U) << "one problem, one line: " << o.errors();
        return o.errors();
    }
};

TEST_F(ExternalData, IsReadFromTheModelsFolder) {
    fs::create_symlink("deeper/w.bin", model("inner_link"));
    for (const char* location : {"w.bin", "./w.bin", "deeper/w.bin", "inner_link"}) {
        EXPECT_EQ(problem(location), "") << location;
    }
}

TEST_F(ExternalData, NothingElseIsRead) {
    fs::create_symlink("../w.bin", model("link"));
    fs::create_symlink("..", model("up"));
    fs::create_symlink("nowhere", model("dangling"));
    ASSERT_EQ(::mkfifo(model("pipe").c_str(), 0600), 0);
    const std::pair<std::string, const char*> cases[] = {
        {"../w.bin", "lie in '../w.bin', expected a file in the model's folder"},
        {"deeper/../../w.bin", "expected a file in the model's folder"},
        {folder_ + "/w.bin", "expected a file in the model's folder"},
        {"", "expected a file in the model's folder"},
        {"link", "'link' links to a file outside of the model's folder"},
        {"up/w.bin", "links to a file outside of the model's folder"},
        {"dangling", "cannot open"},
        {"none.bin", "cannot open"},
        {"deeper", "is a directory"},
        {"pipe", "'pipe' is a pipe or device, expected a file"},
    };
    for (const auto& [location, message] : cases) {
        EXPECT_NE(problem(location).find(message), std::string::npos) << location << ": " << problem(location);
    }
    EXPECT_NE(problem("w.bin", "4").find("needs 8 bytes, there are 4"), std::string::npos) << problem("w.bin", "4");
    EXPECT_NE(problem("w.bin", "9").find("the file w.bin has 8"), std::string::npos) << problem("w.bin", "9");
    EXPECT_NE(problem("w.bin", "-4").find("expected a number"), std::string::npos);
    EXPECT_NE(problem("w.bin", "99999999999999999999").find("expected a number"), std::string::npos);
}

}  // namespace
}  // namespace fw::onnx
