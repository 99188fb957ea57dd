// Span: a pointer and a length (C++17 has no std::span).
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

namespace fw {

template <class T>
class Span {
public:
    constexpr Span() = default;
    constexpr Span(T* data, size_t size) : data_(data), size_(size) {}
    template <size_t N>
    constexpr Span(T (&array)[N]) : data_(array), size_(N) {}
    template <class U, class = std::enable_if_t<std::is_same_v<std::remove_const_t<T>, U>>>
    constexpr Span(std::vector<U>& v) : data_(v.data()), size_(v.size()) {}
    template <class U, class = std::enable_if_t<std::is_same_v<T, const U>>>
    constexpr Span(const std::vector<U>& v) : data_(v.data()), size_(v.size()) {}
    template <class U, class = std::enable_if_t<std::is_same_v<T, const U>>>
    constexpr Span(const Span<U>& other) : data_(other.data()), size_(other.size()) {}

    constexpr T* data() const { return data_; }
    constexpr size_t size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr T& operator[](size_t i) const { return data_[i]; }
    constexpr T* begin() const { return data_; }
    constexpr T* end() const { return data_ + size_; }
    constexpr Span subspan(size_t offset, size_t count) const { return Span(data_ + offset, count); }

private:
    T* data_ = nullptr;
    size_t size_ = 0;
};

}  // namespace fw
