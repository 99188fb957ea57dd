// 1000 damaged variants of a prototxt and of a caffemodel: an error, or a network that the reader of .param files
// accepts.
#include <random>

#include "caffe_test_util.h"

namespace fw::caffe {

namespace {

constexpr int kVariants = 1000;

// Bits flipped, bytes replaced, cut off, doubled, swapped; and for text: lines swapped and numbers made huge.
std::string damaged(const std::string& data, bool text, std::mt19937* random) {
    std::string out = data;
    const auto below = [&](size_t n) { return static_cast<size_t>((*random)() % std::max<size_t>(1, n)); };
    const size_t edits = 1 + below(4);
    for (size_t e = 0; e < edits && !out.empty(); ++e) {
        const size_t at = below(out.size());
        switch (below(text ? 8 : 6)) {
            case 0: out[at] = static_cast<char>(out[at] ^ (1 << below(8))); break;
            case 1: out[at] = static_cast<char>(below(256)); break;
            case 2: out.resize(at); break;
            case 3: out.insert(at, out.substr(at, below(200))); break;
            case 4: out.erase(at, 1 + below(50)); break;
            case 5: std::swap(out[at], out[below(out.size())]); break;
            case 6: {
                static const char* const kNumbers[] = {
                    "0", "-1", "4294967295", "2147483648", "99999999999999999999", "1e39", "nan", "65536"};
                const size_t digit = out.find_first_of("0123456789", at);
                if (digit != std::string::npos) {
                    const size_t end = out.find_first_not_of("0123456789.", digit);
                    out.replace(digit, (end == std::string::npos ? out.size() : end) - digit, kNumbers[below(8)]);
                }
                break;
            }
            default: {
                const size_t start = out.rfind('\n', at);
                const size_t end = out.find('\n', at);
                if (start != std::string::npos && end != std::string::npos && end > start) {
                    const std::string line = out.substr(start, end - start);
                    out.erase(start, end - start);
                    const size_t to = out.find('\n', below(out.size()));
                    out.insert(to == std::string::npos ? 0 : to, line);
                }
            }
        }
    }
    return out;
}

std::string network() {
    return input_text({1, 3, 16, 16}) +
           "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'\n"
           "  convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 } }\n"
           "layer { name: 'bn' type: 'BatchNorm' bottom: 'conv' top: 'conv' }\n"
           "layer { name: 'scale' type: 'Scale' bottom: 'conv' top: 'conv'\n"
           "  scale_param { bias_term: true } }\n"
           "layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }\n"
           "layer { name: 'dw' type: 'Convolution' bottom: 'conv' top: 'dw'\n"
           "  convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 4 } }\n"
           "layer { name: 'prelu' type: 'PReLU' bottom: 'dw' top: 'dw' }\n"
           "layer { name: 'sum' type: 'Eltwise' bottom: 'conv' bottom: 'dw' top: 'sum'\n"
           "  eltwise_param { operation: SUM coeff: 1 coeff: 0.5 } }\n"
           "layer { name: 'cat' type: 'Concat' bottom: 'sum' bottom: 'conv' top: 'cat'\n"
           "  concat_param { axis: 1 } }\n"
           "layer { name: 'cut' type: 'Slice' bottom: 'cat' top: 'c1' top: 'c2'\n"
           "  slice_param { slice_point: 3 } }\n"
           "layer { name: 'pool' type: 'Pooling' bottom: 'c1' top: 'pool'\n"
           "  pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }\n"
           "layer { name: 'loc' type: 'Permute' bottom: 'pool' top: 'loc'\n"
           "  permute_param { order: 0 order: 2 order: 3 order: 1 } }\n"
           "layer { name: 'shape' type: 'Reshape' bottom: 'loc' top: 'shape'\n"
           "  reshape_param { shape { dim: 0 dim: -1 dim: 3 } } }\n"
           "layer { name: 'soft' type: 'Softmax' bottom: 'shape' top: 'soft' softmax_param { axis: 2 } }\n"
           "layer { name: 'up' type: 'Deconvolution' bottom: 'c2' top: 'up'\n"
           "  convolution_param { num_output: 2 kernel_size: 2 stride: 2 bias_term: false } }\n"
           "layer { name: 'drop' type: 'Dropout' bottom: 'up' top: 'up' }\n"
           "layer { name: 'prior' type: 'PriorBox' bottom: 'pool' bottom: 'data' top: 'prior'\n"
           "  prior_box_param { min_size: 4 aspect_ratio: 2 flip: true variance: 0.1 } }\n"
           "layer { name: 'ip' type: 'InnerProduct' bottom: 'up' top: 'ip'\n"
           "  inner_product_param { num_output: 3 } }\n"
           "layer { name: 'prob' type: 'Softmax' bottom: 'ip' top: 'prob' }\n"
           "layer { name: 'steps' type: 'Permute' bottom: 'pool' top: 'steps'\n"
           "  permute_param { order: 3 order: 0 order: 1 order: 2 } }\n"
           "layer { name: 'cont' type: 'DummyData' top: 'cont' dummy_data_param { shape { dim: 5 dim: 1 } } }\n"
           "layer { name: 'lstm' type: 'LSTM' bottom: 'steps' bottom: 'cont' top: 'lstm'\n"
           "  recurrent_param { num_output: 2 } }\n"
           "layer { name: 'info' type: 'DummyData' top: 'info' dummy_data_param { shape { dim: 1 dim: 3 } } }\n"
           "layer { name: 'two' type: 'Slice' bottom: 'sum' top: 'score' top: 'rest' slice_param { slice_point: 2 } }\n"
           "layer { name: 'rois' type: 'Proposal' bottom: 'score' bottom: 'sum' bottom: 'info' top: 'rois'\n"
           "  proposal_param { ratio: 1 scale: 8 post_nms_topn: 4 } }\n"
           "layer { name: 'cells' type: 'ROIPooling' bottom: 'sum' bottom: 'rois' top: 'cells'\n"
           "  roi_pooling_param { pooled_w: 2 pooled_h: 2 spatial_scale: 0.5 } }\n";
}

Weights network_weights() {
    return Weights()
        .add("conv", {4, 3, 3, 3})
        .add("conv", {4})
        .add("bn", {4})
        .add("bn", {4})
        .add("bn", {1})
        .add("scale", {4})
        .add("scale", {4})
        .add("dw", {4, 1, 3, 3})
        .add("dw", {4})
        .add("prelu", {4})
        .add("up", {5, 2, 2, 2})
        .add("ip", {3, 512})
        .add("ip", {3})
        .add("lstm", {8, 15})
        .add("lstm", {8})
        .add("lstm", {8, 2});
}

// What a conversion may end in. Returns whether it succeeded.
bool check(const Converted& c, int variant) {
    if (!c.status.ok()) {
        EXPECT_STRNE(c.status.message(), "") << variant;
        EXPECT_EQ(std::string(c.status.message()).find("internal"), std::string::npos)
            << variant << ": " << c.status.message();
        return false;
    }
    const Result<std::string> text = param_text(c.net);
    const Result<std::vector<uint8_t>> bin = bin_bytes(c.net);
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
    return true;
}

TEST(CaffeDamage, TheNetworkItselfConverts) {
    const Converted c = convert_text(network(), network_weights());
    ASSERT_TRUE(c.status.ok()) << c.errors();
    EXPECT_TRUE(check(c, -1));
}

TEST(CaffeDamage, Prototxt) {
    std::mt19937 random(1);
    const std::string text = network();
    const std::string model = network_weights().bytes();
    int good = 0;
    for (int i = 0; i < kVariants; ++i) {
        ConvertOptions options;
        options.optimize = i % 2 == 0;
        good += check(convert_bytes(damaged(text, true, &random), model, options), i) ? 1 : 0;
    }
    EXPECT_GT(good, 0);  // some damage is harmless, most is not
    EXPECT_LT(good, kVariants / 2);
}

TEST(CaffeDamage, Caffemodel) {
    std::mt19937 random(2);
    const std::string text = network();
    const std::string model = network_weights().bytes();
    int good = 0;
    for (int i = 0; i < kVariants; ++i) {
        good += check(convert_bytes(text, damaged(model, false, &random)), i) ? 1 : 0;
    }
    EXPECT_GT(good, 0);
    EXPECT_LT(good, kVariants);
}

}  // namespace

}  // namespace fw::caffe
