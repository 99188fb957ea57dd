#include "calibrate/stats_file.h"

#include <gtest/gtest.h>

#include "support/mutate.h"
#include "support/net_files.h"
#include "support/temp_folder.h"

namespace fw::tools {
namespace {

StatisticsFile sample(unsigned seed) {
    test::Random random(seed);
    StatisticsFile file;
    file.model_hash = "0123456789abcdef";
    file.preprocess = {Pixel::kBgr, 32, 24, {1.0F, 2.0F, 3.0F}, {0.5F}};
    file.fit = {Fit::Kind::kCrop, 1.0 / 3.0, 114};
    file.images_hash = seed;
    file.listed = 4;
    file.done = 4;
    file.statistics.images = 3;
    file.statistics.unreadable = {"a.png: cut off"};
    for (const char* name : {"data", "conv1", "zero"}) {
        BlobStatistics& blob = file.statistics.blobs[name];
        for (int image = 0; image < 3; ++image) {
            std::vector<float> values = random.floats(200, name[0] == 'd' ? -100.0F : 0.0F, 30.0F);
            if (name[0] == 'z') {
                values.assign(values.size(), 0.0F);
            }
            EXPECT_TRUE(blob.values.histogram.add(values));
            const auto [least, most] = std::minmax_element(values.begin(), values.end());
            blob.values.image_min.push_back(std::min(0.0F, *least));
            blob.values.image_max.push_back(std::max(0.0F, *most));
        }
        blob.channel_absmax = {0.0F, blob.values.histogram.absmax()};
    }
    return file;
}

std::string bytes_of(const StatisticsFile& file) {
    const std::vector<uint8_t> bytes = encode_statistics(file);
    return {bytes.begin(), bytes.end()};
}

Result<StatisticsFile> decode(const std::string& bytes) {
    return decode_statistics({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "x.stats");
}

TEST(StatsFile, ReadsBackWhatItWrote) {
    const StatisticsFile file = sample(1);
    const std::string bytes = bytes_of(file);
    const Result<StatisticsFile> read = decode(bytes);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(bytes_of(*read), bytes);
    EXPECT_EQ(read->model_hash, file.model_hash);
    EXPECT_EQ(read->preprocess.mean, file.preprocess.mean);
    EXPECT_EQ(read->fit.kind, file.fit.kind);
    EXPECT_EQ(read->fit.share, file.fit.share);
    EXPECT_EQ(read->statistics.unreadable, file.statistics.unreadable);
    const Histogram& histogram = read->statistics.blobs.at("data").values.histogram;
    EXPECT_EQ(histogram.rebin(64).counts, file.statistics.blobs.at("data").values.histogram.rebin(64).counts);
    EXPECT_EQ(histogram.count(), 600U);
}

TEST(StatsFile, MergingIsCountingTogether) {
    StatisticsFile both = sample(1);
    StatisticsFile large = sample(2);
    large.statistics.blobs["data"].values.image_max.push_back(5000.0F);
    ASSERT_TRUE(large.statistics.blobs["data"].values.histogram.add(std::vector<float>{5000.0F}));
    Histogram expected = both.statistics.blobs["data"].values.histogram;
    expected.merge(large.statistics.blobs["data"].values.histogram);
    merge_statistics(large.statistics, &both.statistics);
    EXPECT_EQ(both.statistics.images, 6);
    EXPECT_EQ(both.statistics.unreadable.size(), 2U);
    EXPECT_EQ(both.statistics.blobs["data"].values.image_max.size(), 7U);
    EXPECT_EQ(both.statistics.blobs["data"].values.histogram.side(false), expected.side(false));
    EXPECT_EQ(both.statistics.blobs["data"].values.histogram.max(), 5000.0F);
}

uint64_t checksum(const std::string& bytes) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes) {
        hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    }
    return hash;
}

// With the checksum made to fit again, so that what it protects is reached.
std::string with_checksum(std::string bytes) {
    bytes.resize(bytes.size() < 8 ? 0 : bytes.size() - 8);
    const uint64_t hash = checksum(bytes);
    for (int i = 0; i < 8; ++i) {
        bytes.push_back(static_cast<char>(hash >> (8 * i)));
    }
    return bytes;
}

TEST(StatsFile, ManyDamagedVariants) {
    const std::string good = bytes_of(sample(3));
    ASSERT_EQ(with_checksum(good), good);
    test::Mutator mutator(7);
    int refused = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string mutant = mutator.mutate(good, false);
        EXPECT_TRUE(mutant == good || !decode(mutant).ok());
        const Result<StatisticsFile> read = decode(with_checksum(mutant));
        if (!read.ok()) {
            ++refused;
            const std::string message = read.status().message();
            EXPECT_EQ(message.find("x.stats"), 0U) << message;
            EXPECT_EQ(message.find('\n'), std::string::npos);
        } else {
            EXPECT_EQ(decode(bytes_of(*read)).ok(), true);
            EXPECT_EQ(read->statistics.images + read->statistics.unreadable.size(), read->done);
        }
    }
    EXPECT_GT(refused, 500);
}

