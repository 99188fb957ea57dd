#include "calibrate/collect.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "base/parallel.h"
#include "common/progress.h"

namespace fw::tools {

namespace {

class Collector {
public:
    Collector(const Net& net, const std::vector<ListedImage>& images, const Preprocess& preprocess, Progress* progress)
        : net_(net), images_(images), preprocess_(preprocess), progress_(progress), messages_(images.size()) {}

    // Takes images until none is left or one failed; then adds its histograms to the shared ones.
    void work() {
        std::map<std::string, AbsHistogram> mine;
        int used = 0;
        for (size_t i = next_++; i < images_.size() && !failed_; i = next_++) {
            Result<Mat> input = load_input(images_[i].path, preprocess_);
            if (!input.ok()) {
                messages_[i] = input.status().message();
            } else if (Status status = run(images_[i].path, *input, &mine); !status.ok()) {
                fail(status);
            } else {
                ++used;
            }
            const std::lock_guard<std::mutex> lock(mutex_);
            progress_->update(++done_);
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        statistics_.images += used;
        for (const auto& [blob, histogram] : mine) {
            statistics_.blobs[blob].merge(histogram);
        }
    }

    Result<Statistics> finish() {
        if (failed_) {
            return status_;
        }
        for (std::string& message : messages_) {
            if (!message.empty()) {
                statistics_.unreadable.push_back(std::move(message));
            }
        }
        if (statistics_.images == 0) {
            return Status::error(Code::kInvalidArgument, "none of the %zu images can be read; the first: %s",
                                 images_.size(), statistics_.unreadable[0].c_str());
        }
        return std::move(statistics_);
    }

private:
    Status run(const std::string& path, const Mat& input, std::map<std::string, AbsHistogram>* histograms) {
        Extractor extractor = net_.create_extractor();
        extractor.set_observer([histograms](const std::string& blob, const Mat& value) -> Status {
            if (!(*histograms)[blob].add(Span<const float>(value.data(), static_cast<size_t>(value.count())))) {
                return Status::error(Code::kInvalidArgument, "blob '%s' holds inf or nan", blob.c_str());
            }
            return {};
        });
        Status status = extractor.input(net_.input_names()[0].c_str(), input);
        for (const std::string& output : net_.output_names()) {
            if (status.ok()) {
                Mat ignored;
                status = extractor.extract(output.c_str(), &ignored);
            }
        }
        return status.with_prefix("%s", path.c_str());
    }

    void fail(const Status& status) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!failed_) {
            status_ = status;
            failed_ = true;
        }
    }

    const Net& net_;
    const std::vector<ListedImage>& images_;
    const Preprocess& preprocess_;
    Progress* progress_;
    std::vector<std::string> messages_;  // of unreadable images; each element is written by one thread
    std::atomic<size_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;  // guards what follows
    int64_t done_ = 0;
    Statistics statistics_;
    Status status_;
};

}  // namespace

Result<Statistics> collect_statistics(const Net& net, const std::vector<ListedImage>& images,
                                      const Preprocess& preprocess, int threads, bool quiet) {
    if (net.input_names().size() != 1) {
        return Status::error(Code::kUnsupported, "the network has %zu inputs, calibration on images needs exactly one",
                             net.input_names().size());
    }
    Progress progress("calibrating", "images", static_cast<int64_t>(images.size()), quiet);
    Collector collector(net, images, preprocess, &progress);
    const size_t wanted = static_cast<size_t>(threads > 0 ? threads : hardware_threads());
    std::vector<std::thread> workers;
    for (size_t i = 1; i < std::min(wanted, images.size()); ++i) {
        workers.emplace_back([&collector] { collector.work(); });
    }
    collector.work();
    for (std::thread& worker : workers) {
        worker.join();
    }
    return collector.finish();
}

}  // namespace fw::tools
