// Files that users hand to the commands: lists, labels, .npy arrays, pictures, option values.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "common/file.h"
#include "common/image_file.h"
#include "common/net_options.h"
#include "common/npy.h"
#include "common/preprocess_options.h"
#include "metrics/truth.h"
#include "metrics/truth_boxes.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

class CommonFiles : public test::TempFolderTest {};

TEST_F(CommonFiles, NpyRoundTrip) {
    Mat mat = Mat::create(Shape(2, 3, 4)).value();
    for (int64_t i = 0; i < mat.count(); ++i) {
        mat.data()[i] = static_cast<float>(i) * 0.25F - 1.0F;
    }
    const std::string path = folder_ + "/a.npy";
    ASSERT_TRUE(write_npy(path, mat).ok());
    const Result<Mat> back = read_npy(path);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(back->shape(), mat.shape());
    EXPECT_EQ(0, std::memcmp(back->data(), mat.data(), mat.bytes()));
}

TEST_F(CommonFiles, ListsKeepLabelsSpacesAndRelativePaths) {
    const Result<std::vector<ListedImage>> list =
        list_images(write("list.txt", "# comment\na b.jpg 7\r\n\nsub/c.png\n/abs/d.jpg\t0\n"));
    ASSERT_TRUE(list.ok()) << list.status().message();
    ASSERT_EQ(list->size(), 3U);
    EXPECT_EQ((*list)[0].path, folder_ + "/a b.jpg");
    EXPECT_EQ((*list)[0].label, 7);
    EXPECT_EQ((*list)[1].path, folder_ + "/sub/c.png");
    EXPECT_EQ((*list)[1].label, -1);
    EXPECT_EQ((*list)[2].path, "/abs/d.jpg");
}

TEST_F(CommonFiles, AByteOrderMarkIsNoPartOfTheText) {
    const std::string path = write("list.txt",
                                   "\xef\xbb\xbf"
                                   "a.jpg 7\r\n");
    EXPECT_EQ(list_images(path)->at(0).path, folder_ + "/a.jpg");
    EXPECT_EQ(read_labels(path)->at(0), "a.jpg 7");
}

TEST_F(CommonFiles, OutputsAreNoInputsUnderAnyName) {
    const std::string in = write("sub/in", "x");
    std::filesystem::create_symlink(in, folder_ + "/link");
    std::filesystem::create_hard_link(in, folder_ + "/hard");
    for (const std::string& out : {in, folder_ + "/./sub/../sub/in", folder_ + "/link", folder_ + "/hard"}) {
        EXPECT_FALSE(check_distinct({out}, {in}).ok()) << out;
        EXPECT_FALSE(check_distinct({folder_ + "/new", out, in}, {}).ok()) << out;
    }
    EXPECT_FALSE(check_distinct({folder_ + "/new", folder_ + "/sub/../new"}, {in}).ok());
    EXPECT_TRUE(check_distinct({folder_ + "/in", folder_ + "/new"}, {in}).ok());
    EXPECT_TRUE(check_distinct({"/dev/null", "/dev/null"}, {"/dev/null"}).ok());
}

TEST_F(CommonFiles, FoldersAreSearchedRecursively) {
    write("z.JPG", "x");
    write("sub/a.png", "x");
    write("sub/readme.txt", "x");
    const Result<std::vector<ListedImage>> list = list_images(folder_);
    ASSERT_TRUE(list.ok());
    ASSERT_EQ(list->size(), 2U);
    EXPECT_EQ((*list)[0].path, folder_ + "/sub/a.png");
}

TEST_F(CommonFiles, EmptyListsAndFoldersAreErrors) {
    EXPECT_FALSE(list_images(write("empty.txt", "\n# nothing\n")).ok());
    std::filesystem::create_directories(folder_ + "/none");
    EXPECT_FALSE(list_images(folder_ + "/none").ok());
    EXPECT_FALSE(list_images(folder_ + "/absent").ok());
    EXPECT_FALSE(list_images(write("binary.txt", std::string("a\0b", 3))).ok());
    EXPECT_FALSE(list_images(write("label.txt", "a.jpg -3\n")).ok());
}

TEST_F(CommonFiles, PicturesThatCannotBeReadAreNamed) {
    const Result<DecodedImage> image = DecodedImage::load(write("bad.jpg", "not a jpeg"));
    ASSERT_FALSE(image.ok());
    EXPECT_NE(std::string(image.status().message()).find("bad.jpg"), std::string::npos);
}

TEST_F(CommonFiles, PngRoundTrip) {
    std::vector<uint8_t> pixels(5 * 4 * 3);
    for (size_t i = 0; i < pixels.size(); ++i) {
        pixels[i] = static_cast<uint8_t>(i * 37);
    }
    ASSERT_TRUE(write_png(folder_ + "/p.png", pixels.data(), 5, 4).ok());
    const Result<DecodedImage> image = DecodedImage::load(folder_ + "/p.png");
    ASSERT_TRUE(image.ok()) << image.status().message();
    EXPECT_EQ(image->view().width, 5);
    EXPECT_EQ(image->view().height, 4);
    EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), image->view().data));
}

