#include "layer/support/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/parallel.h"
#include "kernel/dispatch.h"

namespace fw {

namespace {

// A run of adjacent bytes. Pixels are short, so a call to memcpy would cost more than the copy.
inline void copy_bytes(const char* from, char* to, int64_t bytes) {
    constexpr int64_t kStep = 16;
    if (bytes < kStep || bytes > 512) {
        std::memcpy(to, from, static_cast<size_t>(bytes));
        return;
    }
    for (int64_t i = 0; i + kStep <= bytes; i += kStep) {
        std::memcpy(to + i, from + i, kStep);
    }
    std::memcpy(to + bytes - kStep, from + bytes - kStep, kStep);
}

// Two runs to one, in turns (a shuffle of two groups of channels): a loop that compilers make vectors of.
template <class T>
void zip(const T* __restrict a, const T* __restrict b, T* __restrict to, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        to[2 * i] = a[i];
        to[2 * i + 1] = b[i];
    }
}

// Three planes to pixels.
template <class T>
void zip3(const T* __restrict a, const T* __restrict b, const T* __restrict c, T* __restrict to, int64_t count) {
    for (int64_t i = 0; i < count; ++i, to += 3) {
        to[0] = a[i];
        to[1] = b[i];
        to[2] = c[i];
    }
}

// rows x cols elements. `rows` is the loop along which the source is adjacent when the columns are not.
template <class T>
void copy_block(const T* from, T* to, const CopyDim& rows, const CopyDim& cols) {
    if (cols.from == 1 && cols.to == 1) {
        for (int64_t r = 0; r < rows.extent; ++r) {
            copy_bytes(reinterpret_cast<const char*>(from + r * rows.from), reinterpret_cast<char*>(to + r * rows.to),
                       cols.extent * static_cast<int64_t>(sizeof(T)));
        }
        return;
    }
    if (cols.to == 1 && cols.extent == 2 && rows.from == 1 && rows.to == 2) {
        zip(from, from + cols.from, to, rows.extent);
        return;
    }
    if (cols.to == 1 && cols.extent == 3 && rows.from == 1 && rows.to == 3) {
        zip3(from, from + cols.from, from + 2 * cols.from, to, rows.extent);
        return;
    }
    constexpr int64_t kWord = 16 / sizeof(T);
    constexpr int64_t kTile = 16;  // a transposition reads and writes whole cache lines of a tile
    for (int64_t r0 = 0; r0 < rows.extent; r0 += kTile) {
        const int64_t r1 = std::min(rows.extent, r0 + kTile);
        for (int64_t c0 = 0; c0 < cols.extent; c0 += kTile) {
            const int64_t c1 = std::min(cols.extent, c0 + kTile);
            for (int64_t r = r0; r < r1; ++r) {
                const T* s = from + r * rows.from;
                T* d = to + r * rows.to;
                int64_t c = c0;
                for (; cols.to == 1 && c + kWord <= c1; c += kWord) {  // one store for several elements
                    T word[kWord];
                    for (int64_t i = 0; i < kWord; ++i) {
                        word[i] = s[(c + i) * cols.from];
                    }
                    std::memcpy(d + c, word, sizeof(word));
                }
                for (; c < c1; ++c) {
                    d[c * cols.to] = s[c * cols.from];
                }
            }
        }
    }
}

// A table of 256 entries, and the level's kernel for it, if there is one.
struct Translation {
    const int8_t* table = nullptr;
    const TableKernel* kernel = nullptr;
};

void translate_block(const int8_t* from, int8_t* to, const CopyDim& rows, const CopyDim& cols, const Translation& by) {
    if (by.kernel != nullptr && cols.from == 1 && cols.to == 1) {
        for (int64_t r = 0; r < rows.extent; ++r) {
            by.kernel->look_up(from + r * rows.from, cols.extent, by.table, to + r * rows.to);
        }
        return;
    }
    const int8_t* middle = by.table + 128;
    for (int64_t r = 0; r < rows.extent; ++r) {
        for (int64_t c = 0; c < cols.extent; ++c) {
            to[r * rows.to + c * cols.to] = middle[from[r * rows.from + c * cols.from]];
        }
    }
}

void run_block(const char* from, char* to, size_t element, const CopyDim& rows, const CopyDim& cols,
               const Translation& by) {
    if (by.table != nullptr) {
        translate_block(reinterpret_cast<const int8_t*>(from), reinterpret_cast<int8_t*>(to), rows, cols, by);
        return;
    }
    switch (element) {
        case 1: copy_block(reinterpret_cast<const uint8_t*>(from), reinterpret_cast<uint8_t*>(to), rows, cols); break;
        case 2: copy_block(reinterpret_cast<const uint16_t*>(from), reinterpret_cast<uint16_t*>(to), rows, cols); break;
        case 4: copy_block(reinterpret_cast<const uint32_t*>(from), reinterpret_cast<uint32_t*>(to), rows, cols); break;
        default: copy_block(reinterpret_cast<const uint64_t*>(from), reinterpret_cast<uint64_t*>(to), rows, cols);
    }
}

// Drops loops of one step, orders the others by the destination's stride and merges those that run on. Returns how many
// are left, at least two (padded with loops of one step), or 0 when there is nothing to copy.
int simplify(const CopyDim* dims, int count, CopyDim* out) {
    int n = 0;
    for (int i = 0; i < count; ++i) {
        if (dims[i].extent < 1) {
            return 0;
        }
        if (dims[i].extent > 1) {
            out[n++] = dims[i];
        }
    }
    for (int i = 1; i < n; ++i) {
        for (int j = i; j > 0 && out[j].to > out[j - 1].to; --j) {
            std::swap(out[j], out[j - 1]);
        }
    }
    int merged = 0;
    for (int i = 1; i < n; ++i) {
        CopyDim& outer = out[merged];
        if (outer.to == out[i].to * out[i].extent && outer.from == out[i].from * out[i].extent) {
            outer = CopyDim{outer.extent * out[i].extent, out[i].from, out[i].to};
        } else {
            out[++merged] = out[i];
        }
    }
    n = n == 0 ? 0 : merged + 1;
    while (n < 2) {
        std::copy_backward(out, out + n, out + n + 1);
        out[0] = CopyDim{};
        ++n;
    }
    if (n == 2 && out[1].extent == 1) {
        out[1] = CopyDim{1, 1, 1};
    }
    return n;
}

}  // namespace

