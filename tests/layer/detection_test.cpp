// PriorBox, DetectionOutput, YoloDetectionOutput, Yolov3DetectionOutput.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "support/layer_runner.h"

namespace fw {
namespace {

using test::HostTensor;
using test::RunOptions;
using test::Strides;

ParamDict dict_of(std::initializer_list<std::pair<int, ParamDict::Value>> values) {
    ParamDict dict;
    for (const auto& [id, value] : values) {
        dict.set(id, value);
    }
    return dict;
}

using Floats = std::vector<float>;
using Ints = std::vector<int>;

void expect_near(const Floats& got, const Floats& expected, double tolerance) {
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], expected[i], tolerance) << "element " << i;
    }
}

HostTensor map_of(int h, int w) {
    return HostTensor::floats(Shape(1, h, w), Floats(static_cast<size_t>(h) * static_cast<size_t>(w), 0.0F));
}

// One cell of a 100 x 200 image, by hand: min 20, max 80 (mean 40), ratio 4 and its inverse.
TEST(PriorBox, OrderOfTheBoxesOfACell) {
    const ParamDict dict = dict_of({{0, Floats{20}}, {1, Floats{80}}, {2, Floats{4}}, {13, 0.5F}, {9, 100}, {10, 200}});
    const auto result = test::run_layer("PriorBox", dict, {}, {map_of(1, 1)});
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].tensor().shape, Shape(2, 16));
    expect_near((*result)[0].values(),
                {0.4F,  0.45F,  0.6F,  0.55F,   // 20 x 20 around (50, 100)
                 0.3F,  0.4F,   0.7F,  0.6F,    // 40 x 40
                 0.3F,  0.475F, 0.7F,  0.525F,  // 40 x 10
                 0.45F, 0.4F,   0.55F, 0.6F,    // 10 x 40
                 0.1F,  0.1F,   0.2F,  0.2F,   0.1F, 0.1F, 0.2F, 0.2F, 0.1F, 0.1F, 0.2F, 0.2F, 0.1F, 0.1F, 0.2F, 0.2F},
                1e-6);
}

// The layer of Caffe's SSD fork, written out: cells row by row, centre (x + offset) * step.
Floats caffe_priors(int h, int w, int image_h, int image_w, const Floats& mins, const Floats& maxs,
                    const Floats& ratios, bool flip, bool clip, double offset) {
    Floats out;
    for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
            const double cx = (x + offset) * (static_cast<double>(image_w) / w);
            const double cy = (y + offset) * (static_cast<double>(image_h) / h);
            const auto add = [&](double bw, double bh) {
                for (double v : {(cx - bw / 2) / image_w, (cy - bh / 2) / image_h, (cx + bw / 2) / image_w,
                                 (cy + bh / 2) / image_h}) {
                    out.push_back(static_cast<float>(clip ? std::min(std::max(v, 0.0), 1.0) : v));
                }
            };
            for (size_t k = 0; k < mins.size(); ++k) {
                const auto s = static_cast<double>(mins[k]);
                add(s, s);
                if (!maxs.empty()) {
                    const double m = std::sqrt(s * static_cast<double>(maxs[k]));
                    add(m, m);
                }
                for (float r : ratios) {
                    const double root = std::sqrt(static_cast<double>(r));
                    add(s * root, s / root);
                    if (flip) {
                        add(s / root, s * root);
                    }
                }
            }
        }
    }
    return out;
}

TEST(PriorBox, MatchesCaffe) {
    for (const bool flip : {false, true}) {
        for (const bool clip : {false, true}) {
            for (const bool with_max : {false, true}) {
                const Floats mins{60, 105};
                const Floats maxs = with_max ? Floats{105, 150} : Floats{};
                const Floats ratios{2, 3};
                ParamDict dict = dict_of({{0, mins}, {2, ratios}, {7, flip ? 1 : 0}, {8, clip ? 1 : 0}, {13, 0.5F}});
                if (with_max) {
                    dict.set(1, maxs);
                }
                const Floats expected = caffe_priors(10, 19, 160, 300, mins, maxs, ratios, flip, clip, 0.5);
                const HostTensor image(TensorDesc{Shape(3, 160, 300), DType::kInt8, {1.0F, 0}});
                for (const Strides strides : {Strides::kDense, Strides::kLoose}) {
                    RunOptions options;
                    options.strides = strides;
                    const auto result = test::run_layer("PriorBox", dict, {}, {map_of(10, 19), image}, 1, options);
                    ASSERT_TRUE(result.ok()) << result.status().message();
                    Floats values = (*result)[0].values();
                    ASSERT_EQ(values.size(), 2 * expected.size());
                    EXPECT_EQ(values[values.size() - 2], 0.2F);
                    values.resize(expected.size());
                    expect_near(values, expected, 1e-5);
                }
            }
        }
    }
}

