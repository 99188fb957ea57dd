#include "benchfw/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "benchfw/made_table.h"
#include "benchfw/noise.h"

namespace fw::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMib = 1048576.0;
/// Inputs that a table is made from.
constexpr uint32_t kTableInputs = 3;

double ms_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

const char* precision_name(const Option& option) {
    switch (option.precision) {
        case Precision::kAuto: return "auto";
        case Precision::kFloat: return "float";
        case Precision::kInt8: return "int8";
        case Precision::kFp16: return option.fp16_arithmetic ? "fp16_arithmetic" : "fp16";
    }
    return "";
}

/// A network in one precision.
class Subject {
public:
    Status load(const Source& source, const MeasureOptions& options, Precision precision, const ScaleTable* table) {
        Option option;
        option.threads = options.threads;
        option.precision = precision;
        option.device = options.device;
        option.device_fallback = options.device_fallback;
        option.pipeline_cache = options.pipeline_cache;
        option.ignore_table_model = options.ignore_table_model;
        option.disabled_passes = disabled_passes_;
        option.fp16 = options.fp16;
        option.fp16_arithmetic = options.fp16_arithmetic;
        option.bf16_arithmetic = options.bf16_arithmetic;
        option.winograd = options.winograd;
        option.split_attention = options.split_attention;
        FW_RETURN_IF_ERROR(net_.set_option(option));
        if (table != nullptr && precision != Precision::kFloat && precision != Precision::kFp16) {
            FW_RETURN_IF_ERROR(net_.load_table(*table));
        }
        const Clock::time_point begin = Clock::now();
        FW_RETURN_IF_ERROR(bench::load(source, &net_));
        result_.load_ms = ms_since(begin);
        result_.name = source.name;
        result_.precision = precision_name(option);
        result_.threads = options.threads;
        FW_ASSIGN_OR_RETURN(inputs_, noise_inputs(net_, options.input_shape, 0));
        input_names_ = net_.input_names();
        output_names_ = net_.output_names();
        extractor_ = std::make_unique<Extractor>(net_.create_extractor());
        return {};
    }

    /// One inference, from given inputs to all outputs.
    Status run(double* ms) {
        const Clock::time_point begin = Clock::now();
        for (size_t i = 0; i < inputs_.size(); ++i) {
            FW_RETURN_IF_ERROR(extractor_->input(input_names_[i].c_str(), inputs_[i]));
        }
        outputs_.resize(output_names_.size());
        for (size_t i = 0; i < outputs_.size(); ++i) {
            FW_RETURN_IF_ERROR(extractor_->extract(output_names_[i].c_str(), &outputs_[i]));
        }
        *ms = ms_since(begin);
        return {};
    }

    Status first() { return run(&result_.first_ms); }

    Status loop() {
        double ms = 0.0;
        FW_RETURN_IF_ERROR(run(&ms));
        times_.push_back(ms);
        return {};
    }

    Status profiled_loop() {
        extractor_->enable_profile(true);
        double ms = 0.0;
        FW_RETURN_IF_ERROR(run(&ms));
        // Steps of one inference add up; the fastest of each would not.
        if (profile_.empty() || ms < result_.profiled_ms) {
            result_.profiled_ms = ms;
            profile_ = extractor_->profile();
        }
        const std::vector<double>& steps = extractor_->profile();
        least_.resize(steps.size(), HUGE_VAL);
        std::transform(steps.begin(), steps.end(), least_.begin(), least_.begin(),
                       [](double a, double b) { return std::min(a, b); });
        extractor_->enable_profile(false);
        return {};
    }

    Result<NetResult> finish(const Machine& machine) {
        std::sort(times_.begin(), times_.end());
        const size_t half = times_.size() / 2;
        result_.loops = static_cast<int>(times_.size());
        result_.min_ms = times_.front();
        result_.max_ms = times_.back();
        result_.med_ms = times_.size() % 2 != 0 ? times_[half] : (times_[half - 1] + times_[half]) / 2;
        const MemoryUse memory = net_.memory_use();
        result_.activations_mib = static_cast<double>(memory.activations) / kMib;
        result_.least_activations_mib = static_cast<double>(memory.least_activations) / kMib;
        result_.weights_mib = static_cast<double>(memory.weights) / kMib;
        result_.device_weights_mib = static_cast<double>(memory.device_weights) / kMib;
        result_.output_hash = hash_outputs();
        FW_ASSIGN_OR_RETURN(const std::vector<LayerPlan> plan, net_.plan());
        const auto on_device =
            std::find_if(plan.begin(), plan.end(), [](const LayerPlan& step) { return step.device != "cpu"; });
        result_.device = on_device == plan.end() ? "cpu" : on_device->device;
        double least_ms = 0.0;
        for (const LayerPlan& step : plan) {
            result_.macs += step.macs;
            result_.conversions += step.is_conversion ? 1 : 0;
            const bool int8 = step.input_type == DType::kInt8;
            least_ms +=
                static_cast<double>(step.macs) * 1e-6 / (int8 ? machine.peak_int8_gmacs : machine.peak_fp32_gmacs);
        }
        result_.percent_of_peak = 100.0 * least_ms / result_.min_ms;
        add_layers(plan);
        return std::move(result_);
    }

