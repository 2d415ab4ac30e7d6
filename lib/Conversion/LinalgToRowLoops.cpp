//===- LinalgToRowLoops.cpp - linalg ops on memrefs become scalar loops over rows -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowTasks.h"

#include "heed/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

#define DEBUG_TYPE "convert-linalg-to-row-loops"

namespace heed {
#define GEN_PASS_DEF_LINALGTOROWLOOPSPASS
#include "heed/Conversion/Passes.h.inc"
} // namespace heed

using namespace mlir;

namespace {

/// Longer periods of a loop's remainder aren't worth as many copies of the body.
constexpr int64_t kMostOfPeriod = 4;

/// Builds the nest of one op.
class RowLoops {
public:
  RowLoops(linalg::LinalgOp op, int64_t rowsOfTask)
      : op(op), loc(op.getLoc()), rowsOfTask(rowsOfTask), indices(op.getNumLoops()) {
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      (kind == utils::IteratorType::parallel ? parallel : reductions).push_back(loop);
  }

  void build(OpBuilder &builder) {
    SmallVector<Range> ranges = op.createLoopRanges(builder, loc);
    for (Range &range : ranges)
      extents.push_back(getValueOrCreateConstantIndexOp(builder, loc, range.size));
    zero = arith::ConstantIndexOp::create(builder, loc, 0);
    one = arith::ConstantIndexOp::create(builder, loc, 1);
    std::optional<unsigned> divided = loopToDivide(ranges);
    if (!divided)
      return buildParallel(builder, 0);

    // Rows outermost, whatever the order of the op's loops: a row's memory is then still near when
    // its next part is computed. Not where rows are neighbours in memory.
    if (*divided != parallel.back()) {
      llvm::erase(parallel, *divided);
      parallel.insert(parallel.begin(), *divided);
    }
    heed::buildRowTasks(builder, loc, extents[*divided], rowsOfTask,
                        [&](OpBuilder &body, Value begin, Value end) {
                          dividedLoop = divided;
                          dividedBegin = begin;
                          dividedEnd = end;
                          buildParallel(body, 0);
                        });
  }

private:
  /// The first parallel loop of dynamic length, where the op isn't part of a task already.
  std::optional<unsigned> loopToDivide(ArrayRef<Range> ranges) {
    if (op->getParentOfType<scf::ForallOp>())
      return std::nullopt;
    for (unsigned loop : parallel)
      if (!getConstantIntValue(ranges[loop].size))
        return loop;
    return std::nullopt;
  }

  void buildParallel(OpBuilder &builder, size_t depth) {
    if (depth == parallel.size())
      return buildElement(builder);
    bool isLast = depth + 1 == parallel.size();
    if (isLast && addsRows())
      return buildSumOfRows(builder);
    if (std::optional<int64_t> period = isLast ? periodOf(parallel[depth]) : std::nullopt)
      return buildPeriods(builder, parallel[depth], *period);
    OpBuilder inside = enterParallel(builder, parallel[depth]);
    if (!isLast)
      evaluateEarly(inside);
    buildParallel(inside, depth + 1);
  }

  /// A parallel loop; builds in its body.
  OpBuilder enterParallel(OpBuilder &builder, unsigned loop) {
    bool isDivided = dividedLoop == loop;
    auto nest = scf::ForOp::create(builder, loc, isDivided ? dividedBegin : zero,
                                   isDivided ? dividedEnd : extents[loop], one);
    indices[loop] = nest.getInductionVar();
    return OpBuilder::atBlockTerminator(nest.getBody());
  }

  /// Whether numbers that follow one another along the last parallel loop are added to others that
  /// do, as for the mean of rows: in memory, where an element's own numbers lie a row apart.
  bool addsRows() {
    if (reductions.empty())
      return false;
    unsigned last = parallel.back();
    auto endsIn = [](AffineMap map, unsigned loop) {
      return map.getNumResults() != 0 &&
             map.getResults().back() == getAffineDimExpr(loop, map.getContext());
    };
    for (OpOperand &init : op.getDpsInitsMutable())
      if (!endsIn(op.getMatchingIndexingMap(&init), last))
        return false;
    bool hasRows = false;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (!map.isFunctionOfDim(last))
        continue;
      if (!endsIn(map, last))
        return false;
      hasRows |= llvm::any_of(reductions, [&](unsigned loop) { return map.isFunctionOfDim(loop); });
    }
    return hasRows;
  }

