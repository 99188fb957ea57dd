// Label files: what they mean, and what is said about damaged ones.
#include "metrics/truth.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/image_file.h"
#include "metrics/palette.h"
#include "metrics/segment.h"
#include "metrics/truth_boxes.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

class Truth : public test::TempFolderTest {
protected:
    /// An image of that size in the temporary folder.
    std::string image(const std::string& name, int width, int height) {
        const std::vector<uint8_t> pixels(static_cast<size_t>(width) * static_cast<size_t>(height) * 3, 9);
        const std::string path = folder_ + "/" + name;
        EXPECT_TRUE(write_png(path, pixels.data(), width, height).ok());
        return path;
    }
    std::string gray(const std::string& name, int width, int height, const std::string& levels) {
        return write(name, "P5\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" + levels);
    }
};

TEST_F(Truth, BoxListIsInPixelsOfTheImage) {
    const std::string list = write("boxes.txt",
                                   "# file label xmin ymin xmax ymax\n"
                                   "my image.png 3 10 5 110 55 difficult\n"
                                   "  my image.png 1 0 0 200 100.5\t crowd\r\n"
                                   "sub/empty.png\n");
    const std::vector<ListedImage> images = {{image("my image.png", 200, 100)}, {image("empty.png", 8, 8)}};
    const auto truths = read_truth(Task::kDetect, list, images);
    ASSERT_TRUE(truths.ok()) << truths.status().message();
    const ImageTruth& first = truths->at(0);
    EXPECT_TRUE(first.known);
    EXPECT_EQ(first.width, 200);
    EXPECT_EQ(first.height, 100);
    ASSERT_EQ(first.boxes.size(), 2U);
    EXPECT_EQ(first.boxes[0].box.label, 3);
    EXPECT_DOUBLE_EQ(first.boxes[0].box.xmin, 0.05);
    EXPECT_DOUBLE_EQ(first.boxes[0].box.ymin, 0.05);
    EXPECT_DOUBLE_EQ(first.boxes[0].box.xmax, 0.55);
    EXPECT_DOUBLE_EQ(first.boxes[0].box.ymax, 0.55);
    EXPECT_TRUE(first.boxes[0].difficult);
    EXPECT_FALSE(first.boxes[0].crowd);
    EXPECT_TRUE(first.boxes[1].crowd);
    EXPECT_DOUBLE_EQ(first.boxes[1].box.ymax, 1.005);
    EXPECT_TRUE(truths->at(1).known);
    EXPECT_TRUE(truths->at(1).boxes.empty());
}

TEST_F(Truth, DamagedBoxListsNameTheLine) {
    const std::pair<const char*, const char*> kBad[] = {
        {"a.png 1 2 3 x 5\n", "l.txt:1: 'x' is no number of pixels"},
        {"a.png\n\na.png 1 2 3 4\n", "l.txt:3: label 'a.png'"},
        {"a.png 1.5 2 3 4 5\n", "l.txt:1: label '1.5'"},
        {"a.png -1 2 3 4 5\n", "l.txt:1: label '-1'"},
        {"a.png 1 5 3 4 6\n", "l.txt:1: the box 5,3 to 4,6 has no area"},
        {"a.png 1 nan 3 4 6\n", "l.txt:1: 'nan'"},
        {"a.png 1 2 3 4 1e9\n", "l.txt:1: '1e9'"},
        {"1 2 3 4 5\n", "l.txt:1: no file name"},
        {"a.png 1 2 3 4 5 hard\n", "l.txt:1: 'hard'"},
        {"# nothing\n", "l.txt: no line with a box"},
        {"one/a.png 1 2 3 4 5\ntwo/a.png 1 2 3 4 5\n", "l.txt:2: two images are named 'a.png'"},
        {"a\n", "l.txt:1: 'a'"},
    };
    for (const auto& [text, message] : kBad) {
        const auto boxes = read_box_list(write("l.txt", text));
        ASSERT_FALSE(boxes.ok()) << text;
        EXPECT_NE(std::string(boxes.status().message()).find(message), std::string::npos) << boxes.status().message();
    }
}

TEST_F(Truth, CocoKnowsAreasAndIgnoredBoxes) {
    const std::string json = write("c.json", R"({"images":[{"id":7,"file_name":"a.png","width":200,"height":100}],
        "annotations":[{"image_id":7,"bbox":[20,10,100,50],"category_id":5,"area":77.5,"iscrowd":1},
                       {"image_id":7,"bbox":[0,0,1,1],"category_id":5,"ignore":1}]})");
    const auto truths = read_truth(Task::kDetect, json, {{"/x/a.png"}});
    ASSERT_TRUE(truths.ok()) << truths.status().message();
    const ImageTruth& truth = truths->at(0);
    EXPECT_EQ(truth.width, 200);
    EXPECT_EQ(truth.boxes[0].area, 77.5);
    EXPECT_TRUE(truth.boxes[0].crowd);
    EXPECT_FALSE(truth.boxes[0].difficult);
    EXPECT_TRUE(truth.boxes[1].difficult);
    const auto other = read_truth(Task::kDetect, json, {{"/x/b.png"}});
    ASSERT_FALSE(other.ok());
    EXPECT_NE(std::string(other.status().message()).find("does not list /x/b.png"), std::string::npos);
}

