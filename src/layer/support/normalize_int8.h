// NormalizeInt8: what the normalisation layers share in int8 (docs/int8-contract.md, Normalisations): sums of levels in
// whole numbers, then an affine formula.
#pragma once

#include "layer/layer.h"
#include "quant/normalization.h"
#include "quant/quant.h"

namespace fw {

class NormalizeInt8 {
public:
    /// Float blobs: not active, the layer's own loops do it. int8 blobs with scales: active. Else kUnsupported.
    /// `gamma` and `beta` may be empty.
    Status prepare(const PrepareContext& context, const NormRule& rule, Span<const float> gamma,
                   Span<const float> beta);
    bool active() const { return active_; }

    /// Normalises groups of adjacent indices of axis 0 with all that lies in them; gamma and beta have an element an
    /// index.
    void by_groups(const Tensor& in, const Tensor& out, int64_t groups, Span<const float> gamma, Span<const float> beta,
                   int threads) const;
    /// Normalises the axes from `first` on, for each index of those before; gamma and beta run over the normalised
    /// elements, row-major.
    void by_tails(const Tensor& in, const Tensor& out, int first, Span<const float> gamma, Span<const float> beta,
                  int threads) const;

private:
    NormRule rule_;
    QuantParams in_, out_;
    bool active_ = false;
};

}  // namespace fw
