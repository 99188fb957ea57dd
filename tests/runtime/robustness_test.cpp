// No memory, many threads, strange nets: an error or a right answer, never a crash.
#include <atomic>
#include <cstdlib>
#include <thread>

#include "run_util.h"

namespace fw {
namespace {

using test::NetFiles;
using test::Random;

// Fails at the n-th allocation.
class FailingAllocator final : public Allocator {
public:
    explicit FailingAllocator(int fail_at) : fail_at_(fail_at) {}
    void* allocate(size_t bytes, size_t alignment) override {
        if (count_++ == fail_at_) {
            return nullptr;
        }
        ++alive_;
        return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    }
    void deallocate(void* pointer) override {
        --alive_;
        std::free(pointer);
    }
    int count() const { return count_; }
    int alive() const { return alive_; }

private:
    int fail_at_;
    std::atomic<int> count_{0};
    std::atomic<int> alive_{0};
};

NetFiles small_net() {
    Random random(21);
    NetFiles files;
    files.layer("Input in 0 1 data 0=9 1=7 2=3")
        .layer("Convolution c1 1 1 data a 0=8 1=3 4=1 5=1 6=216 9=1")
        .tagged(random.floats(216))
        .raw(random.floats(8))
        .layer("Convolution c2 1 1 a b 0=4 1=1 6=32")
        .tagged(random.floats(32))
        .layer("Concat k 2 1 a b c")
        .layer("Pooling p 1 1 c d 0=1 4=1")
        .layer("InnerProduct ip 1 1 d e 0=5 1=1 2=60")
        .tagged(random.floats(60))
        .raw(random.floats(5))
        .layer("Softmax s 1 1 e out");
    return files;
}

TEST(OutOfMemory, EveryAllocationMayFail) {
    const NetFiles files = small_net();
    int failures = 0;
    for (int n = 0;; ++n) {
        FailingAllocator allocator(n);
        bool failed = false;
        {
            Net net;
            Option option;
            option.allocator = &allocator;
            FW_ASSERT_OK(net.set_option(option));
            Status status = files.load(&net);
            failed = !status.ok();
            if (!failed) {
                Extractor extractor = net.create_extractor();
                FW_ASSERT_OK(extractor.input("data", Random(1).mat(Shape(3, 7, 9))));
                for (const char* blob : {"out", "b"}) {
                    Mat out;
                    status = extractor.extract(blob, &out);
                    if (!status.ok()) {
                        EXPECT_EQ(status.code(), Code::kOutOfMemory) << status.message();
                        failed = true;
                        FW_ASSERT_OK(extractor.extract(blob, &out));  // only the n-th fails
                    }
                }
            }
        }
        EXPECT_EQ(allocator.alive(), 0);
        failures += failed ? 1 : 0;
        if (!failed) {
            EXPECT_LE(allocator.count(), n);
            break;
        }
        ASSERT_LT(n, 1000);
    }
    EXPECT_GE(failures, 3);  // two results and an arena at least
}

TEST(OutOfMemory, SteadyStateAllocatesTheResultOnly) {
    const NetFiles files = small_net();
    FailingAllocator allocator(-1);
    Net net;
    Option option;
    option.allocator = &allocator;
    FW_ASSERT_OK(net.set_option(option));
    FW_ASSERT_OK(files.load(&net));
    const Mat data = Random(1).mat(Shape(3, 7, 9));
    Mat out;
    const auto infer = [&] {
        Extractor extractor = net.create_extractor();
        FW_ASSERT_OK(extractor.input("data", data));
        FW_ASSERT_OK(extractor.extract("out", &out));
    };
    infer();
    const int before = allocator.count();
    for (int i = 0; i < 5; ++i) {
        infer();
    }
    EXPECT_EQ(allocator.count() - before, 5);
}

TEST(Threads, ManyExtractorsOfOneNet) {
    const NetFiles files = small_net();
    Net net;
    FW_ASSERT_OK(files.load(&net));
    const Shape shapes[] = {Shape(3, 7, 9), Shape(3, 5, 5), Shape(3, 12, 4)};
    const char* blobs[] = {"out", "b", "out", "c", "d"};
    // Expected values from one thread.
    std::vector<std::vector<float>> want;
    for (int i = 0; i < 15; ++i) {
        want.push_back(test::values(
            test::run(net, {{"data", Random(static_cast<unsigned>(i)).mat(shapes[i % 3])}}, blobs[i % 5])));
    }
    Net fresh;  // its caches are filled by the threads
    FW_ASSERT_OK(files.load(&fresh));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < 30; ++round) {
                const int i = (round * 7 + t) % 15;
                Extractor extractor = fresh.create_extractor();
                Mat out;
                const bool ok = extractor.input("data", Random(static_cast<unsigned>(i)).mat(shapes[i % 3])).ok() &&
                                extractor.extract(blobs[i % 5], &out).ok() &&
                                test::values(out) == want[static_cast<size_t>(i)];
                wrong += ok ? 0 : 1;
                if (round % 10 == 0) {
                    wrong += fresh.plan().ok() ? 0 : 1;
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(wrong, 0);
}

// Enough weights for huge pages, of which the first arena takes the rest: it is used, given back and used again while
// other Extractors run, and outlives its Net.
TEST(Threads, TheFirstArenaBesideTheWeights) {
    Random random(22);
    constexpr int kInputs = 3 * 7 * 9;
    constexpr int kOutputs = 7000;
    NetFiles files;
    files.layer("Input in 0 1 data 0=9 1=7 2=3")
        .layer("InnerProduct ip 1 1 data out 0=7000 2=1323000")
        .tagged(random.floats(static_cast<size_t>(kInputs) * kOutputs));
    const auto input = [](int i) { return Random(static_cast<unsigned>(i)).mat(Shape(3, 7, 9)); };
    std::vector<std::vector<float>> want;
    {
        FailingAllocator allocator(-1);  // no pages of the library's own
        Net net;
        Option option;
        option.allocator = &allocator;
        FW_ASSERT_OK(net.set_option(option));
        FW_ASSERT_OK(files.load(&net));
        for (int i = 0; i < 4; ++i) {
            want.push_back(test::values(test::run(net, {{"data", input(i)}}, "out")));
        }
    }
    auto net = std::make_unique<Net>();
    FW_ASSERT_OK(files.load(net.get()));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < 5; ++round) {
                const int i = (round + t) % 4;
                Extractor extractor = net->create_extractor();
                Mat out;
                const bool ok = extractor.input("data", input(i)).ok() && extractor.extract("out", &out).ok() &&
                                test::values(out) == want[static_cast<size_t>(i)];
                wrong += ok ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(wrong, 0);
    Extractor last = net->create_extractor();
    FW_ASSERT_OK(last.input("data", input(2)));
    Mat out;
    FW_ASSERT_OK(last.extract("out", &out));
    net.reset();
    EXPECT_EQ(test::values(out), want[2]);
}

// Lines of nets with parameters drawn at random, many of them senseless.
TEST(Mutations, StrangeNetsGiveErrorsOrFiniteTime) {
    const char* const types[] = {"Convolution", "ConvolutionDepthWise",
                                 "Pooling",     "InnerProduct",
                                 "Concat",      "Eltwise",
                                 "Reshape",     "Permute",
                                 "Slice",       "Crop",
                                 "Padding",     "Interp",
                                 "ReLU",        "Softmax",
                                 "Flatten",     "BinaryOp",
                                 "Split",       "ShuffleChannel",
                                 "LRN",         "Reduction",
                                 "Tile",        "Normalize",
                                 "Squeeze",     "ExpandDims"};
    Random random(31);
    int loaded = 0;
    int ran = 0;
    for (int round = 0; round < 3000; ++round) {
        NetFiles files;
        files.layer("Input in 0 1 b0 0=" + std::to_string(random.integer(0, 9)) +
                    " 1=" + std::to_string(random.integer(0, 9)) + " 2=" + std::to_string(random.integer(0, 6)));
        int blobs = 1;
        const int layers = random.integer(1, 6);
        for (int l = 0; l < layers; ++l) {
            const std::string type = types[random.integer(0, 23)];
            const bool two_in = type == "Concat" || type == "Eltwise" || type == "BinaryOp";
            const bool two_out = type == "Split" || type == "Slice";
            std::string line = type + " l" + std::to_string(l) + (two_in ? " 2" : " 1") + (two_out ? " 2" : " 1");
            for (int i = 0; i < (two_in ? 2 : 1); ++i) {
                line += " b" + std::to_string(random.integer(0, blobs - 1));
            }
            for (int i = 0; i < (two_out ? 2 : 1); ++i) {
                line += " b" + std::to_string(blobs++);
            }
            const int params = random.integer(0, 4);
            for (int i = 0; i < params; ++i) {
                static const int values[] = {0, 1, 2, 3, 4, 5, 7, 8, -1, -233, -234, 100000, 2147483647, -2147483647};
                line +=
                    " " + std::to_string(random.integer(0, 19)) + "=" + std::to_string(values[random.integer(0, 13)]);
            }
            if (type == "Convolution" || type == "ConvolutionDepthWise") {
                line += " 0=4 1=1 6=12";
                files.tagged(random.floats(12));
            } else if (type == "InnerProduct") {
                line += " 0=3 2=12";
                files.tagged(random.floats(12));
            } else if (type == "Slice") {
                line += " -23300=2,-233,-233";
            }
            files.layer(line);
        }
        Net net;
        Option option;
        option.max_activation_bytes = 64 << 20;
        FW_ASSERT_OK(net.set_option(option));
        if (!files.load(&net).ok()) {
            continue;
        }
        ++loaded;
        Extractor extractor = net.create_extractor();
        Shape shape = net.input_shape("b0");
        if (shape.rank == 0) {
            shape = Shape(3, 4, 5);
        }
        FW_ASSERT_OK(extractor.input("b0", random.mat(shape)));
        for (const std::string& output : net.output_names()) {
            Mat out;
            ran += extractor.extract(output.c_str(), &out).ok() ? 1 : 0;
        }
    }
    // The generator must not only make rubbish.
    EXPECT_GT(loaded, 100);
    EXPECT_GT(ran, 100);
}

}  // namespace
}  // namespace fw