TEST_F(Truth, DamagedCocoFilesNameThePlace) {
    const std::pair<const char*, const char*> kBad[] = {
        {"{\"images\": [\n\n}", "line 3"},
        {R"({"images":[{"id":1,"file_name":"a","width":1}],"annotations":[]})", "images[0]"},
        {R"({"images":[{"id":1,"file_name":"a","width":9,"height":9}],"annotations":[
            {"image_id":1,"bbox":[0,0,1,1],"category_id":1},{"image_id":2,"bbox":[0,0,1,1],"category_id":1}]})",
         "annotations[1]: image_id 2"},
        {R"({"images":[{"id":1,"file_name":"a","width":9,"height":9}],"annotations":[
            {"image_id":1,"bbox":[0,0,1,1],"category_id":1,"area":-3}]})",
         "annotations[0]: area is -3"},
    };
    for (const auto& [text, message] : kBad) {
        const auto boxes = read_coco(write("c.json", text));
        ASSERT_FALSE(boxes.ok()) << text;
        const std::string said = boxes.status().message();
        EXPECT_NE(said.find("c.json"), std::string::npos) << said;
        EXPECT_NE(said.find(message), std::string::npos) << said;
        EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    }
}

TEST_F(Truth, ClassLabelsNameTheLine) {
    const auto truths = read_truth(Task::kClassify, write("l.txt", "a.png 4\n\nb.png\n"), {{"a.png"}});
    ASSERT_FALSE(truths.ok());
    EXPECT_NE(std::string(truths.status().message()).find("l.txt:3: 'b.png' has no label"), std::string::npos);
    const auto own = read_truth(Task::kClassify, "", {{"a.png", 4}, {"b.png", -1}});
    ASSERT_TRUE(own.ok());
    EXPECT_EQ(own->at(0).label, 4);
    EXPECT_FALSE(own->at(1).known);
}

TEST_F(Truth, ClassesAreFolders) {
    const std::string root = folder_ + "/set";
    std::vector<ListedImage> images;
    for (const char* place : {"cat/a.png", "dog/deep/a.png", "ant/b.png"}) {
        std::filesystem::create_directories(std::filesystem::path(root + "/" + place).parent_path());
        images.push_back({image("set/" + std::string(place), 2, 2)});
    }
    images.push_back({image("elsewhere.png", 2, 2)});
    const auto labels = [&](const std::string& path) {
        std::vector<int> out;
        const auto truths = read_truth(Task::kClassify, path, images);
        EXPECT_TRUE(truths.ok()) << truths.status().message();
        for (size_t i = 0; truths.ok() && i < truths->size(); ++i) {
            EXPECT_EQ(truths->at(i).known, truths->at(i).label >= 0);
            out.push_back(truths->at(i).label);
        }
        return out;
    };
    EXPECT_EQ(labels(root), (std::vector<int>{1, 2, 0, -1}));
    EXPECT_EQ(labels(root + "/../set/"), (std::vector<int>{1, 2, 0, -1}));
    for (const auto& [from, to] : {std::make_pair("cat", "281"), {"dog", "7"}, {"ant", "010"}}) {
        std::filesystem::rename(root + "/" + from, root + "/" + to);
    }
    images = {{root + "/281/a.png"}, {root + "/7/deep/a.png"}, {root + "/010/b.png"}};
    EXPECT_EQ(labels(root), (std::vector<int>{281, 7, 10}));
    images = {{folder_ + "/elsewhere.png"}};
    EXPECT_NE(std::string(read_truth(Task::kClassify, root, images).status().message()).find("labels none"),
              std::string::npos);
    EXPECT_NE(
        std::string(read_truth(Task::kClassify, root + "/7/deep", images).status().message()).find("one for each"),
        std::string::npos);
}