TEST(PriorBox, StepsOfMmdetection) {
    // 300 / 19 is rounded up to 16; the first centre is 0.5 * (16 - 1).
    const ParamDict dict = dict_of({{0, Floats{30}}, {9, 300}, {10, 300}, {13, 0.5F}, {14, 1}, {15, 1}, {7, 0}});
    const auto result = test::run_layer("PriorBox", dict, {}, {map_of(19, 19)});
    ASSERT_TRUE(result.ok()) << result.status().message();
    const Floats values = (*result)[0].values();
    EXPECT_NEAR((values[0] + values[2]) / 2 * 300, 7.5F, 1e-4);
    EXPECT_NEAR((values[4] + values[6]) / 2 * 300, 23.5F, 1e-4);
}

TEST(PriorBox, BoxesOfMxnet) {
    const ParamDict dict = dict_of({{0, Floats{0.5F, 0.25F}}, {2, Floats{1, 4}}, {9, -233}, {10, -233}, {13, 0.5F}});
    const auto result = test::run_layer("PriorBox", dict, {}, {map_of(1, 2)});
    ASSERT_TRUE(result.ok()) << result.status().message();
    ASSERT_EQ((*result)[0].tensor().shape, Shape(24));
    Floats first = (*result)[0].values();
    first.resize(12);
    expect_near(first, {0.125F, 0.25F, 0.375F, 0.75F, 0.1875F, 0.375F, 0.3125F, 0.625F, 0.0F, 0.375F, 0.5F, 0.625F},
                1e-6);
}

TEST(PriorBox, RefusesBadParameters) {
    const auto load = [](const ParamDict& dict) { return test::load_layer("PriorBox", dict).status().code(); };
    EXPECT_EQ(load({}), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, Floats{0}}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, Floats{NAN}}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, Floats{1, 2}}, {1, Floats{3}}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, Floats{1}}, {2, Floats{-1}}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, Floats{1}}, {9, -1}})), Code::kInvalidArgument);
    const auto run = test::run_layer("PriorBox", dict_of({{0, Floats{1}}}), {}, {map_of(2, 2)});
    EXPECT_EQ(run.status().code(), Code::kInvalidArgument);
}

// ---------------------------------------------------------------------------------------------------------------------

struct Detection {
    int label;
    float score, box[4];
};

double overlap(const float* a, const float* b) {
    const double w = std::min(a[2], b[2]) - std::max(a[0], b[0]);
    const double h = std::min(a[3], b[3]) - std::max(a[1], b[1]);
    const double common = w > 0 && h > 0 ? w * h : 0;
    const auto area = [](const float* p) {
        return static_cast<double>(p[2] - p[0]) * static_cast<double>(p[3] - p[1]);
    };
    return common / (area(a) + area(b) - common);
}

// Detection as Caffe describes it, by plain loops over everything.
std::vector<Detection> reference(const Floats& loc, const Floats& conf, const Floats& prior, int classes, float nms,
                                 size_t nms_top_k, size_t keep_top_k, float threshold) {
    const size_t n = loc.size() / 4;
    std::vector<Detection> all;
    for (int c = 1; c < classes; ++c) {
        std::vector<Detection> found;
        for (size_t i = 0; i < n; ++i) {
            const float score = conf[i * static_cast<size_t>(classes) + static_cast<size_t>(c)];
            if (!(score > threshold)) {
                continue;
            }
            const float* p = &prior[i * 4];
            const float* v = &prior[(n + i) * 4];
            const float* l = &loc[i * 4];
            const float w = p[2] - p[0], h = p[3] - p[1];
            const float cx = v[0] * l[0] * w + (p[0] + p[2]) / 2, cy = v[1] * l[1] * h + (p[1] + p[3]) / 2;
            const float bw = std::exp(v[2] * l[2]) * w, bh = std::exp(v[3] * l[3]) * h;
            found.push_back({c, score, {cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2}});
        }
        const auto by_score = [](const Detection& a, const Detection& b) { return a.score > b.score; };
        std::stable_sort(found.begin(), found.end(), by_score);
        if (found.size() > nms_top_k) {
            found.resize(nms_top_k);
        }
        std::vector<Detection> kept;
        for (const Detection& d : found) {
            const bool good = std::all_of(kept.begin(), kept.end(), [&](const Detection& k) {
                return overlap(d.box, k.box) <= static_cast<double>(nms);
            });
            if (good) {
                kept.push_back(d);
            }
        }
        all.insert(all.end(), kept.begin(), kept.end());
    }
    std::stable_sort(all.begin(), all.end(), [](const Detection& a, const Detection& b) { return a.score > b.score; });
    if (all.size() > keep_top_k) {
        all.resize(keep_top_k);
    }
    return all;
}

