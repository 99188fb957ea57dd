// Damaged images, lists, labels and annotations: an error or a result each time, never a crash, a hang or memory out of
// proportion. Run under the sanitizers as well.
#include <sys/resource.h>

#include <chrono>

#include "common/file.h"
#include "common/image_file.h"
#include "common/net_options.h"
#include "common/npy.h"
#include "common/png.h"
#include "metrics/segment.h"
#include "metrics/truth.h"
#include "metrics/truth_boxes.h"
#include "support/mutate.h"
#include "support/source_dir.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

constexpr int kMutants = 1000;
constexpr int64_t kMostGrowth = int64_t{512} << 20;

std::string demo(const std::string& name) {
    return read_text_file(std::string(FW_SOURCE_DIR) + "/examples/demo/" + name).value();
}

int64_t peak_memory() {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return int64_t{usage.ru_maxrss} * 1024;
}

class DamagedFile : public test::TempFolderTest {
protected:
    /// Hands mutants of `good` as files to `read`; some must be refused, with a short message that names the file.
    template <class Read>
    void run(const std::string& good, bool text, const Read& read) {
        const Status unharmed = read(write("good", good));
        ASSERT_TRUE(unharmed.ok()) << unharmed.message();
        test::Mutator mutator(1);
        const int64_t memory = peak_memory();
        const auto begin = std::chrono::steady_clock::now();
        int refused = 0;
        for (int i = 0; i < kMutants; ++i) {
            const Status status = read(write("bad", mutator.mutate(good, text)));
            if (!status.ok()) {
                ++refused;
                EXPECT_NE(std::string(status.message()).find("bad"), std::string::npos) << status.message();
                EXPECT_LT(std::string(status.message()).size(), 600U);
            }
        }
        EXPECT_GT(refused, kMutants / 20);
        EXPECT_LT(refused, kMutants);
        EXPECT_LT(peak_memory() - memory, kMostGrowth);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
    }
};

// Every byte is looked at: the sanitizers see whether all of them are there.
Status read_image(const std::string& path) {
    const Result<DecodedImage> image = DecodedImage::load(path);
    if (!image.ok()) {
        return image.status();
    }
    const Image& view = image->view();
    EXPECT_GE(view.stride, view.width);
    const Result<Mat> mat = mat_from_image(view, Preprocess{Pixel::kRgb, 16, 16, {}, {}});
    EXPECT_TRUE(mat.ok()) << mat.status().message();
    int64_t sum = 0;
    for (int64_t i = 0; i < int64_t{view.stride} * view.height; ++i) {
        sum += view.data[i];
    }
    EXPECT_GE(sum, 0);
    return {};
}

// `png` with the checksums that its chunks should have, so that damage reaches the decoder.
std::string with_checksums(std::string png) {
    update_checksums({reinterpret_cast<uint8_t*>(png.data()), png.size()});
    return png;
}

TEST_F(DamagedFile, MaskWithoutAHeader) {
    EXPECT_FALSE(
        read_mask(write("mask.png", with_checksums(std::string("\x89PNG\r\n\x1a\n\0\0\0\0IEND1234", 20)))).ok());
}

TEST_F(DamagedFile, Png) {
    run(demo("classifier/test/00_R.png"), false, [&](const std::string& path) {
        return read_image(write("bad_decoded", with_checksums(read_text_file(path).value())));
    });
}

TEST_F(DamagedFile, Jpeg) {
    run(demo("classifier/calib/00_0.jpg"), false, read_image);
}

// Damage to the first bytes, where all sizes are.
TEST_F(DamagedFile, HeadersOfImages) {
    for (const char* name : {"classifier/test/00_R.png", "classifier/calib/00_0.jpg"}) {
        const std::string good = demo(name);
        const size_t head = 256;
        run(good.substr(0, head), false, [&](const std::string& path) {
            const std::string whole = read_text_file(path).value() + good.substr(head);
            return read_image(write("bad_whole", looks_like_png(bytes_of(whole)) ? with_checksums(whole) : whole));
        });
    }
}

TEST_F(DamagedFile, OtherImages) {
    std::string bmp = std::string("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0", 30);
    bmp += std::string(24, '\0') + std::string(16, '\x55');
    run(bmp, false, read_image);
    run("P6\n4 3\n255\n" + std::string(36, 'p'), false, read_image);
    const std::string gif(
        "GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\x02\0\x02\0\0\x02\x03\x44\x02\x05\0\x3b", 35);
    run(gif, false, read_image);
}

TEST_F(DamagedFile, Npy) {
    Mat mat = Mat::create(Shape(3, 4)).value();
    std::fill_n(mat.data(), mat.count(), 1.5F);
    ASSERT_TRUE(write_npy(folder_ + "/a.npy", mat).ok());
    run(read_text_file(folder_ + "/a.npy").value(), false,
        [](const std::string& path) { return read_npy(path).status(); });
}

