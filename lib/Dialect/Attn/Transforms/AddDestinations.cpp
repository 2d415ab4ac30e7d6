//===- AddDestinations.cpp - gives projections and embeddings a tensor to write -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#define DEBUG_TYPE "attn-add-destinations"

namespace heed::attn {
#define GEN_PASS_DEF_ADDDESTINATIONSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

/// An uninitialised tensor of `type` whose leading axes are as long as those of `like`.
static Value emptyLike(OpBuilder &builder, Location loc, RankedTensorType type, Value like) {
  SmallVector<Value> sizes;
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (type.isDynamicDim(axis))
      sizes.push_back(tensor::DimOp::create(builder, loc, like, axis));
  return tensor::EmptyOp::create(builder, loc, type, sizes);
}

/// The tensor to which `project`'s result is added by its only user, an elementwise sum; null
/// where there is none. That is the residual, and the projection can add to it in place.
static linalg::GenericOp residualSum(ProjectOp project, Value &residual) {
  Value result = project.getResult();
  if (!result.hasOneUse())
    return {};
  auto sum = dyn_cast<linalg::GenericOp>(*result.user_begin());
  // In a loop around the sum alone, the projection would be computed at each round.
  if (!sum || sum->getBlock() != project->getBlock() || sum.getNumDpsInputs() != 2 ||
      sum.getNumDpsInits() != 1 || sum.getNumParallelLoops() != sum.getNumLoops() ||
      !llvm::all_of(sum.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
    return {};
  Block &body = *sum.getBody();
  if (!llvm::hasNItems(body, 2))
    return {};
  auto add = dyn_cast<arith::AddFOp>(body.front());
  if (!add || body.getTerminator()->getOperand(0) != add.getResult())
    return {};
  Value first = body.getArgument(0), second = body.getArgument(1);
  if (!((add.getLhs() == first && add.getRhs() == second) ||
        (add.getLhs() == second && add.getRhs() == first)))
    return {};
  residual = sum.getDpsInputs()[sum.getDpsInputs()[0] == result ? 1 : 0];
  if (residual == result || residual.getType() != result.getType())
    return {};
  return sum;
}

/// Whether `value` is `carried` with some of its elements replaced, step by step.
static bool updatesInPlace(Value value, Value carried) {
  while (value != carried) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return false;
    if (auto op = dyn_cast<ProjectOp>(result.getOwner()))
      value = op.getInto();
    else if (auto op = dyn_cast<OnlineAttentionOp>(result.getOwner()))
      value = ValueRange{op.getAcc(), op.getMax(), op.getSum()}[result.getResultNumber()];
    else if (auto op = dyn_cast<DestinationStyleOpInterface>(result.getOwner()))
      value = op.getTiedOpOperand(result)->get();
    else if (auto op = dyn_cast<scf::ForOp>(result.getOwner()))
      value = op.getTiedLoopInit(result)->get();
    else
      return false;
    if (!value)
      return false;
  }
  return true;
}

/// A value that a loop carries on stays in one buffer: what is computed elsewhere, such as
/// `x + y + bias`, is put there at the end of a round.
static unsigned returnToCarried(scf::ForOp loop) {
  auto yield = cast<scf::YieldOp>(loop.getBody()->getTerminator());
  OpBuilder builder(yield);
  unsigned count = 0;
  for (auto [operand, carried] :
       llvm::zip_equal(yield->getOpOperands(), loop.getRegionIterArgs())) {
    if (!isa<RankedTensorType>(carried.getType()) || updatesInPlace(operand.get(), carried))
      continue;
    auto returned = bufferization::MaterializeInDestinationOp::create(
        builder, operand.get().getLoc(), carried.getType(), operand.get(), carried);
    operand.set(returned.getResult());
    ++count;
  }
  return count;
}

/// Fills a tensor where it is written, for each op that does: one that several ops or rounds write
/// would have to be copied for each.
static unsigned fillForEachUse(linalg::FillOp fill) {
  auto empty = fill.hasPureTensorSemantics() ? fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>()
                                             : tensor::EmptyOp();
  if (!empty)
    return 0;
  unsigned count = 0;
  for (OpOperand &use : llvm::make_early_inc_range(fill.getResult(0).getUses())) {
    auto writer = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
    if (!writer || !writer.isDpsInit(&use) ||
        (fill->hasOneUse() && writer->getBlock() == fill->getBlock()))
      continue;
    OpBuilder builder(writer);
    auto own = cast<linalg::FillOp>(builder.clone(*fill));
    own.getOutputsMutable()[0].set(builder.clone(*empty)->getResult(0));
    own->moveAfter(own.getOutputs()[0].getDefiningOp());
    use.set(own.getResult(0));
    ++count;
  }
  if (fill->use_empty())
    fill.erase();
  return count;
}

namespace {
struct AddDestinationsPass : heed::attn::impl::AddDestinationsPassBase<AddDestinationsPass> {
  using AddDestinationsPassBase::AddDestinationsPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<ProjectOp, EmbedOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (op->getNumResults() == 0)
        continue;
      OpBuilder builder(op);
      auto type = cast<RankedTensorType>(op->getResult(0).getType());
      if (auto embed = dyn_cast<EmbedOp>(op)) {
        if (!embed.getInto())
          embed.getIntoMutable().assign(emptyLike(builder, op->getLoc(), type, embed.getIds()));
        continue;
      }
      auto project = cast<ProjectOp>(op);
      if (project.getInto())
        continue;
      Value residual;
      if (linalg::GenericOp sum = residualSum(project, residual)) {
        // The sum may read what is computed after the projection: add where the sum stands.
        project->moveBefore(sum);
        project.getIntoMutable().assign(residual);
        project.setAccumulate(true);
        sum.getResult(0).replaceAllUsesWith(project.getResult());
        sum.erase();
        ++numResiduals;
        continue;
      }
      project.getIntoMutable().assign(emptyLike(builder, op->getLoc(), type, project.getX()));
    }
    SmallVector<linalg::FillOp> fills;
    getOperation()->walk([&](linalg::FillOp fill) { fills.push_back(fill); });
    for (linalg::FillOp fill : fills)
      numFills += fillForEachUse(fill);
    getOperation()->walk([&](scf::ForOp loop) { numReturned += returnToCarried(loop); });
  }
};
} // namespace