struct Head {
    Floats loc, conf, prior;
    int priors, classes;
};

Head random_head(int priors, int classes, unsigned seed) {
    std::mt19937 rng(seed);
    const auto unit = [&] { return static_cast<float>(rng() % 100003) / 100003.0F; };
    Head head{{}, {}, {}, priors, classes};
    for (int i = 0; i < priors; ++i) {
        const float x = unit() * 0.8F, y = unit() * 0.8F;
        for (float v : {x, y, x + 0.05F + unit() * 0.3F, y + 0.05F + unit() * 0.3F}) {
            head.prior.push_back(v);
        }
        for (int k = 0; k < 4; ++k) {
            head.loc.push_back(unit() * 2 - 1);
        }
        for (int c = 0; c < classes; ++c) {
            head.conf.push_back(unit());
        }
    }
    for (int i = 0; i < priors; ++i) {
        head.prior.insert(head.prior.end(), {0.1F, 0.1F, 0.2F, 0.2F});
    }
    return head;
}

std::vector<HostTensor> inputs_of(const Head& head, Strides strides = Strides::kDense) {
    return {HostTensor::floats(Shape(head.priors * 4), head.loc, strides),
            HostTensor::floats(Shape(head.priors, head.classes), head.conf, strides),
            HostTensor::floats(Shape(2, head.priors * 4), head.prior, strides)};
}

TEST(DetectionOutput, MatchesPlainLoops) {
    struct Settings {
        int classes;
        float nms;
        int nms_top_k, keep_top_k;
        float threshold;
    };
    unsigned seed = 1;
    for (const Settings& s : {Settings{21, 0.45F, 400, 200, 0.3F}, Settings{2, 0.3F, 20, 5, 0.01F},
                              Settings{5, 0.6F, -1, -1, 0.5F}, Settings{3, 0.0F, 100, 100, 0.0F}}) {
        const Head head = random_head(300, s.classes, seed++);
        const auto expected =
            reference(head.loc, head.conf, head.prior, s.classes, s.nms, s.nms_top_k < 0 ? 1000000 : s.nms_top_k,
                      s.keep_top_k < 0 ? 1000000 : static_cast<size_t>(s.keep_top_k), s.threshold);
        const ParamDict dict =
            dict_of({{0, s.classes}, {1, s.nms}, {2, s.nms_top_k}, {3, s.keep_top_k}, {4, s.threshold}});
        for (const Strides strides : {Strides::kDense, Strides::kLoose}) {
            const auto result = test::run_layer("DetectionOutput", dict, {}, inputs_of(head, strides));
            ASSERT_TRUE(result.ok()) << result.status().message();
            ASSERT_EQ((*result)[0].tensor().shape, Shape(static_cast<int>(expected.size()), 6));
            const Floats rows = (*result)[0].values();
            for (size_t i = 0; i < expected.size(); ++i) {
                EXPECT_EQ(rows[i * 6], static_cast<float>(expected[i].label)) << "row " << i;
                EXPECT_EQ(rows[i * 6 + 1], expected[i].score);
                for (size_t k = 0; k < 4; ++k) {
                    EXPECT_NEAR(rows[i * 6 + 2 + k], expected[i].box[k], 1e-6);
                }
            }
        }
    }
}

TEST(DetectionOutput, NothingFoundIsNoRows) {
    const Head head = random_head(10, 3, 4);
    const auto result = test::run_layer("DetectionOutput", dict_of({{0, 3}, {4, 2.0F}}), {}, inputs_of(head));
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_EQ((*result)[0].tensor().shape, Shape(0, 6));
}

