//===- SplitLayers.cpp - a loop for each kind of layer --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Models alternate layers of different kinds: five with a window, one without.
// A program says so by a condition on the layer's number, `l % 6 == 5`. As long
// as one loop runs all layers, whatever follows from the condition (how far back
// the mask lets a row see, hence the size of the layer's cache) must suit the
// worst layer. Which layers a condition holds for is known here, since the count
// is a number: the conditions' values of one layer together are its *kind*, and
// the kinds of all layers, in order, are a sequence such as
//
//     w w w w w g  w w w w w g  w w w w w g  w w
//
// whose shortest period is found. The loop becomes a loop over whole periods that
// holds a loop for each run of equal layers, and what is left behind follows. In
// each of them the conditions are constants. The code grows with the runs in a
// period, which the model's design sets, and not with the depth.
//
//===----------------------------------------------------------------------===//

#include "heed/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define DEBUG_TYPE "heed-split-layers"

namespace heed {
#define GEN_PASS_DEF_SPLITLAYERSPASS
#include "heed/Transforms/Passes.h.inc"
} // namespace heed

using namespace mlir;

//===----------------------------------------------------------------------===//
// Kinds of layers
//===----------------------------------------------------------------------===//

/// Whether `value` is computed from `layer` and constants by arithmetic alone.
static bool dependsOnLayerAlone(Value value, Value layer, DenseMap<Value, bool> &known) {
  if (value == layer)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  auto [place, inserted] = known.try_emplace(value, false);
  if (!inserted)
    return place->second;
  bool depends = matchPattern(op, m_Constant()) ||
                 (isa<arith::ArithDialect>(op->getDialect()) && isMemoryEffectFree(op) &&
                  op->getNumOperands() > 0 && llvm::all_of(op->getOperands(), [&](Value operand) {
                    return dependsOnLayerAlone(operand, layer, known);
                  }));
  return known[value] = depends;
}

/// The conditions in the loop's body that its layer's number alone decides and that something
/// else than such a condition reads.
static SmallVector<Value> findConditions(scf::ForOp loop) {
  Value layer = loop.getInductionVar();
  DenseMap<Value, bool> known;
  auto decides = [&](Value value) {
    return value.getType().isInteger(1) && !matchPattern(value, m_Constant()) &&
           dependsOnLayerAlone(value, layer, known);
  };
  SmallVector<Value> conditions;
  loop.getBody()->walk([&](Operation *op) {
    if (op->getNumResults() != 1 || !decides(op->getResult(0)))
      return;
    for (Operation *user : op->getUsers())
      if (user->getNumResults() != 1 || !decides(user->getResult(0)))
        return conditions.push_back(op->getResult(0));
  });
  return conditions;
}

/// What `value` is in layer number `layer`, or null where that doesn't fold.
static Attribute evaluate(Value value, Value layerValue, Attribute layer,
                          DenseMap<Value, Attribute> &known) {
  if (value == layerValue)
    return layer;
  if (auto place = known.find(value); place != known.end())
    return place->second;
  Operation *op = value.getDefiningOp();
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(evaluate(operand, layerValue, layer, known));
    if (!operands.back())
      return {};
  }
  SmallVector<OpFoldResult> results;
  Attribute result;
  if (succeeded(op->fold(operands, results)) && results.size() == 1) {
    result = dyn_cast<Attribute>(results.front());
    if (auto same = dyn_cast<Value>(results.front()))
      result = evaluate(same, layerValue, layer, known);
  }
  return known[value] = result;
}

namespace {
/// The values of all conditions in one layer.
using Kind = SmallVector<bool>;
} // namespace

/// The kind of each layer 0 … count-1, or nothing where a condition isn't a number's.
static std::optional<std::vector<Kind>> findKinds(scf::ForOp loop, ArrayRef<Value> conditions,
                                                  int64_t count) {
  std::vector<Kind> kinds;
  for (int64_t layer = 0; layer < count; ++layer) {
    Attribute number = IntegerAttr::get(loop.getInductionVar().getType(), layer);
    DenseMap<Value, Attribute> known;
    Kind &kind = kinds.emplace_back();
    for (Value condition : conditions) {
      auto holds =
          dyn_cast_or_null<IntegerAttr>(evaluate(condition, loop.getInductionVar(), number, known));
      if (!holds)
        return std::nullopt;
      kind.push_back(!holds.getValue().isZero());
    }
  }
  return kinds;
}

/// The least period that the sequence has; its length where it has none.
static int64_t findPeriod(ArrayRef<Kind> kinds) {
  int64_t count = kinds.size();
  for (int64_t period = 1; period < count; ++period)
    if (kinds.drop_front(period) == kinds.drop_back(period))
      return period;
  return count;
}

