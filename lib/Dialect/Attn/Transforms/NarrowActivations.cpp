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

/// Whether `value`, or what is computed of it number by number, is what its function returns.
static bool isReturned(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    return isa<func::ReturnOp>(user) ||
           (isa<linalg::LinalgOp>(user) && llvm::any_of(user->getResults(), isReturned));
  });
}

/// Whether `project` makes a step's logits: of the few rows that are asked for.
static bool makesLogits(ProjectOp project) {
  auto function = project->getParentOfType<func::FuncOp>();
  auto kind = function ? function->getAttrOfType<StringAttr>("heed.kind") : StringAttr();
  return kind && kind == "step" && isReturned(project.getResult());
}

namespace {

/// What a weight asks of the rows that meet it; no columns: numbers of bf16.
struct Blocks {
  int64_t contracted = 0, group = 0; ///< columns of a sum
  bool scaledSums = false;           ///< the weight has mins
  int32_t times = 0;                 ///< else a sum is what takes back the bias of stored numbers
  bool centred = false;              ///< the weight is of few bits
  bool words = false;                ///< rows are rounded to 16 bits in place of 8

  auto operator<=>(const Blocks &) const = default;
};

struct NarrowActivationsPass : heed::attn::impl::NarrowActivationsPassBase<NarrowActivationsPass> {
  using NarrowActivationsPassBase::NarrowActivationsPassBase;

  void runOnOperation() override {
    SmallVector<ProjectOp> projects, ofSomeRows;
    getOperation().walk([&](ProjectOp op) {
      bool isTensor = isa<RankedTensorType>(op.getX().getType());
      if (isTensor && cast<ShapedType>(op.getX().getType()).getElementType().isF32())
        (rowsOf(op) ? ofSomeRows : projects).push_back(op);
    });
    // Rows of a value that others read whole are rows of the form which those read.
    llvm::append_range(projects, ofSomeRows);
    for (ProjectOp project : projects) {
      std::optional<Blocks> blocks = formOf(project);
      if (!blocks)
        continue;
      const Narrow &form = formFor(project, *blocks);
      project.getXMutable().assign(form[0]);
      if (form.size() > 1) {
        project.getScalesMutable().assign(form[1]);
        project.getSumsMutable().assign(form[2]);
      }
      if (blocks->centred) {
        project.getCentresMutable().assign(form[3]);
        project.getCrossesMutable().assign(form[4]);
      }
      ++numProjections;
    }
    forms.clear();
  }

private:
  /// A value in one of its narrow forms: rounded, or quants with their scales and sums, and, where
  /// they are centred, centres and crosses.
  using Narrow = SmallVector<Value, 5>;

  /// The form in which the weight of `project` wants its rows, nothing where they stay f32.
  std::optional<Blocks> formOf(ProjectOp project) const {
    WeightType weight = project.getWeight().getType();
    StorageSet storage = StorageSet::fromBits(static_cast<uint32_t>(weight.getStorage())).value();
    PanelLayout layout = panelLayout(storage);
    if (layout.quant == PanelLayout::Quant::BF16)
      return bf16 && !makesLogits(project) ? std::optional(Blocks{}) : std::nullopt;
    int64_t columns = llvm::product_of(weight.getShape().take_back(project.getContracted()));
    if (!int8 || !layout.isQuantised() || columns % QuantizeOp::kBlock != 0)
      return std::nullopt;
    Blocks blocks{static_cast<int64_t>(project.getContracted()), layout.scaleGroup};
    blocks.words = !layout.meetsBytes(vnni);
    // Centres are multiplied as pairs of bf16.
    blocks.centred = bf16 && layout.hasNibbles() && layout.scaleGroup == QuantizeOp::kBlock;
    blocks.scaledSums = layout.hasMin && !blocks.centred;
    blocks.times = blocks.centred ? -layout.middle() : blocks.scaledSums ? 1 : -layout.bias();
    return blocks;
  }