TEST(DetectionOutput, SurvivesNumbersThatAreNone) {
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 0.0F};
    Head head = random_head(600, 4, 9);
    std::mt19937 rng(2);
    for (Floats* values : {&head.loc, &head.conf, &head.prior}) {
        for (float& v : *values) {
            v = rng() % 3 == 0 ? odd[rng() % 6] : v;
        }
    }
    const auto result =
        test::run_layer("DetectionOutput", dict_of({{0, 4}, {4, -1.0F}, {2, -1}, {3, 50}}), {}, inputs_of(head));
    ASSERT_TRUE(result.ok()) << result.status().message();
    const Floats rows = (*result)[0].values();
    ASSERT_EQ(rows.size(), 300U);
    for (size_t i = 1; i < 50; ++i) {
        EXPECT_GE(rows[(i - 1) * 6 + 1], rows[i * 6 + 1]);
    }
}

TEST(DetectionOutput, EqualScoresKeepTheOrderOfThePriors) {
    Head head = random_head(200, 2, 11);
    std::fill(head.conf.begin(), head.conf.end(), 0.5F);
    const auto expected = reference(head.loc, head.conf, head.prior, 2, 0.3F, 50, 100, 0.1F);
    const auto result =
        test::run_layer("DetectionOutput", dict_of({{0, 2}, {1, 0.3F}, {2, 50}, {4, 0.1F}}), {}, inputs_of(head));
    ASSERT_TRUE(result.ok());
    const Floats rows = (*result)[0].values();
    ASSERT_EQ(rows.size(), expected.size() * 6);
    for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(rows[i * 6 + 2], expected[i].box[0], 1e-6);
    }
}

// MXNet's form: scores by class, priors without variances.
TEST(DetectionOutput, TakesMxnetsForm) {
    const Head head = random_head(100, 4, 17);
    Floats by_class(head.conf.size());
    for (size_t i = 0; i < 100; ++i) {
        for (size_t c = 0; c < 4; ++c) {
            by_class[c * 100 + i] = head.conf[i * 4 + c];
        }
    }
    const Floats corners(head.prior.begin(), head.prior.begin() + 400);
    const auto result =
        test::run_layer("DetectionOutput", dict_of({{0, -233}, {1, 0.45F}, {4, 0.6F}}), {},
                        {HostTensor::floats(Shape(400), head.loc), HostTensor::floats(Shape(4, 100), by_class),
                         HostTensor::floats(Shape(100, 4), corners)});
    ASSERT_TRUE(result.ok()) << result.status().message();
    const auto expected = reference(head.loc, head.conf, head.prior, 4, 0.45F, 300, 100, 0.6F);
    EXPECT_EQ((*result)[0].tensor().shape[0], static_cast<int>(expected.size()));
    EXPECT_EQ((*result)[0].values()[1], expected[0].score);
}

TEST(DetectionOutput, RefusesBadParametersAndShapes) {
    const auto load = [](const ParamDict& dict) { return test::load_layer("DetectionOutput", dict).status().code(); };
    EXPECT_EQ(load({}), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, 1}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, 3}, {2, 0}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{0, 3}, {3, 0}})), Code::kInvalidArgument);
    auto layer = test::load_layer("DetectionOutput", dict_of({{0, 3}}));
    ASSERT_TRUE(layer.ok());
    const auto infer = [&](const Shape& loc, const Shape& conf, const Shape& prior) {
        const TensorDesc in[] = {{loc, DType::kFloat32, {}}, {conf, DType::kFloat32, {}}, {prior, DType::kFloat32, {}}};
        return test::infer_layer(**layer, in, 1).status().code();
    };
    EXPECT_EQ(infer(Shape(40), Shape(10, 3), Shape(2, 40)), Code::kOk);
    EXPECT_EQ(infer(Shape(40), Shape(30), Shape(2, 40)), Code::kOk);
    EXPECT_EQ(infer(Shape(36), Shape(10, 3), Shape(2, 40)), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(40), Shape(10, 4), Shape(2, 40)), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(40), Shape(10, 3), Shape(1, 40)), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(40), Shape(10, 3), Shape(2, 41)), Code::kInvalidArgument);
    EXPECT_EQ(infer(Shape(2), Shape(1), Shape(2, 2)), Code::kInvalidArgument);
}

// ---------------------------------------------------------------------------------------------------------------------

