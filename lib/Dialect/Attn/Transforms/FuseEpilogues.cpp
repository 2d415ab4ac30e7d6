//===- FuseEpilogues.cpp - what follows a projection, done where it stores -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A projection's sums leave the registers once. Whatever is computed from each of
// them alone (a bias, an activation, a residual, a rounding) is cheapest just
// before: no other pass over memory reads and writes them.
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

#define DEBUG_TYPE "attn-fuse-epilogues"

namespace heed::attn {
#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

/// Features of a vector: heads of a multiple of it don't share one.
static constexpr int64_t kLanes = 16;

/// Whether an op can be computed for all lanes of a vector at once.
static bool hasLanes(Operation &op) {
  if (op.hasTrait<OpTrait::ConstantLike>())
    return true;
  return isPure(&op) && op.getNumRegions() == 0 && op.getNumResults() == 1 &&
         OpTrait::hasElementwiseMappableTraits(&op) &&
         !isa<math::SinOp, math::CosOp, math::PowFOp>(op);
}

/// Whether `generic` computes one tensor element by element from scalars alone.
static bool isElementwise(linalg::GenericOp generic) {
  if (generic.getNumDpsInits() != 1 || !generic.hasPureTensorSemantics() ||
      generic.getNumParallelLoops() != generic.getNumLoops() ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity() ||
      !generic.getMatchingBlockArgument(generic.getDpsInitOperand(0)).use_empty())
    return false;
  Type element = cast<ShapedType>(generic.getResult(0).getType()).getElementType();
  if (!element.isF32() && !element.isBF16())
    return false;
  return llvm::all_of(generic.getBody()->without_terminator(), hasLanes);
}

namespace {

/// A projection, and the op that alone reads it.
class Fusion {
public:
  explicit Fusion(ProjectOp project) : project(project) {}

  /// Joins the reader to the projection, which then has the reader's result: the new projection,
  /// or null where it can't be.
  ProjectOp run() {
    Value result = project.getResult();
    if (result)
      measureRowsInstead();
    if (!result || !result.hasOneUse() || project.getAccumulate() || !project.getInto())
      return {};
    Operation *reader = *result.user_begin();
    // In a loop around the reader alone, the projection would be computed at each round.
    if (reader->getBlock() != project->getBlock())
      return {};
    if (auto generic = dyn_cast<linalg::GenericOp>(reader))
      return joinElementwise(generic);
    if (auto transpose = dyn_cast<linalg::TransposeOp>(reader))
      return putHeadsFirst(transpose);
    return {};
  }

private:
  /// Whoever wants to know how long the result is asks its rows, and is no reader of it.
  void measureRowsInstead() {
    for (Operation *user : llvm::make_early_inc_range(project.getResult().getUsers())) {
      auto dim = dyn_cast<tensor::DimOp>(user);
      std::optional<int64_t> axis = dim ? dim.getConstantIndex() : std::nullopt;
      if (!axis || !project.getResult().getType().isDynamicDim(*axis))
        continue;
      OpBuilder builder(dim);
      OpFoldResult size =
          extentOf(builder, dim.getLoc(), project.getX(), project.getHeadsFirst() ? 0 : *axis);
      dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(builder, dim.getLoc(), size));
      dim.erase();
    }
  }

  ProjectOp joinElementwise(linalg::GenericOp generic) {
    Type type = project.getResult().getType();
    if (!isElementwise(generic) || cast<ShapedType>(type).getElementType().isBF16() ||
        cast<ShapedType>(type).getShape() !=
            cast<ShapedType>(generic.getResult(0).getType()).getShape())
      return {};
    SmallVector<Value> joined(project.getJoined());
    SmallVector<Attribute> maps;
    if (project.getMaps())
      llvm::append_range(maps, *project.getMaps());
    for (OpOperand *input : generic.getDpsInputOperands()) {
      AffineMap map = generic.getMatchingIndexingMap(input);
      if (input->get() == project.getResult()) {
        if (!map.isIdentity())
          return {};
        continue;
      }
      // Two projections of the same rows run together, unless one waits for the other.
      auto operand = dyn_cast<RankedTensorType>(input->get().getType());
      if (!operand || !operand.getElementType().isF32() || input->get().getDefiningOp<ProjectOp>())
        return {};
      bool isRow = project.getRowAxes() > 0 && map == project.getRowMap();
      if (!isRow && map != project.getWholeMap() && map != project.getFeatureMap())
        return {};
      joined.push_back(input->get());
      maps.push_back(AffineMapAttr::get(map));
    }
    ProjectOp made =
        remake(generic, generic.getResult(0).getType(), joined, maps, project.getHeadsFirst());
    appendBody(made, generic);
    return made;
  }