  /// The slice that `project` reads where that takes some rows of a tensor, and of those all.
  static tensor::ExtractSliceOp rowsOf(ProjectOp project) {
    auto slice = project.getX().getDefiningOp<tensor::ExtractSliceOp>();
    if (!slice || slice.getType().getRank() != slice.getSourceType().getRank())
      return {};
    for (int64_t axis = slice.getType().getRank() - project.getContracted();
         axis < slice.getType().getRank(); ++axis)
      if (!isConstantIntValue(slice.getMixedOffsets()[axis], 0) ||
          slice.getSourceType().isDynamicDim(axis) ||
          slice.getSourceType().getDimSize(axis) != slice.getType().getDimSize(axis))
        return {};
    return slice;
  }

  /// What `project` reads of its rows, made where they are unless somebody reads it already.
  const Narrow &formFor(ProjectOp project, const Blocks &blocks) {
    Value x = project.getX();
    Narrow &form = forms[{x.getAsOpaquePointer(), blocks}];
    if (!form.empty())
      return form;
    if (tensor::ExtractSliceOp rows = rowsOf(project)) {
      auto whole = forms.find({rows.getSource().getAsOpaquePointer(), blocks});
      if (whole != forms.end()) {
        for (Value part : whole->second)
          form.push_back(sliceLike(rows, part, project.getContracted()));
        return form;
      }
    }
    if (blocks == Blocks{})
      form.push_back(narrowed(x));
    else
      llvm::append_range(form, quantize(x, blocks)->getResults());
    return form;
  }

  /// The rows that `rows` takes, of `part`: its source's numbers, or something for each block of
  /// the last `contracted` axes.
  static Value sliceLike(tensor::ExtractSliceOp rows, Value part, int64_t contracted) {
    OpBuilder builder(rows);
    auto type = cast<RankedTensorType>(part.getType());
    int64_t rowAxes = rows.getType().getRank() - contracted;
    SmallVector<OpFoldResult> offsets = rows.getMixedOffsets(), sizes = rows.getMixedSizes(),
                              strides = rows.getMixedStrides();
    SmallVector<int64_t> shape(type.getShape());
    llvm::copy(rows.getType().getShape().take_front(rowAxes), shape.begin());
    offsets.resize(type.getRank(), builder.getIndexAttr(0));
    strides.resize(type.getRank(), builder.getIndexAttr(1));
    sizes.truncate(rowAxes);
    for (int64_t size : ArrayRef<int64_t>(shape).drop_front(rowAxes))
      sizes.push_back(builder.getIndexAttr(size));
    return tensor::ExtractSliceOp::create(builder, rows.getLoc(), type.clone(shape), part, offsets,
                                          sizes, strides);
  }

  /// A tensor to write, of `element`, with x's axes but the last `dropped` and, if it isn't 0, an
  /// axis of `last`.
  static Value destination(OpBuilder &builder, Value x, int64_t dropped, int64_t last,
                           Type element) {
    Location loc = x.getLoc();
    SmallVector<OpFoldResult> sizes;
    int64_t kept = cast<RankedTensorType>(x.getType()).getRank() - dropped;
    for (int64_t axis = 0; axis < kept; ++axis)
      sizes.push_back(extentOf(builder, loc, x, axis));
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
    SmallVector<Value> into{
        destination(builder, x, 0, 0, builder.getIntegerType(blocks.words ? 16 : 8)),
        destination(builder, x, blocks.contracted, columns / QuantizeOp::kBlock,
                    builder.getF32Type()),
        destination(builder, x, blocks.contracted, columns / blocks.group,
                    blocks.scaledSums ? Type(builder.getF32Type()) : builder.getI32Type())};
    if (blocks.centred)
      into.append({destination(builder, x, blocks.contracted, 2 * columns / QuantizeOp::kBlock,
                               builder.getBF16Type()),
                   destination(builder, x, blocks.contracted, columns / QuantizeOp::kBlock,
                               builder.getF32Type())});
    return QuantizeOp::create(builder, x.getLoc(), TypeRange(ValueRange(into)), x, into[0], into[1],
                              into[2], blocks.centred ? into[3] : Value(),
                              blocks.centred ? into[4] : Value(), blocks.contracted, blocks.group,
                              blocks.times);
  }

  /// Every form in which a value is read.
  std::map<std::pair<void *, Blocks>, Narrow> forms;
};

} // namespace
