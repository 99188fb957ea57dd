// Real models and tables: every one loads, and reads back the same after writing.
#include <dirent.h>

#include <algorithm>

#include "fw/table.h"
#include "model_test_util.h"
#include "support/data_dir.h"

namespace fw::test {

namespace {

std::vector<std::string> files(const std::string& dir, const std::string& ending) {
    std::vector<std::string> out;
    DIR* handle = ::opendir(dir.c_str());
    while (const dirent* entry = handle != nullptr ? ::readdir(handle) : nullptr) {
        const std::string name = entry->d_name;
        if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0) {
            out.push_back(dir + "/" + name);
        }
    }
    if (handle != nullptr) {
        ::closedir(handle);
    }
    std::sort(out.begin(), out.end());
    return out;
}

Result<NetDef> parse_file(const std::string& path) {
    const Result<FileData> file = map_file(path.c_str());
    if (!file.ok()) {
        return file.status();
    }
    return parse_param({reinterpret_cast<const char*>(file->bytes.data()), file->bytes.size()}, path.c_str());
}

/// The same values through the schema, whether written out or left to their defaults.
void expect_same(const NetDef& a, const NetDef& b) {
    ASSERT_EQ(a.layers.size(), b.layers.size());
    for (size_t i = 0; i < a.layers.size(); ++i) {
        const LayerDef& x = a.layers[i];
        const LayerDef& y = b.layers[i];
        SCOPED_TRACE(x.name);
        EXPECT_EQ(x.type, y.type);
        EXPECT_EQ(x.name, y.name);
        EXPECT_EQ(x.bottoms, y.bottoms);
        EXPECT_EQ(x.tops, y.tops);
        const LayerSchema& schema = *find_schema(x.type);
        const Params p(schema, x.params);
        const Params q(schema, y.params);
        for (const ParamSpec& spec : schema.params) {
            EXPECT_EQ(p.i(spec.id), q.i(spec.id)) << spec.key;
            EXPECT_EQ(p.f(spec.id), q.f(spec.id)) << spec.key;
            EXPECT_EQ(p.floats(spec.id).empty() || p.has(spec.id), true);
            if (spec.kind == ParamKind::kInts || spec.kind == ParamKind::kFloats) {
                EXPECT_EQ(p.floats(spec.id), q.floats(spec.id)) << spec.key;
            }
            EXPECT_EQ(p.s(spec.id), q.s(spec.id)) << spec.key;
        }
    }
}

TEST(RealData, ZooParamsParseAndRoundTrip) {
    const std::string dir = data_dir() + "/models/ncnn-zoo-params";
    FW_SKIP_WITHOUT(dir);
    const std::vector<std::string> paths = files(dir, ".param");
    EXPECT_EQ(paths.size(), 25U);
    for (const std::string& path : paths) {
        SCOPED_TRACE(path);
        Result<NetDef> net = parse_file(path);
        ASSERT_TRUE(net.ok()) << net.status().message();
        const Result<std::string> text = param_text(*net);
        ASSERT_TRUE(text.ok()) << text.status().message();
        const Result<NetDef> again = parse(*text);
        ASSERT_TRUE(again.ok()) << again.status().message();
        expect_same(*net, *again);
        EXPECT_EQ(*param_text(*again), *text);
        if (path.find("squeezenet") != std::string::npos) {  // the small ones: weights as their parameters ask
            ASSERT_TRUE(random_weights(&*net, 1).ok());
            const Result<std::vector<uint8_t>> bytes = bin_bytes(*net);
            ASSERT_TRUE(bytes.ok()) << bytes.status().message();
            NetDef read = *again;
            EXPECT_TRUE(read_weights(in_memory(*bytes), "made.bin", &read).ok());
        }
    }
}

TEST(RealData, ModelsWithWeightsRoundTrip) {
    const std::string dir = data_dir() + "/models/ncnn";
    FW_SKIP_WITHOUT(dir);
    int models = 0;
    for (const char* folder : {"/mtcnn", "/squeezenet_v1.1", "/ultraface_rfb320"}) {
        for (const std::string& path : files(dir + folder, ".param")) {
            SCOPED_TRACE(path);
            const std::string bin = path.substr(0, path.size() - 5) + "bin";
            const Result<NetDef> net = load_net_def(path.c_str(), bin.c_str());
            ASSERT_TRUE(net.ok()) << net.status().message();
            const Result<FileData> file = map_file(bin.c_str());
            ASSERT_TRUE(file.ok());
            const Result<std::vector<uint8_t>> bytes = bin_bytes(*net);
            ASSERT_TRUE(bytes.ok()) << bytes.status().message();
            EXPECT_TRUE(std::equal(bytes->begin(), bytes->end(), file->bytes.begin(), file->bytes.end()))
                << "writing as stored gives the file itself";
            ++models;
        }
    }
    EXPECT_EQ(models, 5);
}

TEST(RealData, TablesLoadAndRoundTrip) {
    const std::string dir = data_dir() + "/tables";
    FW_SKIP_WITHOUT(dir);
    const std::vector<std::string> paths = files(dir, ".table");
    EXPECT_EQ(paths.size(), 7U);
    for (const std::string& path : paths) {
        SCOPED_TRACE(path);
        const Result<ScaleTable> t = ScaleTable::load(path.c_str());
        ASSERT_TRUE(t.ok()) << t.status().message();
        EXPECT_GT(t->layers.size(), 10U);
        for (const std::string& text : {t->to_text(), t->to_legacy_text()}) {
            const Result<ScaleTable> again = ScaleTable::parse({text.data(), text.size()}, "again");
            ASSERT_TRUE(again.ok()) << again.status().message();
            ASSERT_EQ(again->layers.size(), t->layers.size());
            for (const auto& [name, e] : t->layers) {
                EXPECT_EQ(again->layers.at(name).weight_scales, e.weight_scales) << name;
                EXPECT_EQ(again->layers.at(name).input, e.input) << name;
            }
        }
    }
}

}  // namespace

}  // namespace fw::test
