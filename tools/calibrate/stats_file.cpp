#include "calibrate/stats_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>

#include "model/model_io.h"

namespace fw::tools {

namespace {

constexpr char kMagic[] = "fwstats 2\n";
constexpr size_t kMagicSize = sizeof kMagic - 1;
constexpr size_t kHashSize = 8;
constexpr uint64_t kHashStart = 0xcbf29ce484222325;

uint64_t fnv1a(Span<const uint8_t> bytes, uint64_t hash = kHashStart) {
    for (const uint8_t byte : bytes) {
        hash = (hash ^ byte) * 0x100000001b3;
    }
    return hash;
}

class Writer {
public:
    void raw(const void* data, size_t size) {
        const auto* first = static_cast<const uint8_t*>(data);
        bytes_.insert(bytes_.end(), first, first + size);
    }
    void whole(uint64_t value) {
        for (; value >= 0x80; value >>= 7) {
            bytes_.push_back(static_cast<uint8_t>(value | 0x80));
        }
        bytes_.push_back(static_cast<uint8_t>(value));
    }
    void fixed(uint64_t value, size_t size) {
        for (size_t i = 0; i < size; ++i) {
            bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
        }
    }
    void real(float value) {
        uint32_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        fixed(bits, sizeof bits);
    }
    void text(const std::string& value) {
        whole(value.size());
        raw(value.data(), value.size());
    }
    void reals(const std::vector<float>& values) {
        whole(values.size());
        for (const float value : values) {
            real(value);
        }
    }
    void bins(const std::vector<uint64_t>& counts) {
        whole(static_cast<uint64_t>(std::count_if(counts.begin(), counts.end(), [](uint64_t n) { return n != 0; })));
        size_t next = 0;
        for (size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] != 0) {
                whole(i - next);
                whole(counts[i]);
                next = i + 1;
            }
        }
    }
    std::vector<uint8_t> finish() {
        fixed(fnv1a(bytes_), kHashSize);
        return std::move(bytes_);
    }

private:
    std::vector<uint8_t> bytes_;
};

