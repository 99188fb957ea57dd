// Every GEMM kernel of kernels.inc against naive loops: all tile heights, widths around the vector's, lengths around
// the step's, several taps, scattered rows that end at an unmapped page, outputs with neighbours.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/half.h"
#include "base/memory.h"
#include "kernel/pack.h"
#include "kernel/panel.h"
#include "kernel_test_util.h"
#include "support/guarded_buffer.h"

namespace fw::test {
namespace {

struct Case {
    int64_t m, n, k, taps;
    Fill fill = Fill::kRandom;
    Epilogue epilogue;
    bool adjacent = false;  ///< nothing lies between the rows of the output
    float exponent = 0.0F;  ///< multipliers are larger by 2 to this
};

struct Operands {
    std::vector<int8_t> a8, b8;
    std::vector<uint16_t> ah;  // of af, rounded
    std::vector<float> af, bf;
    std::vector<int32_t> bias8;
    std::vector<float> biasf, multiplier;
    std::vector<int8_t> residual;  // [row][column]
};

class GemmSweep : public KernelSweep<GemmKernel> {
protected:
    void run(const Case& c) {
        for (offset_ = -128; offset_ <= (kernel_->matched ? 0 : -128) && !HasFatalFailure(); offset_ += 64) {
            run_one(c);
        }
        if (!HasFatalFailure() && kernel_->half == HalfFormat::kFloat16) {
            Case half = c;
            half.epilogue.half_output = true;
            run_one(half);
        }
    }
    void run_one(const Case& c);
    Operands make(const Case& c);
    float float_of(Fill fill) { return fill == Fill::kWhole ? fill_whole(&rng_) : fill_float(&rng_); }
    void check(const Case& c, const Operands& o, int64_t row, int64_t column, const char* out);

