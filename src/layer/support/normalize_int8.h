// NormalizeInt8: what the normalisation layers share in int8 (docs/int8-contract.md, Normalisations): sums of levels in
// whole numbers, then an affine formula.
#pragma once

#include <string>

#include "layer/layer.h"
#include "layer/support/loop_nest.h"
#include "quant/normalization.h"
#include "quant/quant.h"

namespace fw {

struct ArithKernel;
struct NormKernel;

class NormalizeInt8 {
public:
    /// Float blobs: not active, the layer's own loops do it. int8 blobs with scales: active. Else kUnsupported.
    /// `gamma` and `beta` may be empty.
    Status prepare(const PrepareContext& context, const NormRule& rule, Span<const float> gamma,
                   Span<const float> beta);
    bool active() const { return active_; }
    std::string kernel_name() const;  ///< of by_tails
    /// Of what is kept besides gamma and beta.
    size_t weight_bytes() const { return (factors_.gamma.size() + factors_.shift.size()) * sizeof(double); }

    /// Normalises groups of adjacent indices of axis 0 with all that lies in them; gamma and beta have an element an
    /// index.
    void by_groups(const Tensor& in, const Tensor& out, int64_t groups, Span<const float> gamma, Span<const float> beta,
                   int threads) const;
    /// Normalises the axes from `first` on, for each index of those before; gamma and beta run over the normalised
    /// elements, row-major.
    void by_tails(const Tensor& in, const Tensor& out, int first, Span<const float> gamma, Span<const float> beta,
                  int threads) const;

private:
    void normalize_tail(const NormConstants& norm, const int8_t* from, const LoopNest& tail, Span<const float> gamma,
                        Span<const float> beta, int8_t* to) const;

    NormRule rule_;
    QuantParams in_, out_;
    const NormKernel* kernel_ = nullptr;  ///< nullptr: the loops of this file; `arith_` goes with it
    const ArithKernel* arith_ = nullptr;
    NormFactors factors_;  ///< for the kernel, with room to over-read; empty without gamma
    bool active_ = false;
};

}  // namespace fw
