//===- NarrowActivations.cpp - rows in the numbers that dot products take -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"
#include "heed/Weights/PanelLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <map>

#define DEBUG_TYPE "attn-narrow-activations"

namespace heed::attn {
#define GEN_PASS_DEF_NARROWACTIVATIONSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed;
using namespace heed::attn;

namespace {

/// What a weight asks of the rows that meet it.
struct Blocks {
  int64_t contracted, group; ///< columns of a sum
  bool scaledSums;           ///< the weight has mins
  int32_t times;             ///< else a sum is what takes back the bias of stored numbers

  auto operator<=>(const Blocks &) const = default;
};

struct NarrowActivationsPass : heed::attn::impl::NarrowActivationsPassBase<NarrowActivationsPass> {
  using NarrowActivationsPassBase::NarrowActivationsPassBase;

  void runOnOperation() override {
    SmallVector<ProjectOp> projects;
    getOperation().walk([&](ProjectOp op) {
      bool isTensor = isa<RankedTensorType>(op.getX().getType());
      if (isTensor && cast<ShapedType>(op.getX().getType()).getElementType().isF32())
        projects.push_back(op);
    });
    // Every form in which a value is read, made where the value is.
    std::map<std::pair<void *, Blocks>, QuantizeOp> quantized;
    DenseMap<Value, Value> rounded;
    for (ProjectOp project : projects) {
      WeightType weight = project.getWeight().getType();
      StorageSet storage = StorageSet::fromBits(static_cast<uint32_t>(weight.getStorage())).value();
      PanelLayout layout = panelLayout(storage);
      Value x = project.getX();
      if (bf16 && layout.quant == PanelLayout::Quant::BF16) {
        Value &narrow = rounded[x];
        if (!narrow)
          narrow = narrowed(x);
        project.getXMutable().assign(narrow);
        ++numProjections;
        continue;
      }
      int64_t columns = llvm::product_of(weight.getShape().take_back(project.getContracted()));
      if (!int8 || !layout.isQuantised() || columns % QuantizeOp::kBlock != 0)
        continue;
      Blocks blocks{static_cast<int64_t>(project.getContracted()), layout.scaleGroup, layout.hasMin,
                    layout.hasMin ? 1 : -layout.bias()};
      QuantizeOp &made = quantized[{x.getAsOpaquePointer(), blocks}];
      if (!made)
        made = quantize(x, blocks);
      project.getXMutable().assign(made->getResult(0));
      project.getScalesMutable().assign(made->getResult(1));
      project.getSumsMutable().assign(made->getResult(2));
      ++numProjections;
    }
  }

private:
  /// A tensor to write, of `element`, with x's axes but the last `dropped` and, if it isn't 0, an
  /// axis of `last`.
  static Value destination(OpBuilder &builder, Value x, int64_t dropped, int64_t last,
                           Type element) {
    Location loc = x.getLoc();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, x);
    sizes.truncate(sizes.size() - dropped);
    if (last != 0)
      sizes.push_back(builder.getIndexAttr(last));
    return tensor::EmptyOp::create(builder, loc, sizes, element);
  }

  static Value narrowed(Value x) {
    OpBuilder builder(x.getContext());
    builder.setInsertionPointAfterValue(x);
    return roundToBf16(builder, x.getLoc(), x);
  }

  static QuantizeOp quantize(Value x, const Blocks &blocks) {
    OpBuilder builder(x.getContext());
    builder.setInsertionPointAfterValue(x);
    auto type = cast<RankedTensorType>(x.getType());
    int64_t columns = llvm::product_of(type.getShape().take_back(blocks.contracted));
    Value into[] = {
        destination(builder, x, 0, 0, builder.getI8Type()),
        destination(builder, x, blocks.contracted, columns / QuantizeOp::kBlock,
                    builder.getF32Type()),
        destination(builder, x, blocks.contracted, columns / blocks.group,
                    blocks.scaledSums ? Type(builder.getF32Type()) : builder.getI32Type())};
    return QuantizeOp::create(builder, x.getLoc(), TypeRange(ValueRange(into)), x, into[0], into[1],
                              into[2], blocks.contracted, blocks.group, blocks.times);
  }
};

} // namespace
