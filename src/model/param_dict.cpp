#include "fw/param_dict.h"

#include <cmath>
#include <limits>

namespace fw {

namespace {

/// Towards zero, saturating; NaN is 0.
int to_int(float value) {
    if (std::isnan(value)) {
        return 0;
    }
    if (value >= 2147483648.0F) {
        return std::numeric_limits<int>::max();
    }
    if (value < -2147483648.0F) {
        return std::numeric_limits<int>::min();
    }
    return static_cast<int>(value);
}

template <class T>
T convert(int value) {
    return static_cast<T>(value);
}
template <class T>
T convert(float value) {
    if constexpr (std::is_same_v<T, int>) {
        return to_int(value);
    } else {
        return value;
    }
}

template <class T>
std::vector<T> numbers(const ParamDict& dict, int id) {
    const auto found = dict.values().find(id);
    std::vector<T> out;
    if (found == dict.values().end()) {
        return out;
    }
    const ParamDict::Value& value = found->second;
    if (const int* i = std::get_if<int>(&value)) {
        out.push_back(convert<T>(*i));
    } else if (const float* f = std::get_if<float>(&value)) {
        out.push_back(convert<T>(*f));
    } else if (const auto* ints = std::get_if<std::vector<int>>(&value)) {
        for (const int x : *ints) {
            out.push_back(convert<T>(x));
        }
    } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
        for (const float x : *floats) {
            out.push_back(convert<T>(x));
        }
    }
    return out;
}

template <class T>
T number(const ParamDict& dict, int id, T fallback) {
    const auto found = dict.values().find(id);
    if (found == dict.values().end()) {
        return fallback;
    }
    if (const int* i = std::get_if<int>(&found->second)) {
        return convert<T>(*i);
    }
    if (const float* f = std::get_if<float>(&found->second)) {
        return convert<T>(*f);
    }
    return fallback;
}

}  // namespace

int ParamDict::get(int id, int fallback) const {
    return number<int>(*this, id, fallback);
}
float ParamDict::get(int id, float fallback) const {
    return number<float>(*this, id, fallback);
}

std::string ParamDict::get(int id, const char* fallback) const {
    const auto found = values_.find(id);
    const std::string* text = found != values_.end() ? std::get_if<std::string>(&found->second) : nullptr;
    return text != nullptr ? *text : std::string(fallback);
}

std::vector<int> ParamDict::get_ints(int id) const {
    return numbers<int>(*this, id);
}
std::vector<float> ParamDict::get_floats(int id) const {
    return numbers<float>(*this, id);
}

}  // namespace fw
