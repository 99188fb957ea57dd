// Mapping and writing files.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "model_test_util.h"

namespace fw::test {

namespace {

/// A folder that goes with the test.
class FileTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "fwfileXXXXXX";
        ASSERT_NE(::mkdtemp(&pattern[0]), nullptr);
        dir_ = pattern;
    }
    void TearDown() override {
        for (const std::string& name : names()) {
            ::unlink(path(name).c_str());
            ::rmdir(path(name).c_str());
        }
        ::rmdir(dir_.c_str());
    }
    std::string path(const std::string& name) const { return dir_ + "/" + name; }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        DIR* dir = ::opendir(dir_.c_str());
        if (dir == nullptr) {
            return out;
        }
        while (const dirent* entry = ::readdir(dir)) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") {
                out.push_back(name);
            }
        }
        ::closedir(dir);
        return out;
    }
    static std::string text_of(const FileData& file) {
        return std::string(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
    }
    static Status write(const std::string& path, const std::string& text) {
        return write_file_atomic(path.c_str(), {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }

    std::string dir_;
};

TEST_F(FileTest, WritesReplacesAndMaps) {
    ASSERT_TRUE(write(path("a"), "first").ok());
    const Result<FileData> first = map_file(path("a").c_str());
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE(write(path("a"), "the second").ok());
    EXPECT_EQ(text_of(*first), "first") << "a mapping outlives the file's replacement";
    const Result<FileData> second = map_file(path("a").c_str());
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(text_of(*second), "the second");
    EXPECT_EQ(names(), std::vector<std::string>{"a"}) << "no temporary file is left";
}

// What is released comes back from the file; memory that is no file's stays.
TEST_F(FileTest, WeightsAreTheSameAfterTheirPagesWereReleased) {
    std::string text(10000, 'x');
    text[0] = text[9999] = 'y';
    ASSERT_TRUE(write(path("weights"), text).ok());
    const Result<FileData> file = map_file(path("weights").c_str());
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->mapped);
    std::vector<int8_t> expected(text.begin(), text.end());
    for (const Weight& weight : {Weight::view(WeightStorage::kInt8, file->bytes.data(), 10000, file->owner, true),
                                 Weight::from_int8(expected)}) {
        weight.release_pages();
        EXPECT_EQ(weight.to_int8(), expected);
    }
}

TEST_F(FileTest, PagesOfWeightsInAnyOrderAreReleased) {
    std::string text(300000, 'x');
    text[0] = text[150000] = text[299999] = 'y';
    ASSERT_TRUE(write(path("weights"), text).ok());
    const Result<FileData> file = map_file(path("weights").c_str());
    const Result<FileData> other = map_file(path("weights").c_str());
    ASSERT_TRUE(file.ok() && other.ok());
    PageRelease release;
    for (const FileData* data : {&*file, &*file, &*other}) {
        for (const int64_t count : {int64_t{0}, int64_t{1000}, int64_t{100000}, int64_t{199000}}) {
            const auto* end = data->bytes.data() + text.size();
            release.add(Weight::view(WeightStorage::kInt8, end - count, count, data->owner, true));
            release.add(Weight::view(WeightStorage::kInt8, data->bytes.data(), count, data->owner, true));
        }
    }
    release.add(Weight::from_int8({1, 2, 3}));
    release.add(Weight());
    EXPECT_EQ(text_of(*file), text);
    EXPECT_EQ(text_of(*other), text);
}

TEST_F(FileTest, FilesThatBelongTogetherAreWrittenAllOrNone) {
    ASSERT_TRUE(write(path("old"), "before").ok());
    const std::vector<uint8_t> bytes = {1, 2, 3};
    const std::vector<OutputFile> last_fails = {
        {path("new"), bytes}, {path("old"), bytes}, {path("none/deeper"), bytes}};
    EXPECT_EQ(write_files_atomic(last_fails).code(), Code::kNotFound);
    EXPECT_EQ(names(), std::vector<std::string>{"old"}) << "neither a new file nor a temporary one";
    EXPECT_EQ(text_of(*map_file(path("old").c_str())), "before");
    ASSERT_TRUE(write_files_atomic({last_fails.data(), 2}).ok());
    EXPECT_EQ(names().size(), 2U);
    EXPECT_EQ(text_of(*map_file(path("old").c_str())), "\x01\x02\x03");
}

TEST_F(FileTest, SaysWhatIsWrong) {
    EXPECT_EQ(map_file(path("none").c_str()).status().code(), Code::kNotFound);
    expect_contains(map_file(path("none").c_str()).status().message(), "/none: cannot open: No such file");
    expect_contains(map_file(dir_.c_str()).status().message(), "is a directory, expected a file");
    expect_contains(write(dir_, "x").message(), "is a directory, expected a file");
    EXPECT_EQ(write(path("none/deeper"), "x").code(), Code::kNotFound);
    ASSERT_TRUE(write(path("empty"), "").ok());
    const Result<FileData> empty = map_file(path("empty").c_str());
    ASSERT_TRUE(empty.ok());
    EXPECT_TRUE(empty->bytes.empty());
}

TEST_F(FileTest, ReadsAPipe) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    const std::string text(100000, 'x');
    std::thread writer([&] { EXPECT_TRUE(write(path("pipe"), text).ok()) << "a pipe is written to, not replaced"; });
    const Result<FileData> file = map_file(path("pipe").c_str());
    writer.join();
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(text_of(*file), text);
}

TEST_F(FileTest, SavesBothFilesOrNone) {
    Result<NetDef> net = parse(param_file(2, 2, "Input in 0 1 data\nInnerProduct fc 1 1 data out 0=2 2=4\n"));
    ASSERT_TRUE(net.ok());
    net->layers[1].weights = {Weight::from_floats({1, 2, 3, 4})};
    const std::string param = path("n.param");
    const std::string bin = path("n.bin");
    ASSERT_TRUE(save_net_def(*net, param.c_str(), bin.c_str()).ok());
    const Result<NetDef> again = load_net_def(param.c_str(), bin.c_str());
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(again->layers[1].weights[0].to_floats(), (std::vector<float>{1, 2, 3, 4}));

    net->layers[1].weights = {Weight::from_floats({9})};
    EXPECT_FALSE(save_net_def(*net, param.c_str(), bin.c_str()).ok());
    net->layers[1].weights = {Weight::from_floats({9, 9, 9, 9})};
    EXPECT_FALSE(save_net_def(*net, param.c_str(), path("none/n.bin").c_str()).ok());
    EXPECT_EQ(names().size(), 2U) << "no temporary file is left";
    const Result<NetDef> still = load_net_def(param.c_str(), bin.c_str());
    ASSERT_TRUE(still.ok());
    EXPECT_EQ(still->layers[1].weights[0].to_floats(), (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(load_net_def(param.c_str(), path("none").c_str()).status().code(), Code::kNotFound);
}

}  // namespace

}  // namespace fw::test