class StatsFileSets : public test::TempFolderTest {};

TEST_F(StatsFileSets, PartsThatDoNotBelongTogetherAreRefused) {
    const auto save = [&](const char* name, const StatisticsFile& file) {
        EXPECT_TRUE(save_statistics(folder_ + "/" + name, file).ok());
        return folder_ + "/" + name;
    };
    const std::string first = save("first", sample(1));
    StatisticsFile other = sample(2);
    EXPECT_TRUE(merge_files({first, save("second", other)}).ok());
    other.model_hash = "fedcba9876543210";
    EXPECT_FALSE(merge_files({first, save("model", other)}).ok());
    other = sample(2);
    other.preprocess.norm = {1.0F};
    EXPECT_FALSE(merge_files({first, save("preprocess", other)}).ok());
    other = sample(2);
    other.fit.share = 1.0;
    EXPECT_FALSE(merge_files({first, save("fit", other)}).ok());
    other = sample(2);
    other.listed = 5;
    EXPECT_FALSE(merge_files({first, save("cut", other)}).ok());
    EXPECT_FALSE(merge_files({first, first}).ok());
    EXPECT_FALSE(merge_files({first, folder_ + "/none"}).ok());
}

TEST_F(StatsFileSets, GoesOnWhereItWasInterrupted) {
    test::NetFiles files;
    files.layer("Input data 0 1 data 0=4 1=4 2=1").layer("Power p 1 1 data out 1=2.0");
    Net net;
    ASSERT_TRUE(files.load(&net).ok());
    ImageSet set;
    set.inputs = {"data"};
    set.preprocess = {Pixel::kGray, 4, 4, {}, {}};
    set.threads = 1;
    set.quiet = true;
    for (int i = 0; i < 6; ++i) {
        std::string pixels(16, static_cast<char>(10 * i));
        pixels[0] = 1;  // images of one colour are refused
        set.images.push_back({write(std::to_string(i) + ".pgm", "P5 4 4 255\n" + pixels), -1});
    }
    const std::string whole = folder_ + "/whole";
    const std::string path = folder_ + "/resumed";
    ASSERT_TRUE(collect_into_file(net, set, whole).ok());
    ImageSet begun = set;
    begun.images.resize(2);
    Result<Statistics> counted = collect_statistics(net, begun);
    ASSERT_TRUE(counted.ok());
    StatisticsFile file;
    file.model_hash = *net.model_hash();
    file.preprocess = set.preprocess;
    file.images_hash = hash_of(set.images);
    file.listed = 6;
    file.done = 2;
    file.statistics = *counted;
    ASSERT_TRUE(save_statistics(path, file).ok());
    ImageSet cropped = set;
    cropped.fit.kind = Fit::Kind::kCrop;
    EXPECT_FALSE(collect_into_file(net, cropped, path).ok());
    const Result<StatisticsFile> resumed = collect_into_file(net, set, path);
    ASSERT_TRUE(resumed.ok()) << resumed.status().message();
    EXPECT_EQ(bytes_of(*resumed), bytes_of(*load_statistics(whole)));
    EXPECT_FALSE(collect_into_file(net, set, path).ok());    // complete
    EXPECT_FALSE(collect_into_file(net, begun, path).ok());  // another list
}

}  // namespace
}  // namespace fw::tools