// Everything fails once something did, so that callers may check at the end of a part.
class Reader {
public:
    explicit Reader(Span<const uint8_t> bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    size_t left() const { return bytes_.size() - at_; }
    uint8_t byte() {
        ok_ = ok_ && at_ < bytes_.size();
        return ok_ ? bytes_.data()[at_++] : 0;
    }
    uint64_t fixed(size_t size) {
        uint64_t value = 0;
        for (size_t i = 0; i < size; ++i) {
            value |= uint64_t{byte()} << (8 * i);
        }
        return value;
    }
    uint64_t whole() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const uint64_t next = byte();
            value |= (next & 0x7f) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        ok_ = false;
        return 0;
    }
    // A number of things that take at least `size` bytes each.
    size_t count(size_t size) {
        const uint64_t value = whole();
        ok_ = ok_ && value <= left() / size;
        return ok_ ? static_cast<size_t>(value) : 0;
    }
    float real() {
        const auto bits = static_cast<uint32_t>(fixed(4));
        float value = 0.0F;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
    std::string text() {
        const size_t size = count(1);
        std::string value(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
        at_ += size;
        return value;
    }
    std::vector<float> reals() {
        std::vector<float> values(count(4));
        for (float& value : values) {
            value = real();
        }
        return values;
    }
    std::vector<uint64_t> bins() {
        const size_t filled = count(2);
        std::vector<uint64_t> counts(filled == 0 ? 0 : Histogram::kBins, 0);
        size_t next = 0;
        for (size_t i = 0; i < filled && ok_; ++i) {
            const uint64_t gap = whole();
            ok_ = ok_ && next < counts.size() && gap < counts.size() - next;
            if (ok_) {
                counts[next + gap] = whole();
                ok_ = ok_ && counts[next + gap] != 0;
                next += gap + 1;
            }
        }
        return counts;
    }

private:
    Span<const uint8_t> bytes_;
    size_t at_ = 0;
    bool ok_ = true;
};

bool all_finite_and(const std::vector<float>& values, float lo, float hi) {
    return std::all_of(values.begin(), values.end(), [&](float v) { return v >= lo && v <= hi; });
}

// What is wrong with a blob; nullptr = nothing.
const char* read_blob(Reader* in, int images, BlobStatistics* out) {
    ActivationStatistics& values = out->values;
    const float min = in->real();
    const float max = in->real();
    const int exponent = static_cast<int>(in->whole()) - 1024;
    const uint64_t zeros = in->whole();
    std::vector<uint64_t> negative = in->bins();
    std::vector<uint64_t> positive = in->bins();
    values.image_min = in->reals();
    values.image_max = in->reals();
    out->channel_absmax = in->reals();
    if (!in->ok()) {
        return "it ends too early";
    }
    if (!Histogram::restore(std::move(negative), std::move(positive), exponent, min, max, zeros, &values.histogram)) {
        return "its counts contradict each other";
    }
    const size_t ranges = values.image_min.size();
    if (ranges != values.image_max.size() || ranges > static_cast<size_t>(images)) {
        return "the number of its ranges is not that of the images";
    }
    if (!all_finite_and(values.image_min, min, 0.0F) || !all_finite_and(values.image_max, 0.0F, max) ||
        !all_finite_and(out->channel_absmax, 0.0F, values.histogram.absmax())) {
        return "a range lies outside that of the blob";
    }
    return nullptr;
}

// As parse_fit reads it; the same text for the same fit.
std::string fit_text(const Fit& fit) {
    char text[48] = "stretch";
    if (fit.kind == Fit::Kind::kCrop) {
        std::snprintf(text, sizeof text, "crop:%.17g", fit.share);
    } else if (fit.kind == Fit::Kind::kLetterbox) {
        std::snprintf(text, sizeof text, "letterbox:%d", fit.level);
    }
    return text;
}

bool same(const Preprocess& a, const Preprocess& b) {
    return a.pixel == b.pixel && a.width == b.width && a.height == b.height && a.mean == b.mean && a.norm == b.norm;
}

Status belongs_elsewhere(const std::string& path, const char* what) {
    return Status::error(Code::kInvalidArgument, "%s: was made with another %s", path.c_str(), what);
}

}  // namespace

uint64_t hash_of(const std::vector<ListedImage>& images) {
    uint64_t hash = kHashStart;
    for (const ListedImage& image : images) {
        // With the 0 at the end, so that "ab", "c" is not "a", "bc".
        hash = fnv1a({reinterpret_cast<const uint8_t*>(image.path.c_str()), image.path.size() + 1}, hash);
    }
    return hash;
}

std::vector<uint8_t> encode_statistics(const StatisticsFile& file) {
    Writer out;
    out.raw(kMagic, kMagicSize);
    ScaleTable head;
    head.model_hash = file.model_hash;
    head.preprocess = file.preprocess;
    out.text(head.to_text());
    out.text(fit_text(file.fit));
    out.fixed(file.images_hash, kHashSize);
    out.whole(file.listed);
    out.whole(file.done);
    const Statistics& statistics = file.statistics;
    out.whole(static_cast<uint64_t>(statistics.images));
    out.whole(statistics.unreadable.size());
    for (const std::string& message : statistics.unreadable) {
        out.text(message);
    }
    out.whole(statistics.blobs.size());
    for (const auto& [name, blob] : statistics.blobs) {
        const Histogram& histogram = blob.values.histogram;
        out.text(name);
        out.real(histogram.min());
        out.real(histogram.max());
        out.whole(static_cast<uint64_t>(int64_t{histogram.exponent()} + 1024));
        out.whole(histogram.zeros());
        out.bins(histogram.side(true));
        out.bins(histogram.side(false));
        out.reals(blob.values.image_min);
        out.reals(blob.values.image_max);
        out.reals(blob.channel_absmax);
    }
    return out.finish();
}

Result<StatisticsFile> decode_statistics(Span<const uint8_t> bytes, const char* source) {
    const auto damaged = [source](const char* why) {
        return Status::error(Code::kParseError, "%s: damaged statistics file: %s", source, why);
    };
    if (bytes.size() < kMagicSize + kHashSize || std::memcmp(bytes.data(), kMagic, kMagicSize) != 0) {
        return Status::error(Code::kParseError, "%s: no statistics file of calibrate, version 2", source);
    }
    const Span<const uint8_t> body(bytes.data(), bytes.size() - kHashSize);
    if (Reader({body.data() + body.size(), kHashSize}).fixed(kHashSize) != fnv1a(body)) {
        return damaged("its checksum does not fit");
    }
    Reader in({body.data() + kMagicSize, body.size() - kMagicSize});
    const std::string head_text = in.text();
    const Result<ScaleTable> head = ScaleTable::parse({head_text.data(), head_text.size()}, source);
    if (!head.ok()) {
        return head.status();
    }
    StatisticsFile file;
    file.model_hash = head->model_hash;
    file.preprocess = head->preprocess;
    const Result<Fit> fit = parse_fit(in.text());
    if (!fit.ok()) {
        return damaged("it names no way of fitting images");
    }
    file.fit = *fit;
    file.images_hash = in.fixed(kHashSize);
    file.listed = in.whole();
    file.done = in.whole();
    const uint64_t images = in.whole();
    const size_t unreadable = in.count(1);
    if (!in.ok() || file.done > file.listed || images > std::numeric_limits<int>::max() ||
        images + unreadable != file.done) {
        return damaged("its numbers of images contradict each other");
    }
    file.statistics.images = static_cast<int>(images);
    for (size_t i = 0; i < unreadable; ++i) {
        file.statistics.unreadable.push_back(in.text());
    }
    for (size_t blobs = in.count(16); blobs > 0; --blobs) {
        const std::string name = in.text();
        BlobStatistics& blob = file.statistics.blobs[name];
        if (const char* why = read_blob(&in, file.statistics.images, &blob)) {
            return Status::error(Code::kParseError, "%s: damaged statistics file: blob '%.100s': %s", source,
                                 name.c_str(), why);
        }
    }
    if (!in.ok() || in.left() != 0) {
        return damaged("it is longer or shorter than it says");
    }
    return file;
}

Result<StatisticsFile> load_statistics(const std::string& path) {
    FW_ASSIGN_OR_RETURN(const FileData file, map_file(path.c_str()));
    return decode_statistics(file.bytes, path.c_str());
}

Status save_statistics(const std::string& path, const StatisticsFile& file) {
    return write_file_atomic(path.c_str(), encode_statistics(file));
}

void merge_statistics(const Statistics& other, Statistics* into) {
    for (const auto& [name, blob] : other.blobs) {
        BlobStatistics& out = into->blobs[name];
        out.values.histogram.merge(blob.values.histogram);
        const auto append = [](const std::vector<float>& more, std::vector<float>* to) {
            to->insert(to->end(), more.begin(), more.end());
        };
        append(blob.values.image_min, &out.values.image_min);
        append(blob.values.image_max, &out.values.image_max);
        out.channel_absmax.resize(std::max(out.channel_absmax.size(), blob.channel_absmax.size()), 0.0F);
        for (size_t c = 0; c < blob.channel_absmax.size(); ++c) {
            out.channel_absmax[c] = std::max(out.channel_absmax[c], blob.channel_absmax[c]);
        }
    }
    into->images += other.images;
    into->unreadable.insert(into->unreadable.end(), other.unreadable.begin(), other.unreadable.end());
}

Result<StatisticsFile> merge_files(const std::vector<std::string>& paths) {
    StatisticsFile all;
    std::vector<uint64_t> seen;
    for (const std::string& path : paths) {
        FW_ASSIGN_OR_RETURN(const StatisticsFile part, load_statistics(path));
        if (!part.complete()) {
            return Status::error(
                Code::kInvalidArgument, "%s: has %llu of its %llu images: run its --collect-only again to its end",
                path.c_str(), static_cast<unsigned long long>(part.done), static_cast<unsigned long long>(part.listed));
        }
        if (std::find(seen.begin(), seen.end(), part.images_hash) != seen.end()) {
            return Status::error(Code::kInvalidArgument, "%s: counts the same images as a file before it",
                                 path.c_str());
        }
        if (seen.empty()) {
            all.model_hash = part.model_hash;
            all.preprocess = part.preprocess;
            all.fit = part.fit;
        } else if (part.model_hash != all.model_hash) {
            return belongs_elsewhere(path, "model than the files before it");
        } else if (!same(part.preprocess, all.preprocess)) {
            return belongs_elsewhere(path, "preprocessing than the files before it");
        } else if (fit_text(part.fit) != fit_text(all.fit)) {
            return belongs_elsewhere(path, "--fit than the files before it");
        }
        seen.push_back(part.images_hash);
        merge_statistics(part.statistics, &all.statistics);
        all.listed += part.listed;
        all.done += part.done;
        all.images_hash = all.images_hash * 31 + part.images_hash;
    }
    return all;
}

Result<StatisticsFile> collect_into_file(const Net& net, const ImageSet& set, const std::string& path) {
    StatisticsFile file;
    FW_ASSIGN_OR_RETURN(file.model_hash, net.model_hash());
    file.preprocess = set.preprocess;
    file.fit = set.fit;
    file.images_hash = hash_of(set.images);
    file.listed = set.images.size();
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) {
        FW_ASSIGN_OR_RETURN(StatisticsFile earlier, load_statistics(path));
        if (earlier.model_hash != file.model_hash) {
            return belongs_elsewhere(path, "model");
        }
        if (!same(earlier.preprocess, file.preprocess)) {
            return belongs_elsewhere(path, "preprocessing");
        }
        if (fit_text(earlier.fit) != fit_text(file.fit)) {
            return belongs_elsewhere(path, "--fit");
        }
        if (earlier.images_hash != file.images_hash || earlier.listed != file.listed) {
            return belongs_elsewhere(path, "list of images");
        }
        if (earlier.complete()) {
            return Status::error(Code::kInvalidArgument, "%s: is complete already; delete it to count again",
                                 path.c_str());
        }
        file = std::move(earlier);
    }
    while (!file.complete()) {
        ImageSet part = set;
        const auto begin = set.images.begin() + static_cast<ptrdiff_t>(file.done);
        const size_t count = std::min(kCheckpointImages, set.images.size() - static_cast<size_t>(file.done));
        part.images.assign(begin, begin + static_cast<ptrdiff_t>(count));
        part.before = file.done;
        part.total = file.listed;
        FW_ASSIGN_OR_RETURN(const Statistics counted, count_images(net, part));
        merge_statistics(counted, &file.statistics);
        file.done += count;
        FW_RETURN_IF_ERROR(save_statistics(path, file));
    }
    FW_RETURN_IF_ERROR(check_readable(file.statistics));
    return file;
}

}  // namespace fw::tools
