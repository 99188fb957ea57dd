#include "layer/support/gather.h"

#include <cstring>

#include "base/parallel.h"

namespace fw {

namespace {

template <class T>
void gather_elements(const Tensor& in, const Tensor& out, const GatherMaps& maps, const T* fill, int threads) {
    const auto rows = static_cast<int64_t>(maps.h.size());
    const auto planes = static_cast<int64_t>(maps.d.size());
    bool identity = static_cast<int>(maps.c.size()) == in.c();
    for (size_t c = 0; identity && c < maps.c.size(); ++c) {
        identity = maps.c[c] == static_cast<int>(c);
    }
    const bool runs = identity && (in.c() == 1 || (in.c_stride() == 1 && out.c_stride() == 1));
    parallel_for(planes * rows, threads, [&](int64_t task) {
        const int z = maps.d[static_cast<size_t>(task / rows)];
        const int y = maps.h[static_cast<size_t>(task % rows)];
        T* to = out.ptr<T>() + task / rows * out.d_stride() + task % rows * out.h_stride();
        for (const int x : maps.w) {
            const bool outside = z < 0 || y < 0 || x < 0;
            const T* from = outside ? nullptr : in.ptr<T>() + z * in.d_stride() + y * in.h_stride() + x * in.w_stride();
            if (runs) {
                std::memcpy(to, outside ? fill : from, maps.c.size() * sizeof(T));
            } else {
                for (size_t c = 0; c < maps.c.size(); ++c) {
                    to[static_cast<int64_t>(c) * out.c_stride()] =
                        outside || maps.c[c] < 0 ? fill[c] : from[maps.c[c] * in.c_stride()];
                }
            }
            to += out.w_stride();
        }
    });
}

}  // namespace

Status gather(const Tensor& in, const Tensor& out, const GatherMaps& maps, const void* fill, int threads) {
    switch (element_size(in.dtype)) {
        case 1: gather_elements(in, out, maps, static_cast<const uint8_t*>(fill), threads); return {};
        case 2: gather_elements(in, out, maps, static_cast<const uint16_t*>(fill), threads); return {};
        case 4: gather_elements(in, out, maps, static_cast<const uint32_t*>(fill), threads); return {};
        default: return Status::error(Code::kUnsupported, "has no %s implementation", name(in.dtype));
    }
}

}  // namespace fw
