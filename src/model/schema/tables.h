// What the schema tables are written with. One file a family; each lists its layer types in one array.
#pragma once

#include <array>
#include <string_view>

#include "model/layers_left_out.h"
#include "model/schema.h"

namespace fw::schema {

/// What a layer or parameter does, for `layerdoc`; the smallest build has no such text.
#ifdef FW_MINSIZE
constexpr const char* about(const char* /*doc*/) {
    return "";
}
#else
constexpr const char* about(const char* doc) {
    return doc;
}
#endif

constexpr ParamSpec int_param(int id, const char* key, int value, const char* doc) {
    return {id, key, ParamKind::kInt, static_cast<double>(value), -1, about(doc)};
}
/// The default is the value of parameter `other`.
constexpr ParamSpec int_like(int id, const char* key, int other, const char* doc) {
    return {id, key, ParamKind::kInt, 0, other, about(doc)};
}
constexpr ParamSpec float_param(int id, const char* key, double value, const char* doc) {
    return {id, key, ParamKind::kFloat, value, -1, about(doc)};
}
constexpr ParamSpec ints_param(int id, const char* key, const char* doc) {
    return {id, key, ParamKind::kInts, 0, -1, about(doc)};
}
constexpr ParamSpec floats_param(int id, const char* key, const char* doc) {
    return {id, key, ParamKind::kFloats, 0, -1, about(doc)};
}
constexpr ParamSpec string_param(int id, const char* key, const char* doc) {
    return {id, key, ParamKind::kString, 0, -1, about(doc)};
}

constexpr double kFloatMax = 3.40282346638528859812e+38;
constexpr int kAny = -1;  ///< any number of inputs or outputs

template <size_t A, size_t B>
constexpr std::array<ParamSpec, A + B> join(const std::array<ParamSpec, A>& a, const std::array<ParamSpec, B>& b) {
    std::array<ParamSpec, A + B> all{};
    for (size_t i = 0; i < A; ++i) {
        all[i] = a[i];
    }
    for (size_t i = 0; i < B; ++i) {
        all[A + i] = b[i];
    }
    return all;
}
template <class... Specs>
constexpr std::array<ParamSpec, sizeof...(Specs)> params(Specs... specs) {
    return {specs...};
}
template <size_t N>
constexpr Span<const ParamSpec> span(const std::array<ParamSpec, N>& specs) {
    return {specs.data(), N};
}

constexpr bool is_left_out(std::string_view type) {
    for (const char* const* name = kLayersLeftOut; *name != nullptr; ++name) {
        if (type == *name) {
            return true;
        }
    }
    return false;
}
template <size_t N>
constexpr size_t built_count(const LayerSchema (&schemas)[N]) {
    size_t count = 0;
    for (const LayerSchema& schema : schemas) {
        count += is_left_out(schema.type) ? 0 : 1;
    }
    return count;
}
/// The `M` = built_count(schemas) of them whose layers FW_LAYERS has. What the others refer to is not compiled in.
template <size_t M, size_t N>
constexpr std::array<LayerSchema, M> built(const LayerSchema (&schemas)[N]) {
    std::array<LayerSchema, M> out{};
    size_t count = 0;
    for (const LayerSchema& schema : schemas) {
        if (!is_left_out(schema.type)) {
            out[count] = schema;
            out[count++].doc = about(schema.doc);
        }
    }
    return out;
}

/// Reads a parameter that counts elements: an error unless it is at least `least`.
Result<int64_t> count_param(const Params& params, int id, int64_t least);

Span<const LayerSchema> convolution_schemas();
Span<const LayerSchema> activation_schemas();
Span<const LayerSchema> normalization_schemas();
Span<const LayerSchema> arithmetic_schemas();
Span<const LayerSchema> shape_schemas();
Span<const LayerSchema> detection_schemas();
Span<const LayerSchema> recurrent_schemas();

}  // namespace fw::schema