// Channels x, y, w, h, objectness, classes of each box; one cell is set, the others have objectness -20.
HostTensor yolo_map(int boxes, int classes, int size, int box, int y, int x, const Floats& values, Strides strides) {
    const int each = 5 + classes;
    Floats data(static_cast<size_t>(boxes * each * size * size), -20.0F);
    for (size_t k = 0; k < values.size(); ++k) {
        data[static_cast<size_t>(((box * each + static_cast<int>(k)) * size + y) * size + x)] = values[k];
    }
    return HostTensor::floats(Shape(boxes * each, size, size), data, strides);
}

double sigmoid(double v) {
    return 1 / (1 + std::exp(-v));
}

TEST(Yolov3DetectionOutput, DecodesOneCellOfEachInput) {
    const ParamDict dict = dict_of({{0, 3},
                                    {1, 2},
                                    {2, 0.3F},
                                    {3, 0.45F},
                                    {4, Floats{10, 20, 30, 40, 50, 60, 70, 80}},
                                    {5, Ints{2, 3, 0, 1}},
                                    {6, Floats{32, 16}}});
    for (const Strides strides : {Strides::kDense, Strides::kPlain, Strides::kLoose}) {
        const HostTensor coarse = yolo_map(2, 3, 2, 1, 1, 0, {0.5F, -0.5F, 0.2F, 0.1F, 2.0F, -1, 3, 1}, strides);
        const HostTensor fine = yolo_map(2, 3, 4, 0, 2, 3, {0, 0, 0, 0, 5.0F, 4, 1, 1}, strides);
        const auto result = test::run_layer("Yolov3DetectionOutput", dict, {}, {coarse, fine});
        ASSERT_TRUE(result.ok()) << result.status().message();
        ASSERT_EQ((*result)[0].tensor().shape, Shape(2, 6));
        const double cx = sigmoid(0.5) / 2, cy = (1 + sigmoid(-0.5)) / 2;
        const double w = std::exp(0.2) * 70 / 64, h = std::exp(0.1) * 80 / 64;
        expect_near((*result)[0].values(),
                    {1, static_cast<float>(sigmoid(5) * sigmoid(4)), 0.875F - 5.0F / 64, 0.625F - 10.0F / 64,
                     0.875F + 5.0F / 64, 0.625F + 10.0F / 64, 2, static_cast<float>(sigmoid(2) * sigmoid(3)),
                     static_cast<float>(cx - w / 2), static_cast<float>(cy - h / 2), static_cast<float>(cx + w / 2),
                     static_cast<float>(cy + h / 2)},
                    1e-5);
    }
}

TEST(Yolov3DetectionOutput, ReadsAMaskOfFloatBits) {
    ParamDict dict = dict_of({{0, 1}, {1, 1}, {2, 0.3F}, {4, Floats{1, 2, 3, 4, 5, 6, 7, 8}}, {6, Floats{32}}});
    const HostTensor map = yolo_map(1, 1, 2, 0, 0, 0, {0, 0, 0, 0, 5, 5}, Strides::kDense);
    std::vector<Floats> results;
    for (const ParamDict::Value& mask :
         {ParamDict::Value(Ints{3}), ParamDict::Value(Floats{3.0F}), ParamDict::Value(Ints{1077936128})}) {
        dict.set(5, mask);
        const auto result = test::run_layer("Yolov3DetectionOutput", dict, {}, {map});
        ASSERT_TRUE(result.ok()) << result.status().message();
        results.push_back((*result)[0].values());
        EXPECT_NEAR(results.back()[4] - results.back()[2], 7.0F / 64, 1e-6);
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
    dict.set(5, Ints{0x7f800000});
    EXPECT_EQ(test::load_layer("Yolov3DetectionOutput", dict).status().code(), Code::kInvalidArgument);
}

TEST(Yolov3DetectionOutput, RefusesBadParameters) {
    const auto load = [](const ParamDict& dict) {
        return test::load_layer("Yolov3DetectionOutput", dict).status().code();
    };
    EXPECT_EQ(load(dict_of({{0, 0}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{1, 1}, {4, Floats{1, 2}}, {5, Ints{1}}, {6, Floats{32}}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{1, 1}, {4, Floats{1, 2}}, {5, Ints{-1}}, {6, Floats{32}}})), Code::kInvalidArgument);
    EXPECT_EQ(load(dict_of({{1, 1}, {4, Floats{1, 2}}, {5, Ints{0}}, {6, Floats{NAN}}})), Code::kInvalidArgument);
    const ParamDict good = dict_of({{0, 1}, {1, 1}, {4, Floats{1, 2}}, {5, Ints{0}}, {6, Floats{32}}});
    const HostTensor map = yolo_map(1, 1, 2, 0, 0, 0, {}, Strides::kDense);
    EXPECT_TRUE(test::run_layer("Yolov3DetectionOutput", good, {}, {map}).ok());
    EXPECT_EQ(test::run_layer("Yolov3DetectionOutput", good, {}, {map, map}).status().code(), Code::kInvalidArgument);
    EXPECT_EQ(test::run_layer("Yolov3DetectionOutput", good, {}, {map_of(2, 2)}).status().code(),
              Code::kInvalidArgument);
}

TEST(Yolov3DetectionOutput, SurvivesNumbersThatAreNone) {
    const ParamDict dict = dict_of({{0, 2}, {1, 1}, {2, 0.0F}, {4, Floats{1, 2}}, {5, Ints{0}}, {6, Floats{32}}});
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38F, -3e38F, 0.0F};
    Floats values(7 * 8 * 8);
    std::mt19937 rng(2);
    for (float& v : values) {
        v = odd[rng() % 6];
    }
    const auto result =
        test::run_layer("Yolov3DetectionOutput", dict, {}, {HostTensor::floats(Shape(7, 8, 8), values)});
    ASSERT_TRUE(result.ok()) << result.status().message();
    EXPECT_LE((*result)[0].tensor().shape[0], 64);
}

