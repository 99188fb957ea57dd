// Initializers, also those whose data lie in another file beside the model.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "onnx2fw/node_context.h"

namespace fw::onnx {

namespace {

bool parse_number(const std::string& text, uint64_t* out) {
    if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
        return false;
    }
    *out = std::strtoull(text.c_str(), nullptr, 10);
    return true;
}

// A name that stays within the model's folder.
bool inside_folder(const std::string& path) {
    if (path.empty() || path[0] == '/' || path.find('\\') != std::string::npos ||
        path.find('\0') != std::string::npos) {
        return false;
    }
    for (size_t start = 0; start <= path.size();) {
        const size_t end = std::min(path.find('/', start), path.size());
        if (path.compare(start, end - start, "..") == 0) {
            return false;
        }
        start = end + 1;
    }
    return true;
}

// Links are followed only to files in the model's folder, or in the folder of the file that the model's own name links
// to: an archive from elsewhere must not name files of this machine.
bool links_outside(const std::string& model, const std::string& folder, const std::string& location) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path file = fs::canonical(fs::path(folder) / location, error);
    if (error) {
        return false;  // there is none: opening it will say so
    }
    for (const fs::path& allowed : {fs::canonical(folder, error), fs::canonical(model, error).parent_path()}) {
        const fs::path relative = file.lexically_relative(allowed);
        if (!allowed.empty() && !relative.empty() && *relative.begin() != "..") {
            return false;
        }
    }
    return true;
}

// Is it a pipe or a device, which might never end or be never written?
bool is_special(const std::string& path) {
    std::error_code error;
    return std::filesystem::is_other(path, error);
}

}  // namespace

bool NodeContext::external_bytes(const TensorProto& tensor, Span<const uint8_t>* out) {
    std::string location;
    uint64_t offset = 0;
    uint64_t length = 0;
    bool has_length = false;
    for (const StringStringEntryProto& entry : tensor.external_data()) {
        bool ok = true;
        if (entry.key() == "location") {
            location = entry.value();
        } else if (entry.key() == "offset") {
            ok = parse_number(entry.value(), &offset);
        } else if (entry.key() == "length") {
            has_length = true;
            ok = parse_number(entry.value(), &length);
        }
        if (!ok) {
            error("external data of '%s': %s is '%s', expected a number", tensor.name().c_str(), entry.key().c_str(),
                  entry.value().c_str());
            return false;
        }
    }
    if (!inside_folder(location)) {
        error("external data of '%s' lie in '%s', expected a file in the model's folder", tensor.name().c_str(),
              location.c_str());
        return false;
    }
    if (c_.folder.empty()) {
        error("external data of '%s' lie in '%s', which cannot be read here", tensor.name().c_str(), location.c_str());
        return false;
    }
    if (links_outside(c_.file, c_.folder, location)) {
        error("external data of '%s': '%s' links to a file outside of the model's folder", tensor.name().c_str(),
              location.c_str());
        return false;
    }
    auto file = c_.external.find(location);
    if (file == c_.external.end()) {
        const std::string path = c_.folder + "/" + location;
        if (is_special(path)) {
            error("external data of '%s': '%s' is a pipe or device, expected a file", tensor.name().c_str(),
                  location.c_str());
            return false;
        }
        Result<FileData> data = map_file(path.c_str());
        if (!data.ok()) {
            error("external data of '%s': %s", tensor.name().c_str(), data.status().message());
            return false;
        }
        c_.budget += static_cast<int64_t>(data->bytes.size());
        file = c_.external.emplace(location, std::move(*data)).first;
    }
    const Span<const uint8_t> bytes = file->second.bytes;
    if (offset > bytes.size() || (has_length && length > bytes.size() - offset)) {
        error("external data of '%s': %llu bytes from byte %llu on, the file %s has %zu", tensor.name().c_str(),
              static_cast<unsigned long long>(length), static_cast<unsigned long long>(offset), location.c_str(),
              bytes.size());
        return false;
    }
    *out = {bytes.data() + offset,
            has_length ? static_cast<size_t>(length) : bytes.size() - static_cast<size_t>(offset)};
    return true;
}

bool NodeContext::load(Value* v) {
    if (v->constant != nullptr || v->initializer == nullptr) {
        return v->known;
    }
    Span<const uint8_t> external;
    if (v->initializer->data_location() == TensorProto::EXTERNAL && !external_bytes(*v->initializer, &external)) {
        v->known = false;
        return false;
    }
    Result<Constant> c = decode(*v->initializer, external);
    if (!c.ok()) {
        error("'%s': %s", v->initializer->name().c_str(), c.status().message());
        v->known = false;
        return false;
    }
    v->constant = std::make_shared<const Constant>(std::move(*c));
    return true;
}

}  // namespace fw::onnx
