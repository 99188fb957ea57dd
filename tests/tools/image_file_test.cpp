// Decoding: JPEG's orientation and truncation, and files that claim more than they hold.
#include "common/image_file.h"

#include "common/file.h"
#include "common/png.h"
#include "support/source_dir.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

class ImageFile : public test::TempFolderTest {
protected:
    std::string jpeg_ = read_text_file(std::string(FW_SOURCE_DIR) + "/examples/demo/classifier/calib/00_0.jpg").value();

    /// jpeg_ with an Exif segment that holds an orientation, in either byte order.
    std::string oriented(int orientation, bool little_endian) const {
        const auto number = [&](unsigned value, int bytes) {
            std::string text;
            for (int i = 0; i < bytes; ++i) {
                text += static_cast<char>(value >> 8 * (little_endian ? i : bytes - 1 - i));
            }
            return text;
        };
        // A directory of two entries: the width (long) and the orientation (short).
        std::string exif = std::string("Exif\0\0", 6) + (little_endian ? "II" : "MM") + number(42, 2) + number(8, 4);
        exif += number(2, 2) + number(0x0100, 2) + number(4, 2) + number(1, 4) + number(64, 4);
        exif += number(0x0112, 2) + number(3, 2) + number(1, 4) + number(static_cast<unsigned>(orientation), 2);
        exif += number(0, 2) + number(0, 4);
        const size_t length = exif.size() + 2;
        std::string out = jpeg_.substr(0, 2) + "\xff\xe1" + static_cast<char>(length >> 8);
        return out + static_cast<char>(length & 255) + exif + jpeg_.substr(2);
    }
};

// Exif 2.3, table 6: where row 0 and column 0 of the stored image belong.
TEST_F(ImageFile, ExifOrientationIsApplied) {
    const DecodedImage stored = DecodedImage::load(write("plain.jpg", jpeg_)).value();
    const int width = stored.view().width;
    const int height = stored.view().height;
    for (int orientation = 0; orientation <= 9; ++orientation) {
        const Result<DecodedImage> image =
            DecodedImage::load(write("turned.jpg", oriented(orientation, orientation % 2 == 0)));
        ASSERT_TRUE(image.ok()) << image.status().message();
        const Image& view = image->view();
        const bool exchanged = orientation >= 5 && orientation <= 8;
        ASSERT_EQ(view.width, exchanged ? height : width);
        ASSERT_EQ(view.height, exchanged ? width : height);
        for (int row = 0; row < height; ++row) {
            for (int column = 0; column < width; ++column) {
                int x = column;
                int y = row;
                switch (orientation) {
                    case 2: x = width - 1 - column; break;
                    case 3: x = width - 1 - column, y = height - 1 - row; break;
                    case 4: y = height - 1 - row; break;
                    case 5: x = row, y = column; break;
                    case 6: x = height - 1 - row, y = column; break;
                    case 7: x = height - 1 - row, y = width - 1 - column; break;
                    case 8: x = row, y = width - 1 - column; break;
                    default: break;
                }
                const uint8_t* want = stored.view().data + row * stored.view().stride + column * 3;
                ASSERT_TRUE(std::equal(want, want + 3, view.data + y * view.stride + x * 3)) << orientation;
            }
        }
    }
}

TEST_F(ImageFile, CutOffImagesAreErrors) {
    for (const size_t length : {size_t{3}, jpeg_.size() / 4, jpeg_.size() / 2, jpeg_.size() * 9 / 10}) {
        EXPECT_FALSE(DecodedImage::load(write("cut.jpg", jpeg_.substr(0, length))).ok()) << length;
    }
    // Only the marker at the end is missing: every pixel is there.
    EXPECT_TRUE(DecodedImage::load(write("cut.jpg", jpeg_.substr(0, jpeg_.size() - 2))).ok());
}