void strided_copy(const void* from, void* to, size_t element, const CopyDim* dims, int count, int threads,
                  const int8_t* table) {
    CopyDim loops[kMaxCopyDims + 2];
    const int n = simplify(dims, count, loops);
    if (n == 0) {
        return;
    }
    const CopyDim cols = loops[n - 1];
    if (cols.from != 1) {
        // Rows are the loop along which the source is closest.
        int best = n - 2;
        for (int i = 0; i < n - 1; ++i) {
            best = loops[i].extent > 1 && loops[i].from < loops[best].from ? i : best;
        }
        std::swap(loops[best], loops[n - 2]);
    }
    const CopyDim rows = loops[n - 2];
    int64_t outer = 1;
    for (int i = 0; i < n - 2; ++i) {
        outer *= loops[i].extent;
    }
    // Too few outer steps for the threads: split the rows.
    const int64_t splits = outer >= threads ? 1 : std::min<int64_t>(rows.extent, (threads + outer - 1) / outer);
    const int64_t chunk = (rows.extent + splits - 1) / splits;
    const auto* source = static_cast<const char*>(from);
    auto* target = static_cast<char*>(to);
    const auto size = static_cast<int64_t>(element);
    Translation translation;
    if (table != nullptr) {
        const Result<Isa> isa = current_isa();
        translation = {table, isa.ok() ? find_table_kernel(*isa) : nullptr};
    }
    parallel_for(outer * splits, threads, [&](int64_t task) {
        const int64_t first = task % splits * chunk;
        int64_t index = task / splits;
        int64_t s = first * rows.from;
        int64_t t = first * rows.to;
        for (int i = n - 3; i >= 0; --i) {
            const int64_t step = index % loops[i].extent;
            index /= loops[i].extent;
            s += step * loops[i].from;
            t += step * loops[i].to;
        }
        const CopyDim part{std::min(chunk, rows.extent - first), rows.from, rows.to};
        run_block(source + s * size, target + t * size, element, part, cols, translation);
    });
}