TEST(YoloDetectionOutput, TakesTheShareOfTheBestClass) {
    const ParamDict dict = dict_of({{0, 3}, {1, 2}, {2, 0.1F}, {3, 0.45F}, {4, Floats{1, 2, 0.5F, 4}}});
    const HostTensor map = yolo_map(2, 3, 4, 1, 1, 2, {0, 0, 0, 0, 1.0F, 0.5F, 2, 1}, Strides::kDense);
    const auto result = test::run_layer("YoloDetectionOutput", dict, {}, {map});
    ASSERT_TRUE(result.ok()) << result.status().message();
    const double share = std::exp(2) / (std::exp(0.5) + std::exp(2) + std::exp(1));
    expect_near((*result)[0].values(),
                {2, static_cast<float>(sigmoid(1) * share), 0.625F - 0.0625F, 0.375F - 0.5F, 0.625F + 0.0625F, 0.875F},
                1e-5);
    EXPECT_EQ(test::load_layer("YoloDetectionOutput", dict_of({{0, 3}, {1, 2}, {4, Floats{1, 2, 3}}})).status().code(),
              Code::kInvalidArgument);
}

TEST(YoloDetectionOutput, SuppressesOverAllClasses) {
    // Two boxes of a cell with one anchor and two classes: the weaker goes though its class differs.
    const ParamDict dict = dict_of({{0, 2}, {1, 2}, {2, 0.1F}, {3, 0.45F}, {4, Floats{1, 1, 1, 1}}});
    Floats data(14, 0.0F);
    data[4] = 3.0F;
    data[5] = 5.0F;
    data[11] = 2.0F;
    data[13] = 5.0F;
    const auto result = test::run_layer("YoloDetectionOutput", dict, {}, {HostTensor::floats(Shape(14, 1, 1), data)});
    ASSERT_TRUE(result.ok()) << result.status().message();
    ASSERT_EQ((*result)[0].tensor().shape, Shape(1, 6));
    EXPECT_EQ((*result)[0].values()[0], 1.0F);
}

// Regions are computed: they may be anything.
TEST(RoiAlign, RegionsOfAnySize) {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Floats boxes = {-1e30F, -1e30F, 1e30F, 1e30F, nan, 0,   1, 1, -inf, -inf,
                          inf,    inf,    0,     0,     inf, nan, 0, 0, 3e9F, 3e9F};
    for (const int max : {0, 1}) {
        for (const int aligned : {0, 1}) {
            const ParamDict dict = dict_of({{0, 2}, {1, 2}, {4, aligned}, {5, 1}, {24, max}});
            const auto result =
                test::run_layer("ROIAlign", dict, {}, {map_of(3, 3), HostTensor::floats(Shape(5, 4), boxes)});
            ASSERT_TRUE(result.ok()) << result.status().message();
            expect_near((*result)[0].values(), Floats(5 * 4, 0.0F), 0.0);
        }
    }
}

}  // namespace
}  // namespace fw
