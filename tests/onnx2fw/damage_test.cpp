// 1000 damaged variants of a model: an error, or a network that the reader of .param files accepts.
#include "onnx_test_util.h"
#include "support/mutate.h"

namespace fw::onnx {

namespace {

constexpr int kVariants = 1000;

std::string network() {
    ModelBuilder m({1, 3, 8, 8});
    m.floats("w", {4, 3, 3, 3}, Floats(108, 0.5F)).floats("b", {4}, Floats(4, 1.0F));
    m.floats("one", {4}, Floats(4, 1.0F)).floats("t", {4, 2, 2, 2}, Floats(32, 0.25F));
    m.floats("m", {4, 5}, Floats(20, 0.1F)).ints("axis", {1}, {0}).ints("first", {}, {1}).ints("rest", {1}, {-1});
    m.ints("p", {8}, {0, 0, 1, 1, 0, 0, 1, 1}).ints("s", {1}, {1}).ints("e", {1}, {3}).ints("a", {1}, {1});
    m.floats("roi", {0}, {}).floats("scales", {4}, {1, 1, 2, 2});
    NodeProto* conv = m.node("Conv", {"x", "w", "b"}, {"c"});
    set(conv, "pads", Ints{1, 1, 1, 1});
    set(conv, "strides", Ints{2, 2});
    m.node("BatchNormalization", {"c", "one", "b", "b", "one"}, {"n"});
    m.node("Relu", {"n"}, {"r"});
    NodeProto* pool = m.node("MaxPool", {"r"}, {"mp"});
    set(pool, "kernel_shape", Ints{2, 2});
    set(pool, "strides", Ints{2, 2});
    set(m.node("ConvTranspose", {"mp", "t"}, {"up"}), "strides", Ints{2, 2});
    m.node("Pad", {"up", "p"}, {"pad"});
    m.node("Slice", {"pad", "s", "e", "a"}, {"cut"});
    m.node("Resize", {"cut", "roi", "scales"}, {"big"});
    m.node("GlobalAveragePool", {"r"}, {"g"});
    m.node("Shape", {"g"}, {"shape"});
    m.node("Gather", {"shape", "first"}, {"ch"});
    m.node("Unsqueeze", {"ch", "axis"}, {"chu"});
    set(m.node("Concat", {"rest", "chu"}, {"flat"}), "axis", int64_t{0});
    m.node("Reshape", {"g", "flat"}, {"vec"});
    m.node("MatMul", {"vec", "m"}, {"logits"});
    m.node("Softmax", {"logits"}, {"prob"});
    set(m.node("Transpose", {"r"}, {"nhwc"}), "perm", Ints{0, 2, 3, 1});
    m.node("Add", {"nhwc", "one"}, {"sum"});
    set(m.node("ReduceMean", {"sum"}, {"mean"}), "axes", Ints{3});
    m.output("prob").output("mean").output("big");
    return m.serialized();
}

bool check(const Outcome& o, int variant) {
    if (!o.status.ok()) {
        EXPECT_STRNE(o.status.message(), "") << variant;
        EXPECT_EQ(o.errors().find("internal"), std::string::npos) << variant << ": " << o.errors();
        return false;
    }
    const Result<std::string> text = param_text(o.out.net);
    const Result<std::vector<uint8_t>> bin = bin_bytes(o.out.net);
    EXPECT_TRUE(text.ok()) << variant << ": " << text.status().message();
    EXPECT_TRUE(bin.ok()) << variant << ": " << bin.status().message();
    if (!text.ok() || !bin.ok()) {
        return false;
    }
    Result<NetDef> back = parse_param({text->data(), text->size()}, "converted");
    EXPECT_TRUE(back.ok()) << variant << ": " << back.status().message() << "\n" << *text;
    if (!back.ok()) {
        return false;
    }
    FileData data;
    data.bytes = {bin->data(), bin->size()};
    const Status read = read_weights(data, "converted", &*back);
    EXPECT_TRUE(read.ok()) << variant << ": " << read.message();
    return read.ok();
}

TEST(OnnxDamage, TheNetworkItselfConverts) {
    const Outcome o = convert_bytes(network());
    ASSERT_TRUE(o.status.ok()) << o.errors();
    EXPECT_TRUE(check(o, -1));
}

TEST(OnnxDamage, DamagedBytes) {
    const std::string model = network();
    test::Mutator mutator(1);
    int good = 0;
    for (int i = 0; i < kVariants; ++i) {
        OnnxOptions options;
        options.common.optimize = i % 2 == 0;
        good += check(convert_bytes(mutator.mutate(model, false), options), i) ? 1 : 0;
    }
    EXPECT_GT(good, 0);  // some damage is harmless, most is not
    EXPECT_LT(good, kVariants / 2);
}

// Damage that leaves the protobuf intact reaches further: numbers of the attributes and initializers.
TEST(OnnxDamage, OddNumbers) {
    static const int64_t kNumbers[] = {0,
                                       1,
                                       -1,
                                       2,
                                       3,
                                       -2,
                                       1000,
                                       int64_t{1} << 31,
                                       int64_t{1} << 40,
                                       std::numeric_limits<int64_t>::max(),
                                       std::numeric_limits<int64_t>::min()};
    ModelProto model;
    ASSERT_TRUE(model.ParseFromString(network()));
    std::mt19937 random(3);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
    int good = 0;
    for (int i = 0; i < kVariants; ++i) {
        ModelProto odd = model;
        GraphProto* g = odd.mutable_graph();
        const int64_t number = kNumbers[below(static_cast<int>(std::size(kNumbers)))];
        NodeProto* node = g->mutable_node(below(g->node_size()));
        TensorProto* tensor = g->mutable_initializer(below(g->initializer_size()));
        switch (below(5)) {
            case 0:
                for (AttributeProto& a : *node->mutable_attribute()) {
                    a.set_i(number);
                    if (a.ints_size() > 0) {
                        a.set_ints(below(a.ints_size()), number);
                    }
                }
                break;
            case 1:
                if (tensor->int64_data_size() > 0) {
                    tensor->set_int64_data(below(tensor->int64_data_size()), number);
                }
                break;
            case 2:
                if (tensor->dims_size() > 0) {
                    tensor->set_dims(below(tensor->dims_size()), number);
                }
                break;
            case 3: node->set_op_type(g->node(below(g->node_size())).op_type()); break;
            default:
                if (node->input_size() > 0) {
                    const NodeProto& other = g->node(below(g->node_size()));
                    node->set_input(below(node->input_size()), other.output(0));
                }
        }
        good += check(convert_bytes(odd.SerializeAsString()), i) ? 1 : 0;
    }
    EXPECT_GT(good, 0);
    EXPECT_LT(good, kVariants);
}

}  // namespace

}  // namespace fw::onnx
