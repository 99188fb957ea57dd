#include "layer/support/expression.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fw {

namespace {

double quotient(double a, double b) {
    return a / b;
}

// Whole numbers divide as C's do.
double whole_quotient(double a, double b) {
    const bool whole = a == std::floor(a) && b == std::floor(b);
    return whole ? std::trunc(a / b) : std::floor(a / b);
}

struct Function {
    const char* name;
    double (*unary)(double);
    double (*binary)(double, double);
};

constexpr Function kFunctions[] = {
    {"+", nullptr, [](double a, double b) { return a + b; }},
    {"-", nullptr, [](double a, double b) { return a - b; }},
    {"*", nullptr, [](double a, double b) { return a * b; }},
    {"/", nullptr, quotient},
    {"//", nullptr, whole_quotient},
    {"max", nullptr, [](double a, double b) { return std::fmax(a, b); }},
    {"min", nullptr, [](double a, double b) { return std::fmin(a, b); }},
    {"fmod", nullptr, [](double a, double b) { return std::fmod(a, b); }},
    {"pow", nullptr, [](double a, double b) { return std::pow(a, b); }},
    {"abs", [](double a) { return std::fabs(a); }, nullptr},
    {"neg", [](double a) { return -a; }, nullptr},
    {"sign", [](double a) { return a > 0   ? 1.0
                                   : a < 0 ? -1.0
                                           : 0.0; }, nullptr},
    {"square", [](double a) { return a * a; }, nullptr},
    {"sqrt", [](double a) { return std::sqrt(a); }, nullptr},
    {"rsqrt", [](double a) { return 1.0 / std::sqrt(a); }, nullptr},
    {"reciprocal", [](double a) { return 1.0 / a; }, nullptr},
    {"trunc", [](double a) { return std::trunc(a); }, nullptr},
    {"ceil", [](double a) { return std::ceil(a); }, nullptr},
    {"floor", [](double a) { return std::floor(a); }, nullptr},
    {"round", [](double a) { return std::round(a); }, nullptr},
};

const Function* find_function(const std::string& name) {
    for (const Function& function : kFunctions) {
        if (name == function.name) {
            return &function;
        }
    }
    return nullptr;
}

// "0w"
bool is_extent(const std::string& token) {
    return token.size() == 2 && token[0] >= '0' && token[0] <= '9' && std::string("whdcn").find(token[1]) < 5;
}

int extent(const Shape& shape, char axis) {
    switch (axis) {
        case 'w': return shape.w();
        case 'h': return shape.h();
        case 'd': return shape.d();
        case 'c': return shape.c();
        default: return 1;
    }
}

// Digits, sign, point and exponent only: strtod alone would take "inf" and hexadecimal numbers.
bool read_number(const std::string& token, double* value) {
    if (token.find_first_not_of("0123456789+-.eE") != std::string::npos) {
        return false;
    }
    char* end = nullptr;
    *value = std::strtod(token.c_str(), &end);
    return end == token.c_str() + token.size();
}

}  // namespace

Status ShapeExpression::parse(const std::string& text, const char* key) {
    text_ = text;
    key_ = key;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find_first_of("(), ", begin), text.size());
        if (end > begin) {
            tokens_.push_back(text.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    double number = 0;
    for (const std::string& token : tokens_) {
        if (find_function(token) == nullptr && !is_extent(token) && !read_number(token, &number)) {
            return Status::error(Code::kUnsupported,
                                 "%s \"%s\": '%s' is no number, extent (0w) or function that is known", key,
                                 text.c_str(), token.c_str());
        }
    }
    return {};
}

// Prefix notation read from its end needs no parentheses: every function finds its operands on the stack.
Status ShapeExpression::run(Span<const Shape> inputs, std::vector<double>* stack) const {
    for (auto token = tokens_.rbegin(); token != tokens_.rend(); ++token) {
        const Function* function = find_function(*token);
        double value = 0;
        if (function != nullptr) {
            const size_t operands = function->unary != nullptr ? 1 : 2;
            if (stack->size() < operands) {
                return Status::error(Code::kInvalidArgument, "%s \"%s\": '%s' has too few operands", key_.c_str(),
                                     text_.c_str(), token->c_str());
            }
            const double a = stack->back();
            stack->pop_back();
            if (operands == 1) {
                value = function->unary(a);
            } else {
                value = function->binary(a, stack->back());
                stack->pop_back();
            }
        } else if (is_extent(*token)) {
            const auto input = static_cast<size_t>((*token)[0] - '0');
            if (input >= inputs.size()) {
                return Status::error(Code::kInvalidArgument, "%s \"%s\": '%s' of a layer with %zu inputs", key_.c_str(),
                                     text_.c_str(), token->c_str(), inputs.size());
            }
            value = extent(inputs[input], (*token)[1]);
        } else {
            read_number(*token, &value);
        }
        stack->push_back(value);
    }
    return {};
}

Status ShapeExpression::evaluate(Span<const Shape> inputs, std::vector<int>* out) const {
    std::vector<double> stack;
    FW_RETURN_IF_ERROR(run(inputs, &stack));
    out->clear();
    for (auto value = stack.rbegin(); value != stack.rend(); ++value) {
        if (!(std::fabs(*value) < 2147483647.0)) {  // false for NaN
            return Status::error(Code::kInvalidArgument, "%s \"%s\" is %g, expected a number of 32 bits", key_.c_str(),
                                 text_.c_str(), *value);
        }
        out->push_back(static_cast<int>(*value));
    }
    return {};
}

}  // namespace fw
