#include "calibrate/diagnosis.h"

#include <gtest/gtest.h>

#include "calibrate/make_table.h"
#include "common/npy.h"
#include "model/model_io.h"
#include "support/net_files.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

class DiagnosisTest : public test::TempFolderTest {};

// A convolution that could apply a function by table, one that could add a residual and one that could pool its input:
// the blobs in between are compared all the same.
TEST_F(DiagnosisTest, EveryLayerIsCompared) {
    test::Random random(5);
    test::NetFiles files;
    files.layer("Input data 0 1 data 0=6 1=6 2=4")
        .layer("Convolution a 1 1 data a 0=8 1=1 5=1 6=32")
        .tagged(random.floats(32))
        .raw(random.floats(8))
        .layer("TanH h 1 1 a h")
        .layer("Split s 1 2 h h1 h2")
        .layer("Convolution b 1 1 h1 b 0=8 1=1 5=1 6=64")
        .tagged(random.floats(64))
        .raw(random.floats(8))
        .layer("Eltwise sum 2 1 b h2 sum 0=1")
        .layer("Pooling pool 1 1 sum pool 0=1 4=1")
        .layer("Convolution c 1 1 pool c 0=8 1=1 5=1 6=64")
        .tagged(random.floats(64))
        .raw(random.floats(8));
    NetOptions options;
    options.param = write("net.param", files.param());
    options.bin = write("net.bin", {files.bin().begin(), files.bin().end()});
    ImageSet set;
    set.quiet = true;
    for (int i = 0; i < 3; ++i) {
        set.images.push_back({folder_ + "/" + std::to_string(i) + ".npy"});
        ASSERT_TRUE(write_npy(set.images.back().path, random.mat(Shape(4, 6, 6))).ok());
    }
    Net net;
    ASSERT_TRUE(load_net(options, false, &net).ok());
    set.inputs = net.input_names();
    const Result<NetDef> def = load_net_def(options.param.c_str(), options.bin.c_str());
    ASSERT_TRUE(def.ok());
    const Result<Statistics> statistics = collect_statistics(net, set);
    ASSERT_TRUE(statistics.ok()) << statistics.status().message();
    std::vector<std::string> notes;
    const Result<ScaleTable> table = make_table(*def, *statistics, {}, {}, {}, &notes);
    ASSERT_TRUE(table.ok()) << table.status().message();
    const Result<Diagnosis> diagnosis = diagnose(options, *def, net, set, *statistics, *table);
    ASSERT_TRUE(diagnosis.ok()) << diagnosis.status().message();
    int int8 = 0;
    for (const LayerDiagnosis& layer : diagnosis->layers) {
        EXPECT_TRUE(layer.sqnr_db.has_value()) << layer.name;
        EXPECT_TRUE(layer.cosine.has_value()) << layer.name;
        int8 += layer.precision == "int8" ? 1 : 0;
    }
    EXPECT_EQ(int8, 6);
    EXPECT_EQ(diagnosis->worst.size(), 3U);

    // Three images of 6 x 6 are too few for kl.
    EXPECT_TRUE(notes.empty());
    TableOptions options_of_tool;
    options_of_tool.threshold.least_for_kl = kEnoughForKl;
    const Result<ScaleTable> wide = make_table(*def, *statistics, {}, {}, options_of_tool, &notes);
    TableOptions minmax;
    minmax.threshold.method = ThresholdMethod::kMinMax;
    std::vector<std::string> none;
    const Result<ScaleTable> want = make_table(*def, *statistics, {}, {}, minmax, &none);
    ASSERT_TRUE(wide.ok() && want.ok());
    EXPECT_EQ(wide->blobs, want->blobs);
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_EQ(notes[0].find("kl: "), 0U) << notes[0];
    EXPECT_NE(notes[0].find("their range is that of minmax"), std::string::npos) << notes[0];
    EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace fw::tools
