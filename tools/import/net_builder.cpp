#include "import/net_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "model/schema.h"

namespace fw::import {

namespace {

// ncnn's reader takes at most 255 characters; leave room for what is appended to make names unique.
constexpr size_t kMaxName = 200;

const ParamSpec* find_param(const std::string& type, const char* key) {
    const LayerSchema* schema = find_schema(type);
    if (schema != nullptr) {
        for (const ParamSpec& spec : schema->params) {
            if (std::strcmp(spec.key, key) == 0) {
                return &spec;
            }
        }
    }
    return nullptr;
}

// No .param file can hold inf or nan.
void check_finite(const LayerDef& layer, const char* key, float value, Report* report) {
    if (!std::isfinite(value)) {
        report->error("", "layer '%s' (%s): %s is %g, expected a finite number", layer.name.c_str(), layer.type.c_str(),
                      key, static_cast<double>(value));
    }
}

}  // namespace

const std::string& UniqueNames::add(const std::string& wanted) {
    auto added = taken_.insert(wanted);
    // The counter goes on where it stopped: a file may give all of its layers one name.
    for (int& i = next_[wanted]; !added.second;) {
        added = taken_.insert(wanted + "_" + std::to_string(++i + 1));
    }
    return *added.first;
}

std::string file_safe_name(const std::string& text) {
    std::string out = text.substr(0, kMaxName);
    for (char& c : out) {
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) {
            c = '_';
        }
    }
    return out.empty() ? "_" : out;
}

LayerBuilder& LayerBuilder::set(const char* key, double value) {
    const ParamSpec* spec = find_param(def_.type, key);
    if (spec == nullptr) {
        net_->report_->error("", "internal: layer type %s has no parameter '%s'", def_.type.c_str(), key);
    } else if (spec->kind == ParamKind::kInt) {
        def_.params.set(spec->id, static_cast<int>(value));
    } else {
        check_finite(def_, key, static_cast<float>(value), net_->report_);
        def_.params.set(spec->id, static_cast<float>(value));
    }
    return *this;
}

LayerBuilder& LayerBuilder::set(const char* key, const std::vector<float>& values) {
    const ParamSpec* spec = find_param(def_.type, key);
    if (spec == nullptr) {
        net_->report_->error("", "internal: layer type %s has no parameter '%s'", def_.type.c_str(), key);
    } else {
        std::for_each(values.begin(), values.end(),
                      [&](float value) { check_finite(def_, key, value, net_->report_); });
        def_.params.set(spec->id, values);
    }
    return *this;
}

LayerBuilder& LayerBuilder::set(const char* key, const std::vector<int>& values) {
    const ParamSpec* spec = find_param(def_.type, key);
    if (spec == nullptr) {
        net_->report_->error("", "internal: layer type %s has no parameter '%s'", def_.type.c_str(), key);
    } else {
        def_.params.set(spec->id, values);
    }
    return *this;
}

LayerBuilder& LayerBuilder::weight(std::vector<float> values) {
    def_.weights.push_back(Weight::from_floats(std::move(values)));
    return *this;
}

BlobId LayerBuilder::top(const std::string& name) {
    const BlobId old = net_->find(name);
    const BlobId id = net_->add_value(name);
    if (old != kNoBlob && net_->values_[static_cast<size_t>(old)].blob == name) {
        net_->values_[static_cast<size_t>(old)].writer = def_.name;
    }
    net_->current_[name] = id;
    tops_.push_back(id);
    return id;
}

BlobId LayerBuilder::inner_top(const std::string& hint) {
    const BlobId id = net_->add_value("");
    net_->values_[static_cast<size_t>(id)].name = hint;
    tops_.push_back(id);
    return id;
}

LayerBuilder& NetBuilder::add(const std::string& type, const std::string& name, const std::vector<BlobId>& bottoms) {
    layers_.emplace_back();
    LayerBuilder& layer = layers_.back();
    layer.net_ = this;
    layer.def_.type = type;
    layer.def_.name = layer_names_.add(file_safe_name(name));
    layer.bottoms_ = bottoms;
    return layer;
}

BlobId NetBuilder::add_value(const std::string& blob) {
    values_.push_back({blob, "", ""});
    return static_cast<BlobId>(values_.size() - 1);
}

BlobId NetBuilder::find(const std::string& name) const {
    const auto it = current_.find(name);
    return it == current_.end() ? kNoBlob : it->second;
}

void NetBuilder::alias(const std::string& name, BlobId value) {
    current_[name] = value;
}

NetDef NetBuilder::finish(const std::string& source) {
    UniqueNames taken;
    // Last values first: a blob's own name must not be lost to one that is made up.
    for (auto value = values_.rbegin(); value != values_.rend(); ++value) {
        if (!value->blob.empty() && value->writer.empty()) {
            value->name = taken.add(file_safe_name(value->blob));
        }
    }
    for (ValueInfo& value : values_) {
        if (value.blob.empty()) {
            value.name = taken.add(file_safe_name(value.name));
        } else if (!value.writer.empty()) {
            value.name = taken.add(file_safe_name(value.blob + "_pre_" + value.writer));
        }
    }
    NetDef net;
    net.source = source;
    for (LayerBuilder& layer : layers_) {
        for (const BlobId id : layer.bottoms_) {
            layer.def_.bottoms.push_back(name(id));
        }
        for (const BlobId id : layer.tops_) {
            layer.def_.tops.push_back(name(id));
        }
        net.layers.push_back(std::move(layer.def_));
    }
    layers_.clear();
    return net;
}

void set_extents(LayerBuilder* layer, const std::vector<int64_t>& values) {
    static const char* const kKeys[4][4] = {{"w"}, {"h", "w"}, {"c", "h", "w"}, {"c", "d", "h", "w"}};
    for (size_t i = 0; i < values.size(); ++i) {
        layer->set(kKeys[values.size() - 1][i], static_cast<double>(values[i]));
    }
}

void insert_splits(NetDef* net) {
    std::map<std::string, int> readers;
    UniqueNames blobs;
    UniqueNames names;
    for (const LayerDef& layer : net->layers) {
        names.add(layer.name);
        for (const std::string& top : layer.tops) {
            blobs.add(top);
        }
        for (const std::string& bottom : layer.bottoms) {
            ++readers[bottom];
        }
    }
    std::map<std::string, std::vector<std::string>> copies;  // of a blob, not yet handed out, in reverse
    std::vector<LayerDef> out;
    for (LayerDef& layer : net->layers) {
        for (std::string& bottom : layer.bottoms) {
            const auto it = copies.find(bottom);
            if (it != copies.end()) {
                bottom = it->second.back();
                it->second.pop_back();
            }
        }
        out.push_back(std::move(layer));
        const std::vector<std::string> tops = out.back().tops;
        for (const std::string& top : tops) {
            const int count = readers[top];
            if (count < 2) {
                continue;
            }
            LayerDef split;
            split.type = "Split";
            split.name = names.add("split_" + top);
            split.bottoms = {top};
            for (int i = 0; i < count; ++i) {
                split.tops.push_back(blobs.add(top + "_split_" + std::to_string(i)));
            }
            copies[top].assign(split.tops.rbegin(), split.tops.rend());
            out.push_back(std::move(split));
        }
    }
    net->layers = std::move(out);
}

}  // namespace fw::import