  /// The reductions' loops around the last parallel one.
  void buildSumOfRows(OpBuilder &builder) {
    OpBuilder inside = builder;
    for (unsigned loop : reductions) {
      auto nest = scf::ForOp::create(inside, loc, zero, extents[loop], one);
      indices[loop] = nest.getInductionVar();
      inside = OpBuilder::atBlockTerminator(nest.getBody());
    }
    evaluateEarly(inside);
    OpBuilder body = enterParallel(inside, parallel.back());
    SmallVector<Value> before;
    for (OpOperand &init : op.getDpsInitsMutable())
      before.push_back(load(body, init));
    storeElement(body, evaluate(body, before));
  }

  /// The only number by which an operand's place depends on the remainder of `loop`, where its
  /// rounds are a multiple: 2 for what reads pairs of elements crosswise.
  std::optional<int64_t> periodOf(unsigned loop) {
    int64_t period = 0;
    bool isOne = reductions.empty() && dividedLoop != loop;
    for (AffineMap map : op.getIndexingMapsArray())
      map.walkExprs([&](AffineExpr expr) {
        if (expr.getKind() != AffineExprKind::Mod || !expr.isFunctionOfDim(loop))
          return;
        auto divisor = dyn_cast<AffineConstantExpr>(cast<AffineBinaryOpExpr>(expr).getRHS());
        isOne = isOne && divisor && (period == 0 || period == divisor.getValue());
        period = divisor ? divisor.getValue() : 0;
      });
    std::optional<int64_t> rounds = getConstantIntValue(extents[loop]);
    if (!isOne || period < 2 || period > kMostOfPeriod || !rounds || *rounds % period != 0)
      return std::nullopt;
    return period;
  }

  /// The innermost loop in whole periods: within one, each element's neighbours are known.
  void buildPeriods(OpBuilder &builder, unsigned loop, int64_t period) {
    Value length = arith::ConstantIndexOp::create(builder, loc, period);
    Value end = arith::DivUIOp::create(builder, loc, extents[loop], length);
    auto nest = scf::ForOp::create(builder, loc, zero, end, one);
    OpBuilder inside = OpBuilder::atBlockTerminator(nest.getBody());
    Value first = arith::MulIOp::create(inside, loc, nest.getInductionVar(), length);
    for (int64_t within = 0; within < period; ++within) {
      indices[loop] = arith::AddIOp::create(inside, loc, first,
                                            arith::ConstantIndexOp::create(inside, loc, within));
      inPeriod = {loop, period, within, nest.getInductionVar()};
      buildElement(inside);
    }
    inPeriod.reset();
  }

