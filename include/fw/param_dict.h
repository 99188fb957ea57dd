// ParamDict: the `key=value` parameters of one layer of a .param file.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "fw/export.h"
#include "fw/span.h"

namespace fw {

/// Parameters by numeric id (0..31 in files of ncnn; Featherweight's own keys are documented in docs/param-format.md).
/// An id that was not given has no entry: the getters then return the caller's default.
class FW_EXPORT ParamDict {
public:
    using Value = std::variant<int, float, std::vector<int>, std::vector<float>, std::string>;

    bool has(int id) const { return values_.count(id) != 0; }
    /// Numbers convert between int and float as the file format allows (a float is truncated towards zero, saturating).
    /// An array or a text where a number is asked for, or the reverse, gives the fallback.
    int get(int id, int fallback) const;
    float get(int id, float fallback) const;
    std::string get(int id, const char* fallback) const;
    /// An array; a single number counts as an array of one.
    std::vector<int> get_ints(int id) const;
    std::vector<float> get_floats(int id) const;

    void set(int id, Value value) { values_[id] = std::move(value); }
    void erase(int id) { values_.erase(id); }
    const std::map<int, Value>& values() const { return values_; }
    bool operator==(const ParamDict& other) const { return values_ == other.values_; }

private:
    std::map<int, Value> values_;
};

}  // namespace fw