void copy_elements(const Tensor& from, const Tensor& to, int threads, const int8_t* table) {
    if (from.count() == 0) {
        return;
    }
    CopyDim dims[Shape::kMaxRank];
    for (int axis = 0; axis < from.rank(); ++axis) {
        dims[axis] = CopyDim{from.shape[axis], from.stride[axis], to.stride[axis]};
    }
    strided_copy(from.data, to.data, element_size(from.dtype), dims, from.rank(), threads, table);
}

std::vector<CopyDim> copy_dims(const Tensor& from, const Tensor& to) {
    std::vector<CopyDim> dims;
    dims.reserve(static_cast<size_t>(from.rank()));
    for (int axis = 0; axis < from.rank(); ++axis) {
        dims.push_back(CopyDim{from.shape[axis], from.stride[axis], to.stride[axis]});
    }
    return dims;
}

namespace {

// The loops of a reshaping copy, if the two shapes have a common refinement: {4, 6} and {8, 3} have {4, 2, 3}.
bool refine(const Tensor& from, const Tensor& to, CopyDim* dims, int* count) {
    int i = from.rank() - 1;
    int j = to.rank() - 1;
    int64_t a = 1, b = 1, a_stride = 0, b_stride = 0;  // what is left of the current axis of each side
    *count = 0;
    while (true) {
        while (a == 1 && i >= 0) {
            a = from.shape[i];
            a_stride = from.stride[i--];
        }
        while (b == 1 && j >= 0) {
            b = to.shape[j];
            b_stride = to.stride[j--];
        }
        if (a == 1 && b == 1) {
            return true;
        }
        const int64_t step = std::min(a, b);
        if (a % step != 0 || b % step != 0 || *count == kMaxCopyDims) {
            return false;
        }
        dims[(*count)++] = CopyDim{step, a_stride, b_stride};
        a /= step;
        b /= step;
        a_stride *= step;
        b_stride *= step;
    }
}

// Walks a tensor's offsets in row-major order.
class Odometer {
public:
    explicit Odometer(const Tensor& t) : t_(t) {}
    int64_t offset() const { return offset_; }
    void next() {
        for (int axis = t_.rank() - 1; axis >= 0; --axis) {
            offset_ += t_.stride[axis];
            if (++index_[axis] < t_.shape[axis]) {
                return;
            }
            offset_ -= t_.stride[axis] * t_.shape[axis];
            index_[axis] = 0;
        }
    }

private:
    const Tensor& t_;
    int index_[Shape::kMaxRank] = {0, 0, 0, 0};
    int64_t offset_ = 0;
};

}  // namespace

bool reshaped_copy_dims(const Tensor& from, const Tensor& to, std::vector<CopyDim>* dims) {
    CopyDim made[kMaxCopyDims];
    int n = 0;
    if (!refine(from, to, made, &n)) {
        return false;
    }
    dims->assign(made, made + n);
    return true;
}

void copy_reshaped(const Tensor& from, const Tensor& to, int threads) {
    const int64_t count = from.count();
    if (count == 0) {
        return;
    }
    CopyDim dims[kMaxCopyDims];
    int n = 0;
    if (refine(from, to, dims, &n)) {
        strided_copy(from.data, to.data, element_size(from.dtype), dims, n, threads);
        return;
    }
    const size_t size = element_size(from.dtype);
    const auto* source = static_cast<const char*>(from.data);
    auto* target = static_cast<char*>(to.data);
    Odometer s(from);
    Odometer t(to);
    for (int64_t i = 0; i < count; ++i, s.next(), t.next()) {
        std::memcpy(target + t.offset() * static_cast<int64_t>(size), source + s.offset() * static_cast<int64_t>(size),
                    size);
    }
}

Tensor narrowed(const Tensor& t, int axis, int64_t begin, int extent) {
    Tensor out = t;
    out.shape[axis] = extent;
    out.data = static_cast<char*>(t.data) + begin * t.stride[axis] * static_cast<int64_t>(element_size(t.dtype));
    return out;
}

}  // namespace fw