  ProjectOp putHeadsFirst(linalg::TransposeOp transpose) {
    auto type = cast<RankedTensorType>(project.getResult().getType());
    if (transpose.getPermutation() != ArrayRef<int64_t>{1, 0, 2} || project.getRowAxes() != 1 ||
        project.getFeatureAxes() != 2 || project.getPerHead() || project.getHeadsFirst() ||
        type.getShape().back() % kLanes != 0 || !transpose.hasPureTensorSemantics())
      return {};
    SmallVector<AffineMap> before;
    for (unsigned number = 0; number < project.getJoined().size(); ++number) {
      before.push_back(project.getMap(number));
      if (before.back() == project.getWholeMap())
        return {};
    }
    AffineMap rows = project.getRowMap();
    ProjectOp made = remake(transpose, transpose->getResult(0).getType(), project.getJoined(), {},
                            /*headsFirst=*/true);
    SmallVector<Attribute> maps = llvm::map_to_vector(before, [&](AffineMap map) -> Attribute {
      return AffineMapAttr::get(map == rows ? made.getRowMap() : made.getFeatureMap());
    });
    if (!maps.empty())
      made.setMapsAttr(ArrayAttr::get(made.getContext(), maps));
    if (!project.getEpilogue().empty())
      made.getEpilogue().takeBody(project.getEpilogue());
    return made;
  }

  /// The projection where `reader` stands, since what is joined may be computed after it was, with
  /// a destination of its own and without an epilogue yet.
  ProjectOp remake(Operation *reader, Type type, ValueRange joined, ArrayRef<Attribute> maps,
                   bool headsFirst) {
    OpBuilder builder(reader);
    Location loc = reader->getLoc();
    auto made = cast<RankedTensorType>(type);
    SmallVector<OpFoldResult> sizes;
    for (int64_t axis = 0; axis < made.getRank(); ++axis) {
      int64_t ofX = headsFirst ? 0 : axis; // features have constant sizes
      sizes.push_back(made.isDynamicDim(axis)
                          ? extentOf(builder, loc, project.getX(), ofX)
                          : OpFoldResult(builder.getIndexAttr(made.getDimSize(axis))));
    }
    Value into = tensor::EmptyOp::create(builder, loc, sizes, made.getElementType());
    return ProjectOp::create(builder, loc, into.getType(), project.getRole(), project.getX(),
                             project.getWeight(), project.getBeside(), project.getScales(),
                             project.getSums(), joined, into, project.getContracted(),
                             /*accumulate=*/false, project.getPerHead(), headsFirst,
                             maps.empty() ? ArrayAttr() : builder.getArrayAttr(maps),
                             /*tile=*/nullptr);
  }

  /// What `made` does to a sum: what `project` did, then what `generic` does.
  void appendBody(ProjectOp made, linalg::GenericOp generic) {
    OpBuilder builder(made.getContext());
    Block *block = builder.createBlock(&made.getEpilogue());
    SmallVector<Type> types(made.getJoined().size() + 1, builder.getF32Type());
    block->addArguments(types, SmallVector<Location>(types.size(), made.getLoc()));
    Value sum = block->getArgument(0);
    IRMapping mapping;
    if (!project.getEpilogue().empty()) {
      Block &before = project.getEpilogue().front();
      mapping.map(before.getArguments(),
                  block->getArguments().take_front(before.getNumArguments()));
      for (Operation &op : before.without_terminator())
        builder.clone(op, mapping);
      sum = mapping.lookupOrDefault(before.getTerminator()->getOperand(0));
    }
    unsigned next = project.getJoined().size() + 1;
    for (OpOperand *input : generic.getDpsInputOperands()) {
      bool isSum = input->get() == project.getResult();
      mapping.map(generic.getMatchingBlockArgument(input),
                  isSum ? sum : Value(block->getArgument(next++)));
    }
    for (Operation &op : generic.getBody()->without_terminator())
      builder.clone(op, mapping);
    Value yielded = mapping.lookupOrDefault(generic.getBody()->getTerminator()->getOperand(0));
    YieldOp::create(builder, generic.getLoc(), yielded);
  }

  ProjectOp project;
};

struct FuseEpiloguesPass : heed::attn::impl::FuseEpiloguesPassBase<FuseEpiloguesPass> {
  using FuseEpiloguesPassBase::FuseEpiloguesPassBase;

  void runOnOperation() override {
    SmallVector<ProjectOp> projects;
    getOperation().walk([&](ProjectOp op) {
      if (isa<RankedTensorType>(op.getX().getType()))
        projects.push_back(op);
    });
    for (ProjectOp project : projects)
      while (ProjectOp made = Fusion(project).run()) {
        Operation *reader = *project.getResult().user_begin();
        reader->getResult(0).replaceAllUsesWith(made.getResult());
        reader->erase();
        auto into = project.getInto().getDefiningOp<tensor::EmptyOp>();
        project.erase();
        if (into && into->use_empty())
          into.erase();
        project = made;
        ++numFused;
      }
  }
};

} // namespace