    const Net& net() const { return net_; }
    /// To be called before load.
    void leave_out(const char* pass) { disabled_passes_.emplace_back(pass); }

private:
    std::string hash_outputs() const {
        uint64_t hash = 0xcbf29ce484222325U;
        for (const Mat& mat : outputs_) {
            const auto* bytes = reinterpret_cast<const unsigned char*>(mat.data());
            for (size_t i = 0; i < mat.bytes(); ++i) {
                hash = (hash ^ bytes[i]) * 0x100000001b3U;
            }
        }
        char text[17];
        std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(hash));
        return text;
    }

    void add_layers(const std::vector<LayerPlan>& plan) {
        if (profile_.empty()) {
            return;
        }
        result_.layers_ms = std::accumulate(profile_.begin(), profile_.end(), 0.0);
        for (size_t i = 0; i < profile_.size(); ++i) {
            LayerTime layer;
            layer.ms = profile_[i];
            layer.least_ms = least_[i];
            layer.percent = 100.0 * layer.ms / result_.layers_ms;
            if (i < plan.size()) {
                layer.plan = plan[i];
            } else {
                describe_copy(i - plan.size(), &layer);
            }
            layer.gmacs_per_s = layer.ms > 0.0 ? static_cast<double>(layer.plan.macs) * 1e-6 / layer.ms : 0.0;
            result_.conversion_percent += layer.plan.is_conversion ? layer.percent : 0.0;
            result_.layers.push_back(std::move(layer));
        }
    }

    void describe_copy(size_t output, LayerTime* copy) const {
        copy->is_copy = true;
        copy->plan.name = output_names_[output];
        copy->plan.type = "Output";
        copy->plan.kernel = "copy";
        copy->plan.device = "cpu";
        copy->plan.output = output_names_[output];
        copy->plan.output_shape = outputs_[output].shape();
        copy->plan.reason = "the caller's own";
    }

    std::vector<std::string> disabled_passes_;
    Net net_;
    std::unique_ptr<Extractor> extractor_;  // after the Net, which it keeps alive
    std::vector<std::string> input_names_, output_names_;
    std::vector<Mat> inputs_, outputs_;
    std::vector<double> times_;
    std::vector<double> profile_;  // of the fastest inference: its steps, then copies of its outputs
    std::vector<double> least_;    // of each of them
    NetResult result_;
};

Result<ScaleTable> table_for(const Source& source, const MeasureOptions& options) {
    Subject reference;
    reference.leave_out("fuse_activation");  // int8 may not fuse what float does, and needs the scale in between
    MeasureOptions in_parts = options;
    in_parts.split_attention = true;
    FW_RETURN_IF_ERROR(reference.load(source, in_parts, Precision::kFloat, nullptr));
    std::vector<std::vector<Mat>> inputs;
    for (uint32_t seed = 0; seed < kTableInputs; ++seed) {
        FW_ASSIGN_OR_RETURN(std::vector<Mat> mats, noise_inputs(reference.net(), options.input_shape, seed));
        inputs.push_back(std::move(mats));
    }
    return make_table(reference.net(), inputs);
}

}  // namespace

Result<std::vector<NetResult>> measure(const Source& source, const MeasureOptions& options, const Machine& machine) {
    ScaleTable made;
    const ScaleTable* table = options.table;
    const bool int8 = std::count(options.precisions.begin(), options.precisions.end(), Precision::kInt8) > 0;
    if (int8 && table == nullptr) {
        FW_ASSIGN_OR_RETURN(made, table_for(source, options));
        table = &made;
    }
    std::vector<Variant> variants;
    for (const Precision precision : options.precisions) {
        variants.push_back({precision, table});
    }
    return measure_variants(source, options, variants, machine);
}

Result<std::vector<NetResult>> measure_variants(const Source& source, const MeasureOptions& options,
                                                const std::vector<Variant>& variants, const Machine& machine) {
    std::vector<Subject> subjects(variants.size());
    for (size_t i = 0; i < subjects.size(); ++i) {
        FW_RETURN_IF_ERROR(subjects[i].load(source, options, variants[i].precision, variants[i].table));
        FW_RETURN_IF_ERROR(subjects[i].first());
        for (int w = 0; w < options.warmup; ++w) {
            double ignored = 0.0;
            FW_RETURN_IF_ERROR(subjects[i].run(&ignored));
        }
    }
    const Clock::time_point begin = Clock::now();
    const auto more = [&](int done) {
        return options.loops > 0 ? done < options.loops : done < kLeastLoops || ms_since(begin) < options.seconds * 1e3;
    };
    for (int i = 0; more(i); ++i) {
        for (Subject& subject : subjects) {
            FW_RETURN_IF_ERROR(subject.loop());
        }
        for (Subject& subject : subjects) {
            if (options.layers) {
                FW_RETURN_IF_ERROR(subject.profiled_loop());
            }
        }
    }
    std::vector<NetResult> results;
    for (Subject& subject : subjects) {
        FW_ASSIGN_OR_RETURN(NetResult result, subject.finish(machine));
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace fw::bench
