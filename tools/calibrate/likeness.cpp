#include "calibrate/likeness.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "calibrate/make_table.h"
#include "metrics/accuracy.h"
#include "metrics/agreement.h"
#include "model/model_io.h"

namespace fw::tools {

namespace {

bool is_one_of(const std::string& type, std::initializer_list<const char*> types) {
    return std::any_of(types.begin(), types.end(), [&](const char* t) { return type == t; });
}

// Index of the largest of `channels` values, `stride` apart.
size_t largest(const float* values, size_t channels, size_t stride) {
    size_t best = 0;
    for (size_t c = 1; c < channels; ++c) {
        best = values[c * stride] > values[best * stride] ? c : best;
    }
    return best;
}

}  // namespace

ImageSet some_of(const ImageSet& set, size_t most) {
    ImageSet some = set;
    const size_t count = std::min(most, set.images.size());
    some.images.clear();
    for (size_t i = 0; i < count; ++i) {
        some.images.push_back(set.images[i * set.images.size() / count]);
    }
    return some;
}

Answers find_answers(const Graph& graph) {
    Answers answers;
    std::set<ValueId> seen;
    // `scores`: the value's largest channel is a choice; `below`: no detection output stands behind it.
    const auto walk = [&](const auto& self, ValueId id, bool below, bool scores) -> void {
        if (!seen.insert(id).second) {
            return;
        }
        const Value& value = graph.value(id);
        const std::string type = value.producer == kNone ? "Input" : graph.node(value.producer).type;
        if (is_one_of(type, {"Input", "PriorBox", "MemoryData"})) {
            return;
        }
        const bool detects = is_one_of(type, {"DetectionOutput", "YoloDetectionOutput", "Yolov3DetectionOutput"});
        const bool chooses = is_one_of(type, {"Softmax", "ArgMax"});
        if (detects || chooses || is_one_of(type, {"Flatten", "Reshape", "Permute", "Squeeze", "ExpandDims"})) {
            // The classes of a detector's priors are not the network's answer, nor are those along another axis.
            const Node& node = graph.node(value.producer);
            const bool along_channels = type == "Softmax" && node.params.get(0, 0) == 0;
            for (const ValueId input : node.inputs) {
                self(self, input, below && !detects, scores || along_channels || type == "ArgMax");
            }
            return;
        }
        answers.blobs.push_back(value.name);
        if (below && scores && answers.scores.empty()) {
            answers.scores = value.name;
        }
    };
    for (const NodeId id : graph.order()) {
        for (const ValueId output : graph.node(id).outputs) {
            if (graph.value(output).output) {
                walk(walk, output, true, false);
            }
        }
    }
    return answers;
}

Result<Comparison::ImageAnswers> Comparison::answers_of(const Net& net, const Blobs& inputs) const {
    Extractor extractor = net.create_extractor();
    FW_RETURN_IF_ERROR(set_inputs(net, inputs, &extractor));
    ImageAnswers answers;
    for (const std::string& blob : answers_.blobs) {
        Mat out;
        FW_RETURN_IF_ERROR(extractor.extract(blob.c_str(), &out));
        std::vector<float> values(out.data(), out.data() + out.count());
        // Channels in front, as the number of them: what agreement needs to know of the shape.
        values.insert(values.begin(), static_cast<float>(out.shape().rank >= 3 ? out.c() : out.shape()[0]));
        answers.blobs.push_back(std::move(values));
    }
    if (labelled() || judge_.task == Task::kDetect) {
        FW_RETURN_IF_ERROR(extractor.extract(net.output_names().back().c_str(), &answers.output));
    }
    return answers;
}

Status Comparison::run(const Net& net, const char* title,
                       const std::function<Status(size_t, ImageAnswers)>& take) const {
    return for_each_image<ImageAnswers>(
        set_, title, [&](const Blobs& inputs) { return answers_of(net, inputs); }, take,
        [](size_t, const Status&) { return Status(); });
}

Status Comparison::bound_memory(const Net& net) {
    for (size_t i = 0; i < set_.images.size() && !labelled(); ++i) {
        const Result<Blobs> inputs = load_checked(set_, i);
        if (!inputs.ok()) {
            continue;
        }
        FW_ASSIGN_OR_RETURN(const ImageAnswers answers, answers_of(net, *inputs));
        size_t bytes = static_cast<size_t>(answers.output.count()) * sizeof(float);
        for (const std::vector<float>& blob : answers.blobs) {
            bytes += blob.size() * sizeof(float);
        }
        set_ = some_of(set_, std::max<size_t>(1, kAnswerBytes / std::max<size_t>(1, bytes)));
        break;
    }
    return {};
}

Result<Comparison> Comparison::create(const NetOptions& files, const ImageSet& set, const Judge& judge) {
    Comparison out;
    out.judge_ = judge;
    if (!judge.labels.empty()) {
        FW_ASSIGN_OR_RETURN(out.truths_, read_truth(judge.task, judge.labels, set.images));
    }
    out.files_ = files;
    out.files_.precision = "float";
    out.files_.threads = 1;
    out.set_ = set;
    FW_ASSIGN_OR_RETURN(const NetDef def, load_net_def(files.param.c_str(), files.bin.c_str()));
    FW_ASSIGN_OR_RETURN(const Graph graph, optimized_graph(def));
    if (!out.labelled()) {
        out.answers_ = find_answers(graph);
    }
    Net net;
    FW_RETURN_IF_ERROR(load_net(out.files_, false, &net));
    FW_RETURN_IF_ERROR(out.bound_memory(net));
    out.reference_.resize(out.set_.images.size());
    Accuracy accuracy(judge.task);
    const auto keep = [&](size_t index, ImageAnswers answers) -> Status {
        if (out.labelled()) {
            return accuracy.add(out.truths_[index], answers.output);
        }
        out.reference_[index] = std::move(answers);
        return {};
    };
    FW_RETURN_IF_ERROR(out.run(net, "float", keep));
    if (out.labelled() && accuracy.images() == 0) {
        return Status::error(Code::kInvalidArgument, "%s: names none of the images", judge.labels.c_str());
    }
    out.float_accuracy_ = accuracy.percent();
    const auto unnamed = std::count_if(out.truths_.begin(), out.truths_.end(), [](const auto& t) { return !t.known; });
    if (unnamed > 0) {
        out.note_ = judge.labels + ": names " + std::to_string(out.truths_.size() - static_cast<size_t>(unnamed)) +
                    " of the " + std::to_string(out.truths_.size()) + " images: the others do not count";
    }
    // Of one vector, the largest element is taken for the answer, and of a segmenter's one output each pixel's largest
    // channel.
    for (const ImageAnswers& image : out.reference_) {
        const auto& blobs = image.blobs;
        const bool vector =
            blobs.size() == 1 && blobs[0].size() > 2 && static_cast<size_t>(blobs[0][0]) == blobs[0].size() - 1;
        const bool map = blobs.size() == 1 && judge.task == Task::kSegment && blobs[0][0] > 1.0F;
        if (vector && judge.task == Task::kSegment) {
            return Status::error(Code::kInvalidArgument,
                                 "--task segment: '%s' has one score a class, not one for every pixel",
                                 out.answers_.blobs[0].c_str());
        }
        if (out.answers_.scores.empty() && (vector || map)) {
            out.answers_.scores = out.answers_.blobs[0];
        }
    }
    return out;
}

Result<Likeness> Comparison::compare(ScaleTable table, const char* title) const {
    Option option;
    option.precision = Precision::kInt8;
    option.threads = 1;
    Net net;
    FW_RETURN_IF_ERROR(net.set_option(option));
    FW_RETURN_IF_ERROR(net.load_table(std::move(table)));
    FW_RETURN_IF_ERROR(net.load_model(files_.param.c_str(), files_.bin.c_str()));
    std::vector<double> signal(answers_.blobs.size(), 0.0);
    std::vector<double> noise(answers_.blobs.size(), 0.0);
    size_t places = 0;
    size_t same = 0;
    Accuracy accuracy(judge_.task);
    Agreement boxes(judge_.task);
    const auto count = [&](size_t index, const ImageAnswers& answers) -> Status {
        if (labelled()) {
            return accuracy.add(truths_[index], answers.output);
        }
        const ImageAnswers& reference = reference_[index];
        if (judge_.task == Task::kDetect && !reference.blobs.empty()) {
            FW_RETURN_IF_ERROR(boxes.add(reference.output, answers.output));
        }
        for (size_t blob = 0; blob < reference.blobs.size(); ++blob) {
            const std::vector<float>& x = reference.blobs[blob];
            const std::vector<float>& y = answers.blobs[blob];
            if (x.size() != y.size()) {
                continue;
            }
            for (size_t i = 1; i < x.size(); ++i) {
                const double error = static_cast<double>(y[i]) - static_cast<double>(x[i]);
                signal[blob] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
                noise[blob] += error * error;
            }
            if (answers_.blobs[blob] == answers_.scores) {
                const auto channels = static_cast<size_t>(x[0]);
                const size_t stride = (x.size() - 1) / std::max<size_t>(1, channels);
                for (size_t i = 1; i <= stride; ++i) {
                    ++places;
                    same += largest(&x[i], channels, stride) == largest(&y[i], channels, stride) ? 1 : 0;
                }
            }
        }
        return {};
    };
    FW_RETURN_IF_ERROR(run(net, title, count));
    double relative = 0.0;
    for (size_t blob = 0; blob < signal.size(); ++blob) {
        relative += signal[blob] > 0.0 ? noise[blob] / signal[blob] / static_cast<double>(signal.size()) : 0.0;
    }
    Likeness likeness;
    likeness.accuracy = accuracy.percent();
    likeness.agreement = judge_.task == Task::kDetect ? boxes.percent()
                         : places == 0                ? 100.0
                                                      : 100.0 * static_cast<double>(same) / static_cast<double>(places);
    likeness.sqnr_db = relative > 0.0 ? -10.0 * std::log10(relative) : kEqualSqnr;
    return likeness;
}

}  // namespace fw::tools