void expect_refused(const std::string& path, const char* reason) {
    const Result<DecodedImage> image = DecodedImage::load(path);
    ASSERT_FALSE(image.ok());
    EXPECT_NE(std::string(image.status().message()).find(reason), std::string::npos) << image.status().message();
}

TEST_F(ImageFile, MorePixelsThanTheFileCanHoldAreRefused) {
    // A PNG of 100 bytes: signature, IHDR, the start of an IDAT that claims 2^30 bytes.
    const auto png = [](const std::string& width, const std::string& height, const std::string& idat_length) {
        std::string file("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
        file += width + height + std::string("\x08\x02\0\0\0crc.", 9);
        update_checksums({reinterpret_cast<uint8_t*>(file.data()), file.size()});
        file += idat_length + "IDAT";
        return file + std::string(100 - file.size(), '\0');
    };
    const std::string small("\0\0\0\x10", 4);
    const std::string sixty_thousand("\0\0\xea\x60", 4);
    const std::string fifteen_thousand("\0\0\x3a\x98", 4);
    expect_refused(write("a.png", png(sixty_thousand, sixty_thousand, small)), "a.png");
    expect_refused(write("b.png", png(fifteen_thousand, fifteen_thousand, small)), "15000x15000 pixels");
    expect_refused(write("c.png", png(small, small, std::string("\x40\0\0\0", 4))), "c.png: the file is cut off");
    expect_refused(write("e.png", png(small, std::string(4, '\0'), small)), "e.png: an image of 16x0 pixels");
    // The same claim in a JPEG's frame header: the demo's picture is 64 x 64.
    const size_t frame = jpeg_.find("\xff\xc0");
    ASSERT_NE(frame, std::string::npos);
    std::string huge = jpeg_;
    huge.replace(frame + 5, 4, "\xea\x60\xea\x60");
    expect_refused(write("d.jpg", huge), "60000x60000 pixels");
}

// Any bit that differs from what was written is seen, but in chunks that the picture does not depend on.
TEST_F(ImageFile, ADamagedPngIsRefused) {
    const std::vector<uint8_t> bytes = png_bytes(std::vector<uint8_t>(5 * 4 * 3, 7).data(), 5, 4).value();
    const std::string good(bytes.begin(), bytes.end());
    const std::string end = good.substr(good.size() - 12);
    const std::string text("\0\0\0\x01tEXtaCRC?", 13);
    EXPECT_TRUE(DecodedImage::load(write("text.png", good.substr(0, good.size() - 12) + text + end)).ok());
    EXPECT_TRUE(DecodedImage::load(write("more.png", good + "what follows")).ok());
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
        std::string bad = good;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        EXPECT_FALSE(DecodedImage::load(write("bad.png", bad)).ok()) << bit;
    }
    std::string changed = good;
    changed[good.find("IDAT") + 8] ^= 1;
    expect_refused(write("bad.png", changed), "damaged: the checksum of the chunk at byte 33 is wrong");
    expect_refused(write("cut.png", good.substr(0, good.size() - 1)), "cut.png: the file is cut off");
    expect_refused(write("empty.png", std::string()), "empty.png: the file is empty");
}

TEST_F(ImageFile, APnmThatIsCutOffIsRefused) {
    for (const char* header : {"P5 4 3 255\n", "P6 4 3 255\n", "P6 4 3 65535\n"}) {
        const size_t bytes = size_t{12} * (header[1] == '6' ? 3 : 1) * (header[9] == '5' && header[7] == '6' ? 2 : 1);
        const std::string whole = header + std::string(bytes, 'x');
        EXPECT_TRUE(DecodedImage::load(write("whole.ppm", whole)).ok()) << header;
        const Result<DecodedImage> cut =
            DecodedImage::load(write("cut.ppm", whole.substr(0, whole.size() - bytes / 2)));
        ASSERT_FALSE(cut.ok()) << header;
        EXPECT_EQ(std::string(cut.status().message()), folder_ + "/cut.ppm: the file is cut off");
    }
}

}  // namespace
}  // namespace fw::tools