/// The numbers of runs of equal layers.
static int64_t countRuns(ArrayRef<Kind> kinds) {
  int64_t runs = kinds.empty() ? 0 : 1;
  for (size_t layer = 1; layer < kinds.size(); ++layer)
    runs += kinds[layer] != kinds[layer - 1];
  return runs;
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

namespace {

class LayerSplitting {
public:
  LayerSplitting(scf::ForOp loop, ArrayRef<Value> conditions, ArrayRef<Kind> kinds)
      : loop(loop), loc(loop.getLoc()), conditions(conditions), kinds(kinds) {}

  void run(IRRewriter &rewriter) {
    int64_t period = findPeriod(kinds), periods = kinds.size() / period;
    rewriter.setInsertionPoint(loop);
    SmallVector<Value> carried(loop.getInitArgs());
    if (periods == 1) {
      buildRuns(rewriter, Value(), 0, kinds.size(), carried);
    } else {
      carried = buildLoop(rewriter, 0, periods, carried,
                          [&](OpBuilder &body, Value number, SmallVector<Value> &inside) {
                            Value base =
                                arith::MulIOp::create(body, loc, number, constant(body, period));
                            buildRuns(body, base, 0, period, inside);
                          });
      buildRuns(rewriter, Value(), periods * period, kinds.size(), carried);
    }
    rewriter.replaceOp(loop, carried);
  }

private:
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantOp::create(builder, loc,
                                     IntegerAttr::get(loop.getInductionVar().getType(), value));
  }

  /// for number = first … last-1, which carries `init`; gives its results.
  SmallVector<Value>
  buildLoop(OpBuilder &builder, int64_t first, int64_t last, ValueRange init,
            function_ref<void(OpBuilder &, Value, SmallVector<Value> &)> buildBody) {
    auto made = scf::ForOp::create(builder, loc, constant(builder, first), constant(builder, last),
                                   constant(builder, 1), init,
                                   [&](OpBuilder &body, Location, Value number, ValueRange inside) {
                                     SmallVector<Value> carried(inside);
                                     buildBody(body, number, carried);
                                     scf::YieldOp::create(body, loc, carried);
                                   });
    Block *body = made.getBody();
    body->getArgument(0).setLoc(loop.getInductionVar().getLoc());
    for (auto [argument, original] :
         llvm::zip_equal(made.getRegionIterArgs(), loop.getRegionIterArgs()))
      argument.setLoc(original.getLoc());
    return SmallVector<Value>(made.getResults());
  }

  /// Layers base + first … base + last-1 (base: null for 0) in a loop for each run of equal ones.
  void buildRuns(OpBuilder &builder, Value base, int64_t first, int64_t last,
                 SmallVector<Value> &carried) {
    for (int64_t begin = first, end; begin < last; begin = end) {
      end = begin + 1;
      while (end < last && kinds[end] == kinds[begin])
        ++end;
      auto layer = [&](OpBuilder &body, Value number) -> Value {
        if (!base)
          return number;
        return arith::AddIOp::create(body, loop.getInductionVar().getLoc(), base, number);
      };
      if (end - begin == 1) {
        buildLayer(builder, layer(builder, constant(builder, begin)), kinds[begin], carried);
        continue;
      }
      carried = buildLoop(builder, begin, end, carried,
                          [&](OpBuilder &body, Value number, SmallVector<Value> &inside) {
                            buildLayer(body, layer(body, number), kinds[begin], inside);
                          });
    }
  }

  /// The body for one layer of that kind.
  void buildLayer(OpBuilder &builder, Value layer, const Kind &kind, SmallVector<Value> &carried) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), layer);
    mapping.map(loop.getRegionIterArgs(), carried);
    for (Operation &op : loop.getBody()->without_terminator())
      builder.clone(op, mapping);
    for (auto [condition, holds] : llvm::zip_equal(conditions, kind)) {
      Value copy = mapping.lookup(condition);
      OpBuilder before(copy.getDefiningOp());
      copy.replaceAllUsesWith(
          arith::ConstantOp::create(before, copy.getLoc(), before.getBoolAttr(holds)));
    }
    carried.clear();
    for (Value next : loop.getBody()->getTerminator()->getOperands())
      carried.push_back(mapping.lookupOrDefault(next));
  }

  scf::ForOp loop;
  Location loc;
  ArrayRef<Value> conditions;
  ArrayRef<Kind> kinds;
};

struct SplitLayersPass : heed::impl::SplitLayersPassBase<SplitLayersPass> {
  using SplitLayersPassBase::SplitLayersPassBase;

  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) { loops.push_back(loop); });
    IRRewriter rewriter(&getContext());
    for (scf::ForOp loop : loops)
      split(rewriter, loop);
  }

  void split(IRRewriter &rewriter, scf::ForOp loop) {
    // More layers than any model has aren't worth counting through.
    constexpr int64_t maxLayers = 4096;
    std::optional<int64_t> count = getConstantIntValue(loop.getUpperBound());
    if (!count || *count < 2 || *count > maxLayers ||
        getConstantIntValue(loop.getLowerBound()) != 0 || getConstantIntValue(loop.getStep()) != 1)
      return;
    SmallVector<Value> conditions = findConditions(loop);
    if (conditions.empty())
      return;
    std::optional<std::vector<Kind>> kinds = findKinds(loop, conditions, *count);
    if (!kinds)
      return;
    ArrayRef<Kind> all(*kinds);
    int64_t period = findPeriod(all);
    int64_t copies = countRuns(all.take_front(period)) + countRuns(all.take_back(*count % period));
    if (copies > maxCopies) {
      loop.emitRemark() << "its layers stay in one loop: they would need " << copies
                        << " copies of the code, and at most " << maxCopies.getValue()
                        << " are made";
      return;
    }
    LayerSplitting(loop, conditions, all).run(rewriter);
    ++numSplit;
  }
};

} // namespace
