// fwdiff A.npy B.npy: how far two arrays lie apart.
#include <cmath>
#include <cstdlib>

#include "common/cli.h"
#include "common/npy.h"

namespace fw::tools {

namespace {

struct Difference {
    double max_abs = 0;
    int64_t at = 0;        // where max_abs occurs
    double max_value = 0;  // max |b|
    double cosine = 1;
    int64_t not_finite = 0;  // elements of which exactly one side is not finite, or both differ
};

Difference compare(const Mat& a, const Mat& b) {
    Difference out;
    double dot = 0;
    double norm_a = 0;
    double norm_b = 0;
    for (int64_t i = 0; i < a.count(); ++i) {
        const double x = a.data()[i];
        const double y = b.data()[i];
        if (!std::isfinite(x) || !std::isfinite(y)) {
            const bool same = x == y || (std::isnan(x) && std::isnan(y));
            out.not_finite += same ? 0 : 1;
            continue;
        }
        if (std::abs(x - y) > out.max_abs) {
            out.max_abs = std::abs(x - y);
            out.at = i;
        }
        out.max_value = std::max(out.max_value, std::abs(y));
        dot += x * y;
        norm_a += x * x;
        norm_b += y * y;
    }
    if (norm_a > 0 && norm_b > 0) {
        out.cosine = dot / std::sqrt(norm_a * norm_b);
    } else {
        out.cosine = norm_a == norm_b ? 1 : 0;
    }
    return out;
}

}  // namespace

}  // namespace fw::tools

int main(int argc, char** argv) {
    using namespace fw::tools;
    Tool tool("fwdiff", "Compares two .npy arrays: maximum absolute and relative difference, cosine similarity.",
              "  fwdiff ours.npy expected.npy\n"
              "  fwdiff --tol 1e-4 ours.npy expected.npy    exit status 1 if max |a - b| > 1e-4 x max |b|");
    std::string a_path;
    std::string b_path;
    double tolerance = -1;
    tool.app().add_option("A", a_path, "An array")->required();
    tool.app().add_option("B", b_path, "The array to compare it with (the reference)")->required();
    tool.app()
        .add_option("--tol", tolerance, "Largest allowed max |a - b|, relative to max |b|")
        ->check([](const std::string& text) -> std::string {
            char* end = nullptr;
            const double value = std::strtod(text.c_str(), &end);
            return *end == '\0' && value >= 0 ? "" : "expected a number of at least 0, got " + text;
        });
    return tool.run(argc, argv, [&]() -> fw::Status {
        FW_ASSIGN_OR_RETURN(const fw::Mat a, read_npy(a_path));
        FW_ASSIGN_OR_RETURN(const fw::Mat b, read_npy(b_path));
        if (a.count() != b.count()) {
            return fw::Status::error(fw::Code::kInvalidArgument,
                                     "%s has shape %s, %s has %s: different numbers of elements", a_path.c_str(),
                                     a.shape().str().c_str(), b_path.c_str(), b.shape().str().c_str());
        }
        const Difference d = compare(a, b);
        const double relative = d.max_value > 0 ? d.max_abs / d.max_value : d.max_abs;
        std::printf("max_abs=%.6g relative=%.6g cosine=%.8f at=%lld count=%lld not_finite=%lld\n", d.max_abs, relative,
                    d.cosine, static_cast<long long>(d.at), static_cast<long long>(a.count()),
                    static_cast<long long>(d.not_finite));
        if (d.not_finite > 0) {
            return fw::Status::error(fw::Code::kInvalidArgument, "%lld elements are not finite on one side only",
                                     static_cast<long long>(d.not_finite));
        }
        if (tolerance >= 0 && relative > tolerance) {
            return fw::Status::error(fw::Code::kInvalidArgument, "relative difference %.6g exceeds --tol %.6g",
                                     relative, tolerance);
        }
        return {};
    });
}
