// Damaged files: an error or a net, never a crash, a hang or memory out of proportion. Run under the sanitizers as
// well.
#include <chrono>

#include "fw/table.h"
#include "model_test_util.h"
#include "sample_net.h"
#include "support/mutate.h"

namespace fw::test {

namespace {

constexpr int kMutants = 2000;

std::string good_param() {
    return kSampleParam;
}

std::string good_bin() {
    NetDef net = *parse(good_param());
    EXPECT_TRUE(random_weights(&net, 3).ok());
    const std::vector<uint8_t> bytes = *bin_bytes(net, WeightFormat::kFloat16);
    return std::string(bytes.begin(), bytes.end());
}

FileData file_of(const std::string& bytes) {
    return in_memory(std::vector<uint8_t>(bytes.begin(), bytes.end()));
}

/// Runs `read` on mutants and expects that it decides on each quickly, and refuses at least some.
template <class Read>
void run(const std::string& good, bool text, const Read& read) {
    ASSERT_TRUE(read(good).ok()) << read(good).message();
    Mutator mutator(1);
    int refused = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kMutants; ++i) {
        const Status status = read(mutator.mutate(good, text));
        if (!status.ok()) {
            ++refused;
            EXPECT_STRNE(status.message(), "");
            EXPECT_LT(std::string(status.message()).size(), 600U) << "messages stay readable";
        }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_GT(refused, kMutants / 10);
    EXPECT_LT(seconds, 15.0);
}

TEST(Damaged, Param) {
    run(good_param(), true, [](const std::string& text) {
        const Result<NetDef> net = parse(text);
        if (net.ok()) {  // what is accepted can be written and read again
            const Result<std::string> written = param_text(*net);
            EXPECT_TRUE(written.ok()) << written.status().message();
            const Result<NetDef> again = parse(*written);
            EXPECT_TRUE(again.ok()) << again.status().message() << "\n" << *written;
        }
        return net.status();
    });
}

TEST(Damaged, Bin) {
    const NetDef net = *parse(good_param());
    run(good_bin(), false, [&](const std::string& bytes) {
        NetDef copy = net;
        const Status status = read_weights(file_of(bytes), "net.bin", &copy);
        if (status.ok()) {
            for (const LayerDef& layer : copy.layers) {
                for (const Weight& w : layer.weights) {
                    EXPECT_EQ(w.to_floats().size(), static_cast<size_t>(w.count()));
                }
            }
        }
        return status;
    });
}

TEST(Damaged, ParamWithItsBin) {
    const FileData bin = file_of(good_bin());
    run(good_param(), true, [&](const std::string& text) {
        Result<NetDef> net = parse(text);
        return net.ok() ? read_weights(bin, "net.bin", &*net) : net.status();
    });
}

TEST(Damaged, LegacyTable) {
    run("conv1_param_0 0.0 251.159095905 325.558194096\nconv1/a.b_param_0 1e+30\nconv1 127.5\nconv1/a.b 3e-2\nfc "
        "12.5\n",
        true, [](const std::string& text) {
            const Result<ScaleTable> t = ScaleTable::parse({text.data(), text.size()}, "net.table");
            if (t.ok()) {
                const std::string written = t->to_legacy_text();
                EXPECT_TRUE(ScaleTable::parse({written.data(), written.size()}, "again").ok()) << written;
            }
            return t.status();
        });
}

TEST(Damaged, OwnTable) {
    run("fwtable 2\n# made by hand\nmodel 0123abcd\npreprocess pixel=RGB size=300x200 mean=127.5 norm=0.1,0.2,0.3\n"
        "blob data 1.5 -128\nblob a/b.c 2.5 0\nweights conv1 0 1 2\nlayer conv1 int8\nlayer fc float\ninput fc 4.5 3\n",
        true, [](const std::string& text) {
            const Result<ScaleTable> t = ScaleTable::parse({text.data(), text.size()}, "net.table");
            if (t.ok() && text.rfind("fwtable", 0) == 0) {
                const std::string written = t->to_text();
                const Result<ScaleTable> again = ScaleTable::parse({written.data(), written.size()}, "again");
                EXPECT_TRUE(again.ok()) << again.status().message() << "\n" << written;
            }
            return t.status();
        });
}

/// Work grows with the file, not with its square.
TEST(Damaged, LargeFilesAreReadInTime) {
    const int layers = 20000;
    std::string lines = "Input data 0 1 b0\n";
    for (int i = 1; i < layers; ++i) {
        lines +=
            "ReLU relu" + std::to_string(i) + " 1 1 b" + std::to_string(i - 1) + " b" + std::to_string(i) + " 0=0.1\n";
    }
    const auto begin = std::chrono::steady_clock::now();
    const Result<NetDef> net = parse(param_file(layers, layers, lines));
    ASSERT_TRUE(net.ok()) << net.status().message();
    std::string table;
    for (int i = 0; i < layers; ++i) {
        table += "relu" + std::to_string(i) + " 1.5\n";
    }
    EXPECT_TRUE(ScaleTable::parse({table.data(), table.size()}, "t").ok());
    const std::string digits(5'000'000, '1');
    EXPECT_FALSE(parse(param_file(1, 1, "Input data 0 1 d 0=" + digits)).ok());
    EXPECT_FALSE(parse(param_file(1, 1, "Input data 0 1 d " + std::string(5'000'000, '='))).ok());
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 10.0);
}

}  // namespace

}  // namespace fw::test
