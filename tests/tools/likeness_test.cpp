#include "calibrate/likeness.h"

#include <gtest/gtest.h>

#include "common/npy.h"
#include "support/net_files.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

class LikenessTest : public test::TempFolderTest {};

// A map of channels is an answer for each pixel where the task says so, else no answer that could agree.
TEST_F(LikenessTest, PixelsOfASegmenterAgree) {
    test::Random random(3);
    test::NetFiles files;
    files.layer("Input data 0 1 data 0=6 1=6 2=3")
        .layer("Convolution a 1 1 data a 0=4 1=1 5=1 6=12")
        .tagged(random.floats(12))
        .raw(random.floats(4));
    NetOptions options;
    options.param = write("net.param", files.param());
    options.bin = write("net.bin", {files.bin().begin(), files.bin().end()});
    ImageSet set;
    set.inputs = {"data"};
    set.quiet = true;
    set.images.push_back({folder_ + "/0.npy"});
    ASSERT_TRUE(write_npy(set.images[0].path, random.mat(Shape(3, 6, 6))).ok());
    const Result<Comparison> classes = Comparison::create(options, set);
    ASSERT_TRUE(classes.ok());
    EXPECT_FALSE(classes->can_agree());
    const Result<Comparison> pixels = Comparison::create(options, set, {Task::kSegment, ""});
    ASSERT_TRUE(pixels.ok());
    EXPECT_TRUE(pixels->can_agree());
    // A classifier has no pixels to compare.
    files.layer("Pooling p 1 1 a p 0=1 4=1");
    options.param = write("classes.param", files.param());
    const Result<Comparison> none = Comparison::create(options, set, {Task::kSegment, ""});
    ASSERT_FALSE(none.ok());
    EXPECT_STREQ(none.status().message(), "--task segment: 'p' has one score a class, not one for every pixel");
    const Result<Likeness> coarse = [&] {
        ScaleTable table;
        table.blobs["data"] = {2.0F, 0};  // three levels in [-1, 1]
        table.layers["a"].input = table.blobs["data"];
        table.layers["a"].weight_scales = {100.0F, 100.0F, 100.0F, 100.0F};
        return pixels->compare(table, "coarse");
    }();
    ASSERT_TRUE(coarse.ok()) << coarse.status().message();
    EXPECT_LT(coarse->agreement, 100.0);
    EXPECT_GT(coarse->agreement, 25.0);
}

}  // namespace
}  // namespace fw::tools
