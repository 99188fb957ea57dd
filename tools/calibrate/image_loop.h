// Images through a function, several at a time, with results taken in the order of the list.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/parallel.h"
#include "common/image_file.h"
#include "common/progress.h"
#include "fw/net.h"

namespace fw::tools {

/// What to feed, and how.
struct ImageSet {
    std::vector<std::string> inputs;  ///< names of the network's; with several of them each of `images` is a folder
    std::vector<ListedImage> images;
    Preprocess preprocess;
    Fit fit;
    int threads = 0;  ///< images side by side, 0 = one for each core
    bool quiet = false;
    bool skip_bad = false;  ///< images that cannot be read are left out, not an error
    uint64_t before = 0;    ///< images of the whole that earlier sets had, and
    uint64_t total = 0;     ///< number of them all (0 = this set alone), for the display
};

using Blobs = std::map<std::string, Mat>;

/// The input made of one image; an error where it cannot be read, or where every pixel of [c x h x w] is alike: such an
/// image says nothing about a network's ranges, and most likely is not what was meant. Of a network with several
/// inputs, the file that input_file() names for each.
Result<Blobs> load_checked(const ImageSet& set, size_t index);

/// FOLDER/INPUT.npy, '/' in the name being '_'.
std::string input_file(const std::string& folder, const std::string& input);

/// For a network with several inputs: every listed .npy file that belongs to an input stands for its folder, which is
/// listed once; folders (of a list file) stay. An error at any other file.
Status group_by_folder(const std::vector<std::string>& inputs, std::vector<ListedImage>* images);

/// Calls `work(load(index))`, a Result<T>, for every image on worker threads; then `commit(index, T)` for each image,
/// one at a time and in the order of the list, so that sums do not depend on the number of threads. An image for which
/// `load`, a Result, fails goes to `unreadable(index, Status)` instead, in the same order. The first failure (of work
/// or of unreadable) in that order ends the loop and is returned, with the image's path before it. A few results a
/// thread are held at a time.
template <class T, class Load, class Work, class Commit, class Unreadable>
Status for_each_loaded(const ImageSet& set, const char* title, Load&& load, Work&& work, Commit&& commit,
                       Unreadable&& unreadable) {
    struct Outcome {
        Status read;
        Result<T> result = Status();
    };
    const size_t count = set.images.size();
    Progress progress(title, "images", static_cast<int64_t>(set.total > 0 ? set.total : count), set.quiet,
                      static_cast<int64_t>(set.before));
    std::mutex mutex;  // guards what follows
    std::map<size_t, Outcome> waiting;
    size_t committed = 0;
    Status failure;
    std::atomic<size_t> next{0};
    std::atomic<bool> failed{false};

    const auto deliver = [&](size_t index, Outcome outcome) {
        const std::lock_guard<std::mutex> lock(mutex);
        waiting.emplace(index, std::move(outcome));
        for (auto it = waiting.find(committed); it != waiting.end() && !failed; it = waiting.find(committed)) {
            const std::string& path = set.images[committed].path;
            Outcome& ready = it->second;
            Status status;
            if (!ready.read.ok()) {
                status = unreadable(committed, ready.read);
            } else if (!ready.result.ok()) {
                status = ready.result.status().with_prefix("%s", path.c_str());
            } else {
                status = commit(committed, std::move(*ready.result)).with_prefix("%s", path.c_str());
            }
            if (!status.ok()) {
                failure = status;
                failed = true;
            }
            waiting.erase(it);
            progress.update(static_cast<int64_t>(set.before + ++committed));
        }
    };
    const auto worker = [&] {
        for (size_t i = next++; i < count && !failed; i = next++) {
            Outcome outcome;
            const auto input = load(i);
            outcome.read = input.status();
            if (input.ok()) {
                outcome.result = work(*input);
            }
            deliver(i, std::move(outcome));
        }
    };
    const auto wanted = static_cast<size_t>(set.threads > 0 ? set.threads : hardware_threads());
    std::vector<std::thread> workers;
    for (size_t i = 1; i < std::min(wanted, count); ++i) {
        workers.emplace_back(worker);
    }
    worker();
    for (std::thread& thread : workers) {
        thread.join();
    }
    return failure;
}

/// for_each_loaded with load_checked: every image is decoded.
template <class T, class Work, class Commit, class Unreadable>
Status for_each_image(const ImageSet& set, const char* title, Work&& work, Commit&& commit, Unreadable&& unreadable) {
    return for_each_loaded<T>(
        set, title, [&](size_t index) { return load_checked(set, index); }, work, commit, unreadable);
}

/// Passes that take int8 blobs away and change no value: not for a network whose blobs are looked at.
inline std::vector<std::string> passes_that_hide_blobs() {
    return {"fuse_sum", "fuse_table", "fuse_pooling"};
}

/// Gives an inference those of `blobs` that are inputs of `net`.
Status set_inputs(const Net& net, const Blobs& blobs, Extractor* extractor);

/// Runs every output of `net` on its inputs, others in `inputs` are ignored, and shows each blob to `observer`.
Status run_observed(const Net& net, const Blobs& inputs, const Extractor::Observer& observer);

}  // namespace fw::tools
