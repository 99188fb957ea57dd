#include "model/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <deque>
#include <limits>

#include "model/model_io.h"

namespace fw {

namespace {

Status io_error(const std::string& path, const char* what, int error) {
    return Status::error(error == ENOENT || error == ENOTDIR ? Code::kNotFound : Code::kIoError, "%s: cannot %s: %s",
                         path.c_str(), what, std::strerror(error));
}

/// Closes the descriptor with the scope.
struct Descriptor {
    explicit Descriptor(int value) : fd(value) {}
    ~Descriptor() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int fd;
};

/// For what has no size: pipes, /proc.
Result<FileData> read_all(int fd, const char* path) {
    constexpr size_t kLimit = size_t{1} << 31;
    constexpr size_t kStep = size_t{1} << 16;
    auto data = std::make_shared<std::vector<uint8_t>>();
    for (;;) {
        const size_t used = data->size();
        if (used >= kLimit) {
            return Status::error(Code::kOutOfMemory, "%s: more than 2 GiB from a file that cannot be mapped", path);
        }
        data->resize(used + kStep);
        const ssize_t got = ::read(fd, data->data() + used, kStep);
        data->resize(used + static_cast<size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return io_error(path, "read", errno);
        }
    }
    FileData out;
    out.bytes = *data;
    out.owner = std::move(data);
    return out;
}

}  // namespace

Result<FileData> map_file(const char* path) {
    const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
    if (file.fd < 0) {
        return io_error(path, "open", errno);
    }
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) {
        return io_error(path, "read", errno);
    }
    if (S_ISDIR(info.st_mode)) {
        return Status::error(Code::kIoError, "%s: is a directory, expected a file", path);
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        return read_all(file.fd, path);
    }
    if (static_cast<uint64_t>(info.st_size) > std::numeric_limits<size_t>::max() / 2) {
        return Status::error(Code::kOutOfMemory, "%s: %" PRId64 " bytes do not fit this machine's address space", path,
                             static_cast<int64_t>(info.st_size));
    }
    const auto size = static_cast<size_t>(info.st_size);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (mapped == MAP_FAILED) {
        return read_all(file.fd, path);
    }
    FileData out;
    out.bytes = {static_cast<const uint8_t*>(mapped), size};
    out.owner = std::shared_ptr<const void>(mapped, [size](void* p) { ::munmap(p, size); });
    out.mapped = true;
    return out;
}

PendingFile::~PendingFile() {
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

Status PendingFile::write_and_close(int fd, const std::string& name, Span<const uint8_t> bytes, bool sync) {
    int error = fd < 0 ? errno : 0;
    size_t done = 0;
    while (error == 0 && done < bytes.size()) {
        const ssize_t put = ::write(fd, bytes.data() + done, std::min(bytes.size() - done, size_t{1} << 30));
        if (put >= 0) {
            done += static_cast<size_t>(put);
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (error == 0 && sync && ::fsync(fd) != 0) {
        error = errno;
    }
    if (fd >= 0 && ::close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error == 0 ? Status() : io_error(name, "write", error);
}

Status PendingFile::write(Span<const uint8_t> bytes) {
    struct stat info {};
    const bool exists = ::stat(path_.c_str(), &info) == 0;
    if (exists && S_ISDIR(info.st_mode)) {
        return Status::error(Code::kIoError, "%s: is a directory, expected a file", path_.c_str());
    }
    if (exists && !S_ISREG(info.st_mode)) {  // a pipe or a device must not be replaced
        return write_and_close(::open(path_.c_str(), O_WRONLY | O_CLOEXEC), path_, bytes, false);
    }
    static std::atomic<unsigned> counter{0};
    const std::string name = path_ + ".tmp" + std::to_string(::getpid()) + "." + std::to_string(counter++);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return io_error(path_, "write", errno);
    }
    temporary_ = name;
    if (exists) {  // keep the permissions of the file it replaces, as far as we may
        (void)!::fchmod(fd, info.st_mode & 0777);
    }
    return write_and_close(fd, path_, bytes, true);
}

Status PendingFile::commit() {
    if (temporary_.empty()) {
        return {};
    }
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
        return io_error(path_, "replace", errno);
    }
    temporary_.clear();
    return {};
}

Status write_files_atomic(Span<const OutputFile> files) {
    std::deque<PendingFile> pending;
    for (const OutputFile& file : files) {
        FW_RETURN_IF_ERROR(pending.emplace_back(file.path.c_str()).write(file.bytes));
    }
    for (PendingFile& file : pending) {
        FW_RETURN_IF_ERROR(file.commit());
    }
    return {};
}

Status write_file_atomic(const char* path, Span<const uint8_t> bytes) {
    const OutputFile file = {path, bytes};
    return write_files_atomic({&file, 1});
}

}  // namespace fw