TEST_F(Truth, MasksOfAFolderAndOfAList) {
    gray("masks/a.pgm", 2, 1, std::string("\x01\xff", 2));
    const std::vector<ListedImage> images = {{"/x/a.jpg"}, {"/x/b.jpg"}};
    const auto of_folder = read_truth(Task::kSegment, folder_ + "/masks", images);
    ASSERT_TRUE(of_folder.ok()) << of_folder.status().message();
    EXPECT_TRUE(of_folder->at(0).known);
    EXPECT_FALSE(of_folder->at(1).known);
    const auto of_list = read_truth(Task::kSegment, write("l.txt", "a.jpg masks/a.pgm\n"), images);
    ASSERT_TRUE(of_list.ok()) << of_list.status().message();
    EXPECT_EQ(of_list->at(0).mask, folder_ + "/masks/a.pgm");
    for (const char* bad : {"# x\na.jpg none.png\n", "#\na.jpg\n", "\na.jpg b.png c.png\n"}) {
        const auto failed = read_truth(Task::kSegment, write("l.txt", bad), images);
        ASSERT_FALSE(failed.ok()) << bad;
        EXPECT_NE(std::string(failed.status().message()).find("l.txt:2: "), std::string::npos)
            << failed.status().message();
    }
    EXPECT_FALSE(read_truth(Task::kSegment, write("l.txt", "z.jpg masks/a.pgm\n"), images).ok());
    write("masks/a.png", "x");
    EXPECT_FALSE(read_truth(Task::kSegment, folder_ + "/masks", images).ok());  // two masks of one image
}

TEST_F(Truth, MasksAreIndicesLevelsOrColors) {
    EXPECT_EQ(read_mask(gray("g.pgm", 3, 1, std::string("\x00\x05\xff", 3)))->labels,
              (std::vector<uint8_t>{0, 5, 255}));
    const std::string head = "P6\n2 1\n255\n";
    const auto voc = read_mask(write("voc.ppm", head + std::string("\x80\x80\x00\xe0\xe0\xc0", 6)));
    ASSERT_TRUE(voc.ok()) << voc.status().message();
    EXPECT_EQ(voc->labels, (std::vector<uint8_t>{3, 255}));  // bird, void
    EXPECT_EQ(read_mask(write("eq.ppm", head + std::string("\x02\x02\x02\x09\x09\x09", 6)))->labels,
              (std::vector<uint8_t>{2, 9}));
    const auto bad = read_mask(write("bad.ppm", head + std::string("\x80\x80\x00\x01\x02\x03", 6)));
    ASSERT_FALSE(bad.ok());
    EXPECT_NE(std::string(bad.status().message()).find("bad.ppm: pixel 1,0 has the colour 1,2,3"), std::string::npos);
    // An indexed PNG of 2 bits a pixel with colours that are nobody's, and transparency: [0 1 2 3] x [3 2 1 0].
    const unsigned char kIndexed[] = {
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
        0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x02, 0x02, 0x03, 0x00, 0x00, 0x00, 0x02, 0xc6, 0x95,
        0xf0, 0x00, 0x00, 0x00, 0x0c, 0x50, 0x4c, 0x54, 0x45, 0x09, 0x08, 0x07, 0xc8, 0x01, 0x02, 0x03,
        0x63, 0x04, 0x32, 0x3c, 0x46, 0xb4, 0xb2, 0x03, 0x1c, 0x00, 0x00, 0x00, 0x04, 0x74, 0x52, 0x4e,
        0x53, 0x00, 0xff, 0x80, 0x07, 0xa8, 0xec, 0x5f, 0x9f, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41,
        0x54, 0x78, 0x9c, 0x63, 0x90, 0x66, 0x78, 0x02, 0x00, 0x01, 0x39, 0x01, 0x00, 0x45, 0x64, 0x91,
        0x9b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
    const auto indexed =
        read_mask(write("i.png", std::string(reinterpret_cast<const char*>(kIndexed), sizeof kIndexed)));
    ASSERT_TRUE(indexed.ok()) << indexed.status().message();
    EXPECT_EQ(indexed->labels, (std::vector<uint8_t>{0, 1, 2, 3, 3, 2, 1, 0}));
}

TEST(Palette, HasVocsColorsAndGoesBothWays) {
    EXPECT_EQ(voc_color(0), (std::array<uint8_t, 3>{0, 0, 0}));
    EXPECT_EQ(voc_color(1), (std::array<uint8_t, 3>{128, 0, 0}));
    EXPECT_EQ(voc_color(15), (std::array<uint8_t, 3>{192, 128, 128}));  // person
    EXPECT_EQ(voc_color(255), (std::array<uint8_t, 3>{224, 224, 192}));
    for (int label = 0; label < 256; ++label) {
        const auto color = voc_color(label);
        EXPECT_EQ(voc_label(color[0], color[1], color[2]), label);
    }
    EXPECT_EQ(voc_label(1, 0, 0), -1);
}

TEST_F(Truth, ImageSizeReadsHeadersOnly) {
    const auto size = image_size(image("s.png", 31, 17));
    ASSERT_TRUE(size.ok());
    EXPECT_EQ(size->width, 31);
    EXPECT_EQ(size->height, 17);
    EXPECT_FALSE(image_size(write("x.png", "no image")).ok());
    EXPECT_FALSE(image_size(folder_ + "/none.jpg").ok());
}

}  // namespace
}  // namespace fw::tools
