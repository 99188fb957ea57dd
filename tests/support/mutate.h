// Damaged variants of a file, the same for the same seed everywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace fw::test {

/// Truncation, bit flips, byte swaps, inserted and removed bytes, swapped, deleted and doubled lines, huge and odd
/// numbers; one to four of them at a time.
class Mutator {
public:
    explicit Mutator(uint32_t seed) : engine_(seed) {}

    std::string mutate(const std::string& original, bool text) {
        std::string data = original;
        const size_t steps = 1 + below(4);
        for (size_t i = 0; i < steps; ++i) {
            step(&data, text);
        }
        return data;
    }

private:
    /// Not std::uniform_int_distribution: its values differ between libraries.
    size_t below(size_t n) { return n == 0 ? 0 : static_cast<size_t>(engine_()) % n; }

    void step(std::string* data, bool text) {
        if (data->empty()) {
            data->push_back(static_cast<char>(below(256)));
            return;
        }
        const size_t at = below(data->size());
        switch (below(text ? 10 : 6)) {
            case 0: data->resize(at); break;
            case 1: (*data)[at] = static_cast<char>((*data)[at] ^ (1 << below(8))); break;
            case 2: std::swap((*data)[at], (*data)[below(data->size())]); break;
            case 3: data->insert(at, 1 + below(8), static_cast<char>(below(256))); break;
            case 4: data->erase(at, 1 + below(8)); break;
            case 5: overwrite(data, at); break;
            case 6:
            case 7: number(data, at); break;
            default: lines(data); break;
        }
    }

    /// Four bytes of an extreme integer.
    void overwrite(std::string* data, size_t at) {
        static constexpr uint32_t kValues[] = {0,          1,          0x7fffffff, 0x80000000,
                                               0xffffffff, 0x01306B47, 0x000D4B38, 0x0002C056};
        const uint32_t value = kValues[below(sizeof kValues / sizeof *kValues)];
        for (size_t i = 0; i < 4 && at + i < data->size(); ++i) {
            (*data)[at + i] = static_cast<char>(value >> (8 * i));
        }
    }

    /// Replaces the number at or after `at`.
    void number(std::string* data, size_t at) {
        static const char* const kNumbers[] = {"0",
                                               "-1",
                                               "1",
                                               "2147483647",
                                               "2147483648",
                                               "-2147483648",
                                               "99999999999999999999",
                                               "1e38",
                                               "1e39",
                                               "1e-50",
                                               "nan",
                                               "inf",
                                               "-inf",
                                               "0x10",
                                               "",
                                               "-233",
                                               "65536",
                                               "46341",
                                               "1,2",
                                               "\"text\"",
                                               "1e",
                                               ".",
                                               "-0.0",
                                               "3.5",
                                               "00000000000000000000000001"};
        const char* digits = "0123456789+-.eE";
        const size_t begin = data->find_first_of("0123456789", at);
        if (begin == std::string::npos) {
            return;
        }
        const size_t end = std::min(data->find_first_not_of(digits, begin), data->size());
        data->replace(begin, end - begin, kNumbers[below(sizeof kNumbers / sizeof *kNumbers)]);
    }

    void lines(std::string* data) {
        std::vector<std::string> all;
        for (size_t begin = 0; begin < data->size();) {
            const size_t end = std::min(data->find('\n', begin), data->size() - 1) + 1;
            all.push_back(data->substr(begin, end - begin));
            begin = end;
        }
        const size_t a = below(all.size());
        const size_t b = below(all.size());
        switch (below(3)) {
            case 0: std::swap(all[a], all[b]); break;
            case 1: all.erase(all.begin() + static_cast<std::ptrdiff_t>(a)); break;
            default: {
                const std::string copy = all[a];
                all.insert(all.begin() + static_cast<std::ptrdiff_t>(b), copy);
                break;
            }
        }
        data->clear();
        for (const std::string& line : all) {
            *data += line;
        }
    }

    std::mt19937 engine_;
};

}  // namespace fw::test