    int offset_ = -128;  ///< of `matched` kernels
};

// A is [row][tap][k], B is [column][tap][k].
Operands GemmSweep::make(const Case& c) {
    Operands o;
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

int sum_of(const Epilogue& epilogue, int q, int residual) {
    const SumEpilogue& sum = *epilogue.sum;
    const int64_t total = int64_t{q - epilogue.zero_point} * sum.k + int64_t{residual} * sum.k_residual + sum.start;
    const int64_t floor = total >= 0 ? total / (int64_t{1} << sum.shift)
                                     : -((-total + (int64_t{1} << sum.shift) - 1) / (int64_t{1} << sum.shift));
    return static_cast<int>(std::min<int64_t>(std::max<int64_t>(floor + sum.zero_point, sum.lo), sum.hi));
}

void GemmSweep::check(const Case& c, const Operands& o, int64_t row, int64_t column, const char* out) {
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

void GemmSweep::run_one(const Case& c) {
    const Operands o = make(c);
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
    GuardedBuffer scratch(gemm_scratch_bytes(*kernel_, c.taps, c.k) * static_cast<size_t>(packs ? tiles : 1));
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
    // With outputs known to lie at one distance. Later panels first: the others may not write over them.
    const size_t all = static_cast<size_t>(c.m) * out_row + static_cast<size_t>(c.m - 1) * margin;
    std::memset(out.data(), 0x7f, all);
    args.out_step = static_cast<int64_t>(out_row + margin);
    const int64_t panels = args.panel_end;
    args.panel_begin = panels / 2;
    kernel_->run(args);
    args.panel_end = args.panel_begin;
    args.panel_begin = 0;
    if (args.panel_end > 0) {
        kernel_->run(args);
    }
    check_all();
    // Rows of several tiles in scratch memory at once.
    args.panel_end = panels;
    for (args.scratch_tiles = 2; packs && args.scratch_tiles <= tiles && !HasFatalFailure(); ++args.scratch_tiles) {
        std::memset(out.data(), 0x7f, all);
        kernel_->run(args);
        check_all();
    }
    args.scratch_tiles = 1;
    if (HasFatalFailure() || !kernel_->steps || c.taps != 1) {
        return;
    }
    // The same of rows.
    std::memcpy(a.data(), a_values, count * row_bytes);
    std::memset(out.data(), 0x7f, all);
    args.panel_end = panels;
    args.row_step = static_cast<int64_t>(row_bytes);
    const void* const first_row[] = {a.data()};
    void* const first_out[] = {out_rows[0]};
    args.rows = first_row;
    args.out = first_out;
    kernel_->run(args);
    check_all();
}

// Element i of a row of floats, or of float16 in the same memory.
void set_element(bool half, std::vector<float>* row, size_t i, float value) {
    if (half) {
        const uint16_t bits = float_to_half(value);
        std::memcpy(reinterpret_cast<char*>(row->data()) + 2 * i, &bits, 2);
    } else {
        (*row)[i] = value;
    }
}

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

TEST(Panels, AreThoseOfPanelAt) {
    for (const int64_t n : {1, 4, 12, 13, 44, 64, 100, 1000}) {
        const int64_t count = panel_count(n, 4, 3);
        for (int64_t begin = 0; begin < count; ++begin) {
            for (const int64_t most : {int64_t{1}, int64_t{2}, count}) {
                Panels panels(begin, n, 4, 3);
                int64_t alike = 0;
                for (int64_t i = begin; i < count; i += alike) {
                    Panel next = panels.next(std::min(most, count - i), &alike);
                    ASSERT_GT(alike, 0);
                    ASSERT_LE(alike, std::min(most, count - i));
                    for (int64_t j = i; j < i + alike; ++j, next.column += next.vectors * 4) {
                        const Panel at = panel_at(j, n, 4, 3);
                        ASSERT_EQ(next.column, at.column) << n << ", " << begin << ", " << j;
                        ASSERT_EQ(next.vectors, at.vectors) << n << ", " << begin << ", " << j;
                    }
                    ASSERT_TRUE(most == 1 || i + alike == count || alike == most ||
                                panel_at(i + alike, n, 4, 3).vectors != next.vectors);
                }
            }
        }
    }
}

TEST_P(GemmSweep, SizesMatchNaiveLoops) {
    const int64_t lanes = kernel_->lanes;
    const int64_t nr = lanes * kernel_->vectors;
    for (const int64_t m :
         {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{4}, int64_t{5}, kernel_->mr - int64_t{1}, int64_t{kernel_->mr}}) {
        if (m > kernel_->mr) {
            continue;
        }
        for (const int64_t n :
             {int64_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes + 3, nr - 1, nr, nr + 1, 2 * nr + 7}) {
            for (const int64_t k : {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 64}) {
                for (const int64_t taps : {1, 9}) {
                    run({m, n, k, taps, Fill::kRandom, no_clamp()});
                    if (kernel_->half != HalfFormat::kFloat32) {
                        run({m, n, k, taps, Fill::kWhole, no_clamp()});
                    }
                    if (kernel_->int8) {
                        run({m, n, k, taps, Fill::kRandom, int8_output(0, -127, 127)});
                    }
                    if (HasFatalFailure()) {
                        return;
                    }
                }
            }
        }
    }
}

TEST_P(GemmSweep, LongSumsAndExtremes) {
    const Epilogue output = kernel_->int8 ? int8_output(-128, -128, 127) : no_clamp();
    for (const Fill fill : {Fill::kRandom, Fill::kLowest, Fill::kHighest, Fill::kOpposite}) {
        run({kernel_->mr, 19, 1031, 3, fill, output});
        run({1, 1, 4099, 1, fill, output});
        run({2, 33, 7, 49, fill, output});
        run({std::min(3, kernel_->mr), 5, 257, 25, fill, no_clamp()});
        if (HasFatalFailure()) {
            return;
        }
    }
}

TEST_P(GemmSweep, SeveralTilesOfRows) {
    const int64_t mr = kernel_->mr;
    const int64_t nr = kernel_->lanes * kernel_->vectors;
    for (const int64_t m : {mr + 1, 2 * mr - 2, 2 * mr - 1, 3 * mr, 3 * mr + 2, 8 * mr}) {
        for (const int64_t n : {int64_t{19}, nr, 2 * nr + kernel_->lanes}) {
            for (const int64_t taps : {1, 3}) {
                run({m, n, 24, taps, Fill::kRandom, kernel_->int8 ? int8_output(3, -128, 127) : no_clamp()});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

// What no rounding excuses: lengths around a block of half floats.
TEST_P(GemmSweep, WholeNumbersAreExact) {
    if (kernel_->int8) {
        return;
    }
    for (const int64_t k : {kHalfBlock - 1, kHalfBlock, kHalfBlock + 1, 3 * kHalfBlock + 5}) {
        run({kernel_->mr, 22, k, 1, Fill::kWhole, no_clamp()});
        run({1, 7, k, 9, Fill::kWhole, no_clamp()});
        if (HasFatalFailure()) {
            return;
        }
    }
}

// Weights around a bound that kernels use: by -128, four of them fit 16 bits up to a sum of 256 where they are positive
// and 255 where they are negative.
TEST_P(GemmSweep, SmallWeights) {
    if (!kernel_->int8) {
        return;
    }
    for (const int64_t k : {8, 13, 15, 16, 17, 33, 49, 96, 200}) {
        for (const Fill fill : {Fill::kSmallWeights, Fill::kSmallNegative}) {
            run({kernel_->mr, 22, k, 1, fill, no_clamp()});
            run({1, 7, k, 9, fill, no_clamp()});
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

TEST_P(GemmSweep, Epilogues) {
    Epilogue relu6;
    relu6.lo = 0.0F;
    relu6.hi = 6.0F;
    Epilogue narrow;
    narrow.lo = -0.25F;
    narrow.hi = 0.25F;
    Epilogue relu = no_clamp();
    relu.lo = 0.0F;
    for (const Epilogue& e : {relu6, narrow, relu, no_clamp()}) {
        run({kernel_->mr, 21, 37, 2, Fill::kRandom, e});
    }
    if (kernel_->int8) {
        for (const Epilogue& e :
             {int8_output(0, 0, 127), int8_output(-128, -128, 127), int8_output(7, 7, 90), int8_output(127, -128, 127),
              int8_output(-1, -1, -1), int8_output(0, -127, 127), int8_output(0, -128, 127), int8_output(0, -127, 100),
              int8_output(-128, -128, 126), int8_output(-128, -128, -128), int8_output(-128, -100, 127)}) {
            run({kernel_->mr, 21, 37, 2, Fill::kRandom, e});
            run({2 * kernel_->mr, 44, 37, 1, Fill::kRandom, e});
        }
    }
}

TEST_P(GemmSweep, SmallMultipliers) {
    if (!kernel_->int8) {
        return;
    }
    for (Epilogue e : {int8_output(0, 0, 127), int8_output(-128, -128, 127), int8_output(7, 7, 90),
                       int8_output(127, -128, 127), int8_output(-1, -1, -1), int8_output(-128, -100, 126)}) {
        e.small = true;
        for (const Fill fill : {Fill::kRandom, Fill::kHighest, Fill::kOpposite}) {
            run({kernel_->mr, 21, 337, 2, fill, e});
            run({2 * kernel_->mr + 1, 2 * kernel_->lanes * kernel_->vectors, 37, 1, fill, e});
        }
    }
}

TEST_P(GemmSweep, AddsAnotherBlob) {
    if (!kernel_->sums) {
        return;
    }
    for (const int shift : {1, 12, 20, 30}) {
        for (const int zero_point : {-128, 0, 5}) {
            SumEpilogue sum;
            const int32_t largest = shift < 20 ? 1 << shift : 1 << 20;
            sum.k = largest;
            sum.k_residual = -largest / 3;
            sum.start = (1 << (shift - 1)) + 7 * largest;
            sum.shift = shift;
            sum.zero_point = zero_point;
            sum.lo = zero_point == 5 ? 5 : -127;
            sum.hi = zero_point == 0 ? 100 : 127;
            Epilogue e = int8_output(zero_point, -128, 127);
            e.sum = &sum;
            for (const bool small : {false, true}) {
                e.small = small;
                for (const int64_t n : {int64_t{1}, int64_t{21}, int64_t{2 * kernel_->lanes * kernel_->vectors}}) {
                    for (const int64_t m : {1, 3, kernel_->mr, 2 * kernel_->mr + 1}) {
                        run({m, n, 37, 2, Fill::kRandom, e});
                        if (HasFatalFailure()) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

TEST_P(GemmSweep, BentOutputs) {
    if (!kernel_->bends) {
        return;
    }
    for (const Epilogue& e : bent_epilogues(kernel_->int8)) {
        for (const int64_t n : {1, 8, 21, 2 * kernel_->lanes * kernel_->vectors}) {
            for (const int64_t m : {1, 3, kernel_->mr, 2 * kernel_->mr + 1}) {
                run({m, n, 37, 2, Fill::kRandom, e});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

// Kernels may store rows of few columns that lie behind one another together.
TEST_P(GemmSweep, AdjacentRows) {
    std::vector<Epilogue> outputs = bent_epilogues(kernel_->int8);
    if (!kernel_->bends) {
        outputs.clear();
    } else {
        outputs.push_back(outputs[0]);
        outputs.back().a = 1.5F;
    }
    outputs.push_back(kernel_->int8 ? int8_output(-7, -120, 119) : no_clamp());
    for (const Epilogue& output : outputs) {
        for (const int64_t n : {1, 3, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64}) {
            for (const int64_t m : {1, 3, 4, 6, 11, kernel_->mr, 2 * kernel_->mr + 5}) {
                run({m, n, 9, 3, Fill::kRandom, output, true});
                if (HasFatalFailure()) {
                    return;
                }
            }
        }
    }
}

// By a slope of 0 they would become NaN.
TEST_P(GemmSweep, InfiniteOutputsOfLeakyRelu) {
    if (!kernel_->bends || !kernel_->int8) {
        return;
    }
    Epilogue e = int8_output(3, -128, 127);
    e.bent = BentFunction::kLeakyRelu;
    for (const float slope : {0.0F, 0.25F, 1.0F, 1.5F, -0.5F}) {
        e.a = slope;
        run({2 * kernel_->mr + 1, 2 * kernel_->lanes * kernel_->vectors, 37, 2, Fill::kRandom, e, true, 125.0F});
        run({kernel_->mr, 8, 37, 2, Fill::kHighest, e, true, 125.0F});
    }
}

// What FunctionKernel makes of it, to the bit but for the sign of zero: float layers have either.
TEST_P(GemmSweep, BentFloatsAreThoseOfTheFunction) {
    if (!kernel_->bends || kernel_->int8) {
        return;
    }
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> sums = {
        0.0F,   -0.0F,   1e-40F, -1e-40F, 0.3F,     -0.7F,     2.999F,
        3.001F, -3.001F, 1e30F,  -1e30F,  infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
    std::vector<float> a(1 + kOverread, 0.0F);
    std::vector<const void*> rows(static_cast<size_t>(kernel_->mr), a.data());
    const std::vector<float> weight(sums.size(), 0.0F);
    GemmWeights weights;
    weights.n = static_cast<int64_t>(sums.size());
    weights.k = 1;
    weights.values = weight.data();
    weights.bias = sums.data();
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());
    for (const Epilogue& e : bent_epilogues(false)) {
        std::vector<float> out(sums.size());
        void* place = out.data();
        GemmArgs args;
        args.rows = rows.data();
        args.k = 1;
        args.packed = packed.data();
        args.m = 1;
        args.n = weights.n;
        args.out = &place;
        args.panel_end = panel_count(weights.n, kernel_->lanes, kernel_->vectors);
        args.epilogue = e;
        kernel_->run(args);
        const bool leaky = e.bent == BentFunction::kLeakyRelu;
        std::vector<float> want(sums.size());
        find_function_kernel(Isa::kScalar)
            ->apply({leaky ? FloatFunction::kLeakyRelu : FloatFunction::kHardSwish, e.a, e.b}, sums.data(), weights.n,
                    want.data());
        for (size_t i = 0; i < sums.size(); ++i) {
            ASSERT_EQ(std::isnan(out[i]), std::isnan(want[i])) << sums[i];
            ASSERT_TRUE(std::isnan(want[i]) || out[i] == want[i]) << sums[i] << ": " << out[i] << ", " << want[i];
        }
    }
}

TEST_P(GemmSweep, InfinityAndNanPass) {
    if (kernel_->int8) {
        return;
    }
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> a(2 + kOverread, 0.0F);
    const auto set = [&](size_t i, float value) { set_element(kernel_->half_input, &a, i, value); };
    const void* rows[32];
    void* out_rows[32];
    std::vector<float> out(3);
    std::fill(std::begin(rows), std::end(rows), a.data());
    out_rows[0] = out.data();
    const float b[] = {1, 0, 0, 1, 1, 1};
    GemmWeights weights;
    weights.n = 3;
    weights.k = 2;
    weights.values = b;
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());
    GemmArgs args;
    args.rows = rows;
    args.k = 2;
    args.packed = packed.data();
    args.n = 3;
    args.panel_end = panel_count(3, kernel_->lanes, kernel_->vectors);
    args.m = 1;
    args.out = out_rows;
    args.epilogue = no_clamp();
    GuardedBuffer scratch(gemm_scratch_bytes(*kernel_, 1, 2));
    args.scratch = scratch.data();
    set(0, 1.0F);
    set(1, infinity);
    kernel_->run(args);
    EXPECT_TRUE(std::isnan(out[0]));  // 1 * 1 + inf * 0
    EXPECT_EQ(out[1], infinity);
    EXPECT_EQ(out[2], infinity);
    args.epilogue.lo = 0.0F;
    set(1, -infinity);
    kernel_->run(args);
    EXPECT_TRUE(std::isnan(out[0]));
    EXPECT_EQ(out[1], 0.0F);
}

// The last step of an odd row has one product with padding.
TEST_P(GemmSweep, WhatLiesBehindARowDoesNotCount) {
    if (kernel_->int8) {
        return;
    }
    std::vector<float> a(3 + kOverread);
    std::memset(a.data(), 0xff, a.size() * sizeof(float));  // NaN of any size
    for (size_t i = 0; i < 3; ++i) {
        set_element(kernel_->half_input, &a, i, static_cast<float>(i + 1));
    }
    const float b[] = {1.0F, 1.0F, 1.0F};
    const std::vector<const void*> rows(static_cast<size_t>(kernel_->mr), a.data());
    std::vector<float> out(static_cast<size_t>(kernel_->mr));
    std::vector<void*> out_rows;
    std::transform(out.begin(), out.end(), std::back_inserter(out_rows), [](float& value) { return &value; });
    GemmWeights weights;
    weights.n = 1;
    weights.k = 3;
    weights.values = b;
    GuardedBuffer packed(round_up(packed_gemm_bytes(*kernel_, weights), kAlignment), kOverread);
    pack_gemm(*kernel_, weights, packed.data());
    GemmArgs args;
    args.rows = rows.data();
    args.k = 3;
    args.packed = packed.data();
    args.n = 1;
    args.panel_end = 1;
    args.m = kernel_->mr;
    args.out = out_rows.data();
    args.epilogue = no_clamp();
    GuardedBuffer scratch(gemm_scratch_bytes(*kernel_, 1, 3));
    args.scratch = scratch.data();
    kernel_->run(args);
    EXPECT_EQ(out, std::vector<float>(out.size(), 6.0F));
}

INSTANTIATE_TEST_SUITE_P(KernelsInc, GemmSweep, testing::ValuesIn(gemm_kernels().begin(), gemm_kernels().end()),
                         kernel_test_name<GemmKernel>);

}  // namespace
}  // namespace fw::test