TEST_F(CommonFiles, LabelsMatchByPathThenByName) {
    std::vector<ListedImage> images = {{"/elsewhere/x.jpg", -1}, {folder_ + "/y.jpg", -1}, {"/none.jpg", -1}};
    ASSERT_TRUE(read_label_file(write("l.txt", "x.jpg 3\ny.jpg 4\n"), &images).ok());
    EXPECT_EQ(images[0].label, 3);
    EXPECT_EQ(images[1].label, 4);
    EXPECT_EQ(images[2].label, -1);
    // The same name in two folders: the path decides, the name alone says nothing.
    ASSERT_TRUE(read_label_file(write("l.txt", "one/x.jpg 3\ntwo/x.jpg 5\ny.jpg 4\n"), &images).ok());
    EXPECT_EQ(images[0].label, -1);
    EXPECT_FALSE(read_label_file(write("l.txt", "x.jpg\n"), &images).ok());
    EXPECT_FALSE(read_label_file(write("l.txt", "other.jpg 1\n"), &images).ok());
}

TEST_F(CommonFiles, CocoBoxesAreFractions) {
    const auto coco = read_coco(write("c.json",
                                      R"({"images":[{"id":1,"file_name":"a.jpg","width":200,"height":100}],
                                          "annotations":[{"image_id":1,"bbox":[20,10,100,50],"category_id":5,"iscrowd":0}]})"));
    ASSERT_TRUE(coco.ok()) << coco.status().message();
    const TrueBox& truth = coco->at("a.jpg").boxes.at(0);
    EXPECT_EQ(truth.box.label, 5);
    EXPECT_DOUBLE_EQ(truth.box.xmin, 0.1);
    EXPECT_DOUBLE_EQ(truth.box.ymax, 0.6);
    EXPECT_FALSE(read_coco(write("c.json", "{")).ok());
    EXPECT_FALSE(
        read_coco(write("c.json", R"({"images":[],"annotations":[{"image_id":3,"bbox":[0,0,1,1],"category_id":1}]})"))
            .ok());
    EXPECT_FALSE(
        read_coco(write("c.json", R"({"images":[{"id":1,"file_name":"a","width":0,"height":1}],"annotations":[]})"))
            .ok());
    // Values that no int holds, lengths that no image has, ids and names that are there twice.
    const char* const kBad[] = {
        R"({"images":[{"id":1e300,"file_name":"a","width":1,"height":1}],"annotations":[]})",
        R"({"images":[{"id":1.5,"file_name":"a","width":1,"height":1}],"annotations":[]})",
        R"({"images":[{"id":1,"file_name":"a","width":1e-300,"height":1}],"annotations":[]})",
        R"({"images":[{"id":1,"file_name":"a","width":1,"height":1},{"id":1,"file_name":"b","width":1,"height":1}],"annotations":[]})",
        R"({"images":[{"id":1,"file_name":"x/a","width":1,"height":1},{"id":2,"file_name":"y/a","width":1,"height":1}],"annotations":[]})",
        R"({"images":[{"id":1,"file_name":"a","width":1,"height":1}],"annotations":[{"image_id":1,"bbox":[0,0,1,1e300],"category_id":1}]})",
        R"({"images":[{"id":1,"file_name":"a","width":1,"height":1}],"annotations":[{"image_id":1,"bbox":[0,0,1,1],"category_id":9999999999}]})",
        R"({"images":[{"id":1,"file_name":"a","width":1,"height":1}],"annotations":[{"image_id":1,"bbox":[0,0],"category_id":1}]})",
    };
    for (const char* bad : kBad) {
        EXPECT_FALSE(read_coco(write("c.json", bad)).ok()) << bad;
    }
}

TEST(PreprocessOptions, OverrideAndCheck) {
    PreprocessOptions options;
    options.mean = "104,117,123";
    options.size = "227x220";
    const Result<Preprocess> result = apply_preprocess_options(options, {});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->pixel, Pixel::kBgr);
    EXPECT_EQ(result->width, 227);
    EXPECT_EQ(result->height, 220);
    EXPECT_EQ(result->mean, (std::vector<float>{104, 117, 123}));
    for (const char* bad : {"1,2", "a", "1,,2", "inf", "1 2", ""}) {
        if (*bad != '\0') {
            options.mean = bad;
            EXPECT_FALSE(apply_preprocess_options(options, {}).ok()) << bad;
        }
    }
    options.mean.clear();
    for (const char* bad : {"227", "0x5", "5x-1", "5x5x", "99999x1"}) {
        options.size = bad;
        EXPECT_FALSE(apply_preprocess_options(options, {}).ok()) << bad;
    }
    options.size.clear();
    options.pixel = "xyz";
    EXPECT_FALSE(apply_preprocess_options(options, {}).ok());
}

TEST(TopK, OrderTiesAndBounds) {
    const float values[] = {0.5F, NAN, 0.9F, 0.5F, -1.0F};
    EXPECT_EQ(top_k(values, 5, 3), (std::vector<int>{2, 0, 3}));
    EXPECT_EQ(top_k(values, 5, 99).size(), 5U);
    EXPECT_EQ(top_k(values, 5, 5).back(), 1);
}

}  // namespace
}  // namespace fw::tools
