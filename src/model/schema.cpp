// Looking up schemas, and reading parameters through them.
#include "model/schema.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "model/schema/tables.h"

namespace fw {

namespace {

const std::vector<const LayerSchema*>& sorted_schemas() {
    static const std::vector<const LayerSchema*> kAll = [] {
        std::vector<const LayerSchema*> all;
        for (const Span<const LayerSchema>& family :
             {schema::convolution_schemas(), schema::activation_schemas(), schema::normalization_schemas(),
              schema::arithmetic_schemas(), schema::shape_schemas(), schema::detection_schemas(),
              schema::recurrent_schemas()}) {
            for (const LayerSchema& s : family) {
                all.push_back(&s);
            }
        }
        std::sort(all.begin(), all.end(),
                  [](const LayerSchema* a, const LayerSchema* b) { return std::strcmp(a->type, b->type) < 0; });
        return all;
    }();
    return kAll;
}

}  // namespace

const LayerSchema* find_schema(const std::string& type) {
    const auto& all = sorted_schemas();
    const auto found = std::lower_bound(all.begin(), all.end(), type, [](const LayerSchema* s, const std::string& key) {
        return key.compare(s->type) > 0;
    });
    return found != all.end() && type == (*found)->type ? *found : nullptr;
}

bool is_left_out(const std::string& type) {
    return schema::is_left_out(type);
}

Span<const LayerSchema* const> all_schemas() {
    return {sorted_schemas().data(), sorted_schemas().size()};
}

const ParamSpec* find_param(const LayerSchema& schema, int id) {
    for (const ParamSpec& spec : schema.params) {
        if (spec.id == id) {
            return &spec;
        }
    }
    return nullptr;
}

const char* name(ParamKind kind) {
    switch (kind) {
        case ParamKind::kInt: return "int";
        case ParamKind::kFloat: return "float";
        case ParamKind::kInts: return "ints";
        case ParamKind::kFloats: return "floats";
        case ParamKind::kString: return "string";
    }
    return "";
}

const char* name(QuantRule rule) {
    switch (rule) {
        case QuantRule::kFloat: return "float";
        case QuantRule::kWeighted: return "weighted";
        case QuantRule::kMove: return "move";
        case QuantRule::kUnify: return "unify";
        case QuantRule::kClamp: return "clamp";
        case QuantRule::kArith: return "arithmetic";
        case QuantRule::kPointwise: return "pointwise";
        case QuantRule::kReader: return "reader";
        case QuantRule::kConstant: return "constant";
    }
    return "";
}

const ParamSpec& Params::spec(int id) const {
    static const ParamSpec kUnknown;  // a layer asked for an id that its schema lacks: the value given, or 0
    const ParamSpec* found = find_param(*schema_, id);
    return found != nullptr ? *found : kUnknown;
}

int Params::i(int id) const {
    const ParamSpec& s = spec(id);
    if (s.default_id >= 0 && !dict_->has(id)) {
        return i(s.default_id);
    }
    return dict_->get(id, s.kind == ParamKind::kInt ? static_cast<int>(s.default_number) : 0);
}

float Params::f(int id) const {
    const ParamSpec& s = spec(id);
    if (s.default_id >= 0 && !dict_->has(id)) {
        return f(s.default_id);
    }
    return dict_->get(id, static_cast<float>(s.default_number));
}

std::vector<int> Params::ints(int id) const {
    return dict_->get_ints(id);
}
std::vector<float> Params::floats(int id) const {
    return dict_->get_floats(id);
}
std::string Params::s(int id) const {
    return dict_->get(id, "");
}

Result<int64_t> schema::count_param(const Params& params, int id, int64_t least) {
    const int64_t value = params.i(id);
    if (value < least) {
        const ParamSpec* spec = find_param(params.schema(), id);
        return Status::error(Code::kParseError, "%s (%d) is %" PRId64 ", expected at least %" PRId64,
                             spec != nullptr ? spec->key : "parameter", id, value, least);
    }
    return value;
}

}  // namespace fw
