#include "gemm_sweep.h"

#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "base/memory.h"
#include "kernel/pack.h"
#include "kernel/panel.h"
#include "support/guarded_buffer.h"

namespace fw::test {

namespace {

int sum_of(const Epilogue& epilogue, int q, int residual) {
    const SumEpilogue& sum = *epilogue.sum;
    const int64_t total = int64_t{q - epilogue.zero_point} * sum.k + int64_t{residual} * sum.k_residual + sum.start;
    const int64_t floor = total >= 0 ? total / (int64_t{1} << sum.shift)
                                     : -((-total + (int64_t{1} << sum.shift) - 1) / (int64_t{1} << sum.shift));
    return static_cast<int>(std::min<int64_t>(std::max<int64_t>(floor + sum.zero_point, sum.lo), sum.hi));
}

}  // namespace

Epilogue no_clamp() {
    Epilogue e;
    e.lo = -std::numeric_limits<float>::infinity();
    e.hi = std::numeric_limits<float>::infinity();
    return e;
}

Epilogue int8_output(int zero_point, int lo, int hi) {
    Epilogue e;
    e.float_output = false;
    e.zero_point = zero_point;
    e.lo = static_cast<float>(lo - zero_point);
    e.hi = static_cast<float>(hi - zero_point);
    return e;
}

void GemmSweep::run(const GemmCase& c) {
    for (offset_ = -128; offset_ <= (kernel_->matched ? 0 : -128) && !HasFatalFailure(); offset_ += 64) {
        run_one(c);
    }
    if (!HasFatalFailure() && kernel_->half == HalfFormat::kFloat16) {
        GemmCase half = c;
        half.epilogue.half_output = true;
        run_one(half);
    }
}

// A is [row][tap][k], B is [column][tap][k].
GemmOperands GemmSweep::make(const GemmCase& c) {
    GemmOperands o;
    const auto a_count = static_cast<size_t>(c.m * c.taps * c.k);
    const auto b_count = static_cast<size_t>(c.n * c.taps * c.k);
    for (size_t i = 0; i < a_count; ++i) {
        o.a8.push_back(fill_int8(&rng_, c.fill, false));
        o.af.push_back(float_of(c.fill));
        o.ah.push_back(float_to_half(o.af.back()));
    }
    for (size_t i = 0; i < b_count; ++i) {
        o.b8.push_back(fill_int8(&rng_, c.fill, true));
        o.bf.push_back(float_of(c.fill));
    }
    for (int64_t j = 0; j < c.n; ++j) {
        o.bias8.push_back(std::uniform_int_distribution<int32_t>(-100000, 100000)(rng_));
        o.biasf.push_back(float_of(c.fill));
        const float exponent = std::uniform_real_distribution<float>(-18.0F, c.epilogue.small ? 0.0F : 2.0F)(rng_);
        o.multiplier.push_back(std::exp2(exponent + c.exponent));
    }
    for (int64_t i = 0; i < c.m * c.n && c.epilogue.sum != nullptr; ++i) {
        o.residual.push_back(fill_int8(&rng_, Fill::kRandom, false));
    }
    return o;
}

void GemmSweep::check(const GemmCase& c, const GemmOperands& o, int64_t row, int64_t column, const char* out) {
    const auto a = static_cast<size_t>(row * c.taps * c.k);
    const auto b = static_cast<size_t>(column * c.taps * c.k);
    const auto j = static_cast<size_t>(column);
    if (kernel_->int8) {
        int64_t sum = o.bias8[j];
        for (size_t i = 0; i < static_cast<size_t>(c.taps * c.k); ++i) {
            sum += int64_t{o.a8[a + i]} * o.b8[b + i];
        }
        const auto acc = static_cast<int32_t>(sum);
        if (c.epilogue.float_output) {
            float got = 0;
            std::memcpy(&got, out, 4);
            ASSERT_EQ(got, reference_clamp(static_cast<float>(acc) * o.multiplier[j], c.epilogue));
        } else {
            int q = reference_int8(acc, o.multiplier[j], c.epilogue);
            if (c.epilogue.sum != nullptr) {
                q = sum_of(c.epilogue, q, o.residual[static_cast<size_t>(row * c.n + column)]);
            }
            ASSERT_EQ(*reinterpret_cast<const int8_t*>(out), q);
        }
        return;
    }
    double sum = static_cast<double>(o.biasf[j]);
    double magnitude = std::fabs(sum);
    double operands = 0;
    for (size_t i = 0; i < static_cast<size_t>(c.taps * c.k); ++i) {
        const double x = static_cast<double>(o.af[a + i]);
        const double w = static_cast<double>(o.bf[b + i]);
        sum += x * w;
        magnitude += std::fabs(x * w);
        operands += std::fabs(x) + std::fabs(w);
    }
    const double lo = static_cast<double>(c.epilogue.lo);
    const double hi = static_cast<double>(c.epilogue.hi);
    float got = 0;
    double more = 0;
    if (c.epilogue.half_output) {
        got = half_to_float(*reinterpret_cast<const uint16_t*>(out));
        more = half_output_bound(static_cast<double>(o.biasf[j]), static_cast<double>(got));
    } else {
        std::memcpy(&got, out, 4);
    }
    if (c.fill == Fill::kWhole) {
        ASSERT_EQ(static_cast<double>(got), sum);
        return;
    }
    const double error =
        sum_bound(c.taps * c.k, magnitude) + half_bound(kernel_->half, c.taps * c.k, magnitude, operands);
    ASSERT_NEAR(static_cast<double>(got), std::min(std::max(bent(sum, c.epilogue), lo), hi),
                bent_bound(sum, error, c.epilogue) + more);
}

void GemmSweep::run_one(const GemmCase& c) {
    const GemmOperands o = make(c);
    const size_t size = kernel_->int8 ? 1 : kernel_->half_input ? 2 : 4;
    const auto* a_values = kernel_->int8         ? reinterpret_cast<const char*>(o.a8.data())
                           : kernel_->half_input ? reinterpret_cast<const char*>(o.ah.data())
                                                 : reinterpret_cast<const char*>(o.af.data());
    // Rows lie in a shuffled order, back to back, up to the guarded end.
    const size_t row_bytes = static_cast<size_t>(c.k) * size;
    const auto count = static_cast<size_t>(c.m * c.taps);
    GuardedBuffer a(count * row_bytes, kOverread);
    std::vector<size_t> place(count);
    for (size_t i = 0; i < count; ++i) {
        place[i] = i;
    }
    std::shuffle(place.begin(), place.end(), rng_);
    const int64_t tiles = div_up(c.m, kernel_->mr);
    std::vector<const void*> rows;
    for (size_t i = 0; i < count; ++i) {
        std::memcpy(a.data<char>() + place[i] * row_bytes, a_values + i * row_bytes, row_bytes);
    }
    for (int64_t tile = 0; tile < tiles; ++tile) {
        for (int64_t t = 0; t < c.taps; ++t) {
            for (int64_t r = tile * kernel_->mr; r < (tile + 1) * kernel_->mr; ++r) {
                const auto i = static_cast<size_t>(std::min(r, c.m - 1) * c.taps + t);
                rows.push_back(a.data<char>() + place[i] * row_bytes);
            }
        }
    }

    GemmWeights weights;
    weights.n = c.n;
    weights.taps = c.taps;
    weights.k = c.k;
    weights.values = kernel_->int8 ? static_cast<const void*>(o.b8.data()) : o.bf.data();
    weights.bias = kernel_->int8 ? static_cast<const void*>(o.bias8.data()) : o.biasf.data();
    weights.multiplier = o.multiplier.data();
    weights.offset = offset_;
    const size_t packed_bytes = packed_gemm_bytes(*kernel_, weights);
    ASSERT_EQ(packed_bytes % 4, 0U);
    GuardedBuffer packed(round_up(packed_bytes, kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());

    // Output rows are slices of wider pixels: a margin of canaries behind each, and the guard behind the last column.
    const size_t out_size = !c.epilogue.float_output ? 1 : c.epilogue.half_output ? 2 : 4;
    const size_t margin = c.adjacent ? 0 : 5 * out_size;
    const size_t out_row = static_cast<size_t>(c.n) * out_size;
    GuardedBuffer out(static_cast<size_t>(c.m) * out_row + static_cast<size_t>(c.m - 1) * margin);
    std::vector<void*> out_rows;
    for (int64_t r = 0; r < c.m; ++r) {
        out_rows.push_back(out.data<char>() + static_cast<size_t>(r) * (out_row + margin));
    }
    GemmArgs args;
    args.rows = rows.data();
    args.taps = c.taps;
    args.k = c.k;
    args.packed = packed.data();
    args.n = c.n;
    args.panel_end = panel_count(c.n, kernel_->lanes, kernel_->vectors);
    args.m = c.m;
    args.out = out_rows.data();
    args.epilogue = c.epilogue;
    // What is added lies as the outputs do, the end of it at another guard.
    GuardedBuffer added(static_cast<size_t>(c.m) * out_row + static_cast<size_t>(c.m - 1) * margin, kOverread);
    SumEpilogue sum;
    if (c.epilogue.sum != nullptr) {
        for (int64_t r = 0; r < c.m; ++r) {
            std::memcpy(added.data<char>() + static_cast<size_t>(r) * (out_row + margin), o.residual.data() + r * c.n,
                        out_row);
        }
        sum = *c.epilogue.sum;
        sum.residual = added.data<char>() - out.data<char>();
        args.epilogue.sum = &sum;
    }
    const bool packs = kernel_->packed_size > 0 && !kernel_->matched;
    const size_t scratch_bytes = gemm_scratch_bytes(*kernel_, c.taps, c.k) * static_cast<size_t>(packs ? tiles : 1);
    GuardedBuffer scratch(scratch_bytes);
    args.scratch = scratch.data();
    const auto check_all = [&] {
        for (int64_t r = 0; r < c.m; ++r) {
            const auto* row = static_cast<const char*>(out_rows[static_cast<size_t>(r)]);
            for (int64_t j = 0; j < c.n; ++j) {
                check(c, o, r, j, row + static_cast<size_t>(j) * out_size);
                if (HasFatalFailure()) {
                    FAIL() << "m " << c.m << " n " << c.n << " k " << c.k << " taps " << c.taps << " at " << r << ","
                           << j << ", step " << args.out_step;
                }
            }
            for (size_t i = 0; i < margin && r + 1 < c.m; ++i) {
                ASSERT_EQ(row[out_row + i], 0x7f) << "wrote behind row " << r << " of n " << c.n;
            }
        }
    };
    kernel_->run(args);
    check_all();
    if (HasFatalFailure()) {
        return;
    }
    const int64_t panels = args.panel_end;
    // Later panels first: the others may not write over them.
    const auto run_panels_apart = [&] {
        args.panel_begin = panels / 2;
        kernel_->run(args);
        args.panel_end = args.panel_begin;
        args.panel_begin = 0;
        if (args.panel_end > 0) {
            kernel_->run(args);
        }
        args.panel_end = panels;
    };
    // With outputs known to lie at one distance.
    const size_t all = static_cast<size_t>(c.m) * out_row + static_cast<size_t>(c.m - 1) * margin;
    std::memset(out.data(), 0x7f, all);
    args.out_step = static_cast<int64_t>(out_row + margin);
    const int64_t nr = kernel_->lanes * kernel_->vectors;
    run_panels_apart();
    check_all();
    // Rows of several tiles in scratch memory at once.
    for (args.scratch_tiles = 2; packs && args.scratch_tiles <= tiles && !HasFatalFailure(); ++args.scratch_tiles) {
        std::memset(out.data(), 0x7f, all);
        kernel_->run(args);
        check_all();
    }
    args.scratch_tiles = 1;
    // Those of the next tile copied while one is multiplied.
    args.packs_ahead = kernel_->packs_ahead && tiles > 1 && c.k % kRowPiece == 0 && c.n % nr == 0;
    if (args.packs_ahead && !HasFatalFailure()) {
        std::memset(scratch.data(), 0x55, scratch_bytes);  // no rows of the runs before
        std::memset(out.data(), 0x7f, all);
        run_panels_apart();
        check_all();
    }
    if (HasFatalFailure() || !kernel_->steps || c.taps != 1) {
        return;
    }
    // The same of rows.
    std::memcpy(a.data(), a_values, count * row_bytes);
    std::memset(out.data(), 0x7f, all);
    args.row_step = static_cast<int64_t>(row_bytes);
    const void* const first_row[] = {a.data()};
    void* const first_out[] = {out_rows[0]};
    args.rows = first_row;
    args.out = first_out;
    kernel_->run(args);
    check_all();
}

}  // namespace fw::test