  /// Evaluates what the loops so far determine, once for all rounds of those inside: a norm's
  /// factor is the same for all of a row. Inputs aren't written by the op, or only where read.
  void evaluateEarly(OpBuilder &builder) {
    Block &body = *op.getBlock();
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      AffineMap map = op.getMatchingIndexingMap(input);
      bool isKnown = true;
      for (unsigned loop = 0; loop < indices.size(); ++loop)
        isKnown = isKnown && (indices[loop] || !map.isFunctionOfDim(loop));
      if (isKnown && !argument.use_empty() && !early.contains(argument) &&
          isa<MemRefType>(input->get().getType()))
        early.map(argument, load(builder, *input));
    }
    for (auto index : body.getOps<linalg::IndexOp>())
      if (Value known = indices[index.getDim()])
        early.map(index.getResult(), known);
    for (Operation &inner : body.without_terminator()) {
      auto isKnown = [&](Value value) {
        return early.contains(value) || value.getParentBlock() != &body;
      };
      if (inner.getNumRegions() == 0 && inner.getNumOperands() != 0 && isPure(&inner) &&
          !early.contains(inner.getResult(0)) && llvm::all_of(inner.getOperands(), isKnown))
        builder.clone(inner, early);
    }
  }

  /// One element of each output: reductions run over it with its value in registers.
  void buildElement(OpBuilder &builder) {
    SmallVector<Value> initial;
    for (OpOperand &init : op.getDpsInitsMutable())
      initial.push_back(isRead(init) ? load(builder, init) : Value());
    storeElement(builder, buildReduction(builder, 0, initial));
  }

  void storeElement(OpBuilder &builder, ArrayRef<Value> results) {
    for (auto [init, result] : llvm::zip_equal(op.getDpsInitsMutable(), results))
      memref::StoreOp::create(builder, loc, result, init.get(), place(builder, init));
  }

  SmallVector<Value> buildReduction(OpBuilder &builder, size_t depth, ArrayRef<Value> running) {
    if (depth == reductions.size())
      return evaluate(builder, running);
    unsigned loop = reductions[depth];
    SmallVector<Value> results;
    auto nest = scf::ForOp::create(builder, loc, zero, extents[loop], one, running,
                                   [&](OpBuilder &body, Location, Value index, ValueRange carried) {
                                     indices[loop] = index;
                                     scf::YieldOp::create(
                                         body, loc,
                                         buildReduction(body, depth + 1, llvm::to_vector(carried)));
                                   });
    return SmallVector<Value>(nest.getResults());
  }

  /// The op's body at the current indices. `outputs` are the outputs' running values.
  SmallVector<Value> evaluate(OpBuilder &builder, ArrayRef<Value> outputs) {
    IRMapping mapping = early;
    Block &body = *op.getBlock();
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      if (mapping.contains(argument))
        continue;
      if (!isa<MemRefType>(input->get().getType()))
        mapping.map(argument, input->get());
      else if (!argument.use_empty())
        mapping.map(argument, load(builder, *input));
    }
    for (auto [init, value] : llvm::zip_equal(op.getDpsInitsMutable(), outputs))
      if (value)
        mapping.map(op.getMatchingBlockArgument(&init), value);
    for (Operation &inner : body.without_terminator()) {
      if (inner.getNumResults() == 1 && mapping.contains(inner.getResult(0)))
        continue;
      if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
        mapping.map(index.getResult(), indices[index.getDim()]);
        continue;
      }
      Operation *clone = builder.clone(inner, mapping);
      // A sum in one fixed order would keep it from being vectorised; and a mean's division by the
      // number of columns, as formulas write it inside the sum, is a multiplication.
      auto math = dyn_cast<arith::ArithFastMathInterface>(clone);
      if (reductions.empty() || !math)
        continue;
      auto allow = [&](arith::FastMathFlags flags) {
        clone->setAttr(math.getFastMathAttrName(),
                       arith::FastMathFlagsAttr::get(builder.getContext(), flags));
      };
      if (isa<arith::AddFOp, arith::MulFOp>(clone))
        allow(arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
      else if (isa<arith::DivFOp>(clone))
        allow(arith::FastMathFlags::arcp);
    }
    return llvm::map_to_vector(body.getTerminator()->getOperands(),
                               [&](Value value) { return mapping.lookupOrDefault(value); });
  }

  bool isRead(OpOperand &init) {
    return !reductions.empty() || !op.getMatchingBlockArgument(&init).use_empty();
  }
  SmallVector<Value> place(OpBuilder &builder, OpOperand &operand) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<Value> result;
    for (AffineExpr expr : map.getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        result.push_back(indices[dim.getPosition()]);
        continue;
      }
      SmallVector<Value> dims = dimValues();
      if (inPeriod) {
        AffineExpr number = getAffineDimExpr(inPeriod->loop, expr.getContext());
        expr = simplifyAffineExpr(
            expr.replace(number, number * inPeriod->length + inPeriod->within), dims.size(), 0);
        dims[inPeriod->loop] = inPeriod->number;
      }
      result.push_back(affine::expandAffineExpr(builder, loc, expr, dims, {}));
    }
    return result;
  }
  /// Indices of all loops; expandAffineExpr looks at those that the expression names.
  SmallVector<Value> dimValues() {
    return llvm::map_to_vector(indices, [&](Value index) { return index ? index : zero; });
  }
  Value load(OpBuilder &builder, OpOperand &operand) {
    return memref::LoadOp::create(builder, loc, operand.get(), place(builder, operand));
  }

  linalg::LinalgOp op;
  Location loc;
  int64_t rowsOfTask;
  SmallVector<unsigned> parallel, reductions;
  SmallVector<Value> extents, indices;
  IRMapping early; ///< what was evaluated before the innermost loop, of the body
  Value zero, one;
  std::optional<unsigned> dividedLoop;
  Value dividedBegin, dividedEnd;
  /// Which element of which period of a loop is being built.
  struct Place {
    unsigned loop;
    int64_t length, within;
    Value number;
  };
  std::optional<Place> inPeriod;
};

struct LinalgToRowLoopsPass : heed::impl::LinalgToRowLoopsPassBase<LinalgToRowLoopsPass> {
  using LinalgToRowLoopsPassBase::LinalgToRowLoopsPassBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op.emitOpError("is in tensor form; bufferize before converting to loops");
        return signalPassFailure();
      }
      OpBuilder builder(op);
      RowLoops(op, rows).build(builder);
      op.erase();
      ++numNests;
    }
  }
};

} // namespace