TEST_F(DamagedFile, List) {
    run("# images\nsub/a b.jpg 7\nc.png\t12\r\n\n/abs/d.jpg 999\ne.jpg\n", true, [](const std::string& path) {
        const Result<std::vector<ListedImage>> list = list_images(path);
        if (list.ok()) {
            EXPECT_FALSE(list->empty());
            for (const ListedImage& image : *list) {
                EXPECT_FALSE(image.path.empty());
                EXPECT_GE(image.label, -1);
            }
        }
        return list.status();
    });
}

TEST_F(DamagedFile, LabelsOfImages) {
    run("one/a.jpg 3\ntwo/a.jpg 4\nb c.jpg 5\nd.jpg 0\n", true, [&](const std::string& path) {
        std::vector<ListedImage> images = {{folder_ + "/one/a.jpg", -1}, {"/x/b c.jpg", -1}, {"d.jpg", -1}};
        return read_label_file(path, &images);
    });
}

TEST_F(DamagedFile, BoxesInALine) {
    run("# boxes\na.jpg 3 10 20.5 110 220\nsub/b c.jpg 1 0 0 5 5.25 difficult\nd.png\n", true,
        [](const std::string& path) {
            const auto list = read_box_list(path);
            if (list.ok()) {
                for (const auto& [name, image] : *list) {
                    for (const TrueBox& truth : image.boxes) {
                        EXPECT_TRUE(std::isfinite(intersection_over_union(truth.box, truth.box))) << name;
                    }
                }
            }
            return list.status();
        });
}

// An indexed PNG, whose kind is changed before it is decoded: 2 bits a pixel, with transparency.
TEST_F(DamagedFile, Mask) {
    const unsigned char indexed[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
                                     0x44, 0x52, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x02, 0x02, 0x03, 0x00, 0x00,
                                     0x00, 0x02, 0xc6, 0x95, 0xf0, 0x00, 0x00, 0x00, 0x0c, 0x50, 0x4c, 0x54, 0x45, 0x09,
                                     0x08, 0x07, 0xc8, 0x01, 0x02, 0x03, 0x63, 0x04, 0x32, 0x3c, 0x46, 0xb4, 0xb2, 0x03,
                                     0x1c, 0x00, 0x00, 0x00, 0x04, 0x74, 0x52, 0x4e, 0x53, 0x00, 0xff, 0x80, 0x07, 0xa8,
                                     0xec, 0x5f, 0x9f, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63,
                                     0x90, 0x66, 0x78, 0x02, 0x00, 0x01, 0x39, 0x01, 0x00, 0x45, 0x64, 0x91, 0x9b, 0x00,
                                     0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
    run(std::string(reinterpret_cast<const char*>(indexed), sizeof indexed), false, [&](const std::string& path) {
        const Result<LabelMap> mask = read_mask(write("bad_decoded", with_checksums(read_text_file(path).value())));
        if (mask.ok()) {
            EXPECT_EQ(mask->labels.size(), static_cast<size_t>(mask->width) * static_cast<size_t>(mask->height));
        }
        return mask.status();
    });
}

TEST_F(DamagedFile, NamesOfClasses) {
    // Any text is a list of names; a file without one and binary data are refused.
    test::Mutator mutator(1);
    const std::string good = "tench\ngoldfish, Carassius auratus\r\n\nwhite shark\n";
    for (int i = 0; i < kMutants; ++i) {
        const std::string text = mutator.mutate(good, true);
        const Result<std::vector<std::string>> labels = read_labels(write("bad", text));
        const bool names = text.find_first_not_of("\r\n") != std::string::npos;
        EXPECT_EQ(labels.ok(), names && text.find('\0') == std::string::npos) << text;
        if (labels.ok()) {
            EXPECT_FALSE(labels->back().empty());
        }
    }
}

TEST_F(DamagedFile, Coco) {
    run(R"({
  "images": [
    {"id": 1, "file_name": "a.jpg", "width": 200, "height": 100},
    {"id": 22, "file_name": "sub/b.jpg", "width": 640, "height": 427.5}
  ],
  "annotations": [
    {"image_id": 1, "bbox": [20, 10, 100, 50], "category_id": 5, "iscrowd": 0},
    {"image_id": 22, "bbox": [0.5, 1e1, 33.25, 7], "category_id": 90, "iscrowd": 1},
    {"image_id": 22, "bbox": [1, 2, 3, 4], "category_id": 1}
  ]
})",
        true, [](const std::string& path) {
            const auto coco = read_coco(path);
            if (coco.ok()) {
                for (const auto& [name, image] : *coco) {
                    for (const TrueBox& truth : image.boxes) {
                        EXPECT_TRUE(std::isfinite(intersection_over_union(truth.box, truth.box))) << name;
                    }
                }
            }
            return coco.status();
        });
}

}  // namespace
}  // namespace fw::tools
