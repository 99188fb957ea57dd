#include "layer/support/gather.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"

namespace fw {

namespace {

// Adjacent channels of the input between two stretches of fill: what padding of channels comes to.
struct ChannelRun {
    size_t begin = 0;  // of the output
    size_t end = 0;
    int first = 0;  // of the input
};

// False where the map is something else.
bool find_run(const std::vector<int>& map, ChannelRun* run) {
    while (run->begin < map.size() && map[run->begin] < 0) {
        ++run->begin;
    }
    run->first = run->begin < map.size() ? map[run->begin] : 0;
    run->end = run->begin;
    while (run->end < map.size() && map[run->end] == run->first + static_cast<int>(run->end - run->begin)) {
        ++run->end;
    }
    return std::all_of(map.begin() + static_cast<ptrdiff_t>(run->end), map.end(), [](int c) { return c < 0; });
}

// `values` may be nullptr where there is nothing to fill.
template <class T>
void fill_channels(T* to, const T* values, size_t begin, size_t end) {
    if (begin < end) {
        std::memcpy(to + begin, values + begin, (end - begin) * sizeof(T));
    }
}

template <class T>
void gather_elements(const Tensor& in, const Tensor& out, const GatherMaps& maps, const T* fill, int threads) {
    const auto rows = static_cast<int64_t>(maps.h.size());
    const auto planes = static_cast<int64_t>(maps.d.size());
    ChannelRun run;
    const size_t channels = maps.c.size();
    const bool adjacent = (channels == 1 || (in.c_stride() == 1 && out.c_stride() == 1)) && find_run(maps.c, &run);
    parallel_for(planes * rows, threads, [&](int64_t task) {
        const int z = maps.d[static_cast<size_t>(task / rows)];
        const int y = maps.h[static_cast<size_t>(task % rows)];
        T* to = out.ptr<T>() + task / rows * out.d_stride() + task % rows * out.h_stride();
        for (const int x : maps.w) {
            const bool outside = z < 0 || y < 0 || x < 0;
            const T* from = outside ? nullptr : in.ptr<T>() + z * in.d_stride() + y * in.h_stride() + x * in.w_stride();
            if (adjacent && outside) {
                std::memcpy(to, fill, channels * sizeof(T));
            } else if (adjacent) {
                fill_channels(to, fill, 0, run.begin);
                std::memcpy(to + run.begin, from + run.first, (run.end - run.begin) * sizeof(T));
                fill_channels(to, fill, run.end, channels);
            } else {
                for (size_t c = 0; c < channels; ++c) {
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
