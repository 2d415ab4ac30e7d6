//===- FactorContractions.cpp - splits products of many factors into cheap pairs -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Transforms/Passes.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Contraction.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/bit.h"

#include <limits>

#define DEBUG_TYPE "heed-factor-contractions"

namespace heed {
#define GEN_PASS_DEF_FACTORCONTRACTIONSPASS
#include "heed/Transforms/Passes.h.inc"

using namespace mlir;
using attn::Contraction;
using attn::Factor;

namespace {

/// A set of a contraction's factors, one bit each.
using FactorSet = uint32_t;

/// What a size known only at run time counts as.
constexpr double kRunTimeSize = 4096;
/// Sets of factors grow as 2^n and their splits as 3^n; formulas have three or four.
constexpr size_t kMaxFactors = 10;

/// Finds the cheapest tree of pairs for one contraction and builds it.
class Factoring {
public:
  explicit Factoring(const Contraction &whole) : whole(whole) {
    // A pattern's axes come first in what it is multiplied with.
    for (bool patterns : {true, false})
      for (const Factor &factor : whole.factors)
        if (isPattern(factor) == patterns)
          (dependsOnSum(factor) ? summed : late).push_back(factor);
    for (const Factor &factor : summed) {
      loopsOf.push_back(llvm::SmallBitVector(whole.loops()));
      for (unsigned loop = 0; loop < whole.loops(); ++loop)
        if (factor.uses(loop))
          loopsOf.back().set(loop);
    }
  }

  /// Whether each summed loop is an index of some factor; without that, the sum multiplies
  /// by a loop's length, which no tree of pairs does.
  bool coversSums() const {
    llvm::SmallBitVector covered(whole.loops());
    for (const llvm::SmallBitVector &loops : loopsOf)
      covered |= loops;
    for (unsigned loop = whole.parallel; loop < whole.loops(); ++loop)
      if (!covered.test(loop))
        return false;
    return true;
  }

  /// Builds the tree at `rewriter`; its root has the contraction's type.
  Value build(RewriterBase &rewriter) {
    findCheapestSplits();
    FactorSet all = (FactorSet(1) << summed.size()) - 1;
    if (late.empty())
      return buildPair(rewriter, all, allAxes(), whole.scale);
    Factor sum = build(rewriter, all);
    SmallVector<Factor> last{sum};
    last.append(late);
    return buildProduct(rewriter, last, allAxes(), whole.scale);
  }

private:
  const Contraction &whole;
  /// The factors that have a summed index, and those that don't.
  SmallVector<Factor> summed, late;
  /// The loops of each of `summed`.
  SmallVector<llvm::SmallBitVector> loopsOf;
  /// For each set of more than one factor, one half of its cheapest split.
  SmallVector<FactorSet> split;

  static bool isPattern(const Factor &factor) {
    return factor.value.getDefiningOp<attn::SoftmaxOp>() != nullptr;
  }
  bool dependsOnSum(const Factor &factor) const {
    for (unsigned loop = whole.parallel; loop < whole.loops(); ++loop)
      if (factor.uses(loop))
        return true;
    return false;
  }
  SmallVector<unsigned> allAxes() const {
    return llvm::to_vector(llvm::seq<unsigned>(0, whole.parallel));
  }

  llvm::SmallBitVector loopsIn(FactorSet set) const {
    llvm::SmallBitVector loops(whole.loops());
    for (size_t i = 0; i < summed.size(); ++i)
      if (set >> i & 1)
        loops |= loopsOf[i];
    return loops;
  }

  /// The axes of the set's product: all of a single factor's, and of several those that the
  /// result or a factor outside the set still needs. The others are summed over by then.
  llvm::SmallBitVector axesOf(FactorSet set) const {
    llvm::SmallBitVector axes = loopsIn(set);
    if (llvm::has_single_bit(set))
      return axes;
    FactorSet all = (FactorSet(1) << summed.size()) - 1;
    llvm::SmallBitVector needed = loopsIn(all & ~set);
    needed.set(0, whole.parallel);
    axes &= needed;
    return axes;
  }

  /// Multiply-adds of one pair.
  double costOfPair(FactorSet one, FactorSet other) const {
    double cost = 1;
    llvm::SmallBitVector loops = axesOf(one);
    loops |= axesOf(other);
    for (unsigned loop : loops.set_bits())
      cost *= ShapedType::isDynamic(whole.extents[loop]) ? kRunTimeSize : whole.extents[loop];
    return cost;
  }

  bool onlyWeights(FactorSet set) const {
    for (size_t i = 0; i < summed.size(); ++i)
      if ((set >> i & 1) && !summed[i].isWeight())
        return false;
    return true;
  }

  /// Whether one of the pair is a pattern and its product with the other sums over more than the
  /// pattern's index, over heads say: then it isn't attention's weighing of values.
  bool weighsAndSums(FactorSet one, FactorSet other) const {
    auto isOnePattern = [&](FactorSet set) {
      return llvm::has_single_bit(set) && isPattern(summed[llvm::countr_zero(set)]);
    };
    if (!isOnePattern(one) && !isOnePattern(other))
      return false;
    llvm::SmallBitVector sums = axesOf(one);
    sums |= axesOf(other);
    sums.reset(axesOf(one | other));
    return sums.count() > 1;
  }

  void findCheapestSplits() {
    size_t sets = size_t(1) << summed.size();
    SmallVector<double> cost(sets, 0);
    split.assign(sets, 0);
    for (FactorSet set = 1; set < sets; ++set) {
      if (llvm::has_single_bit(set))
        continue;
      cost[set] = std::numeric_limits<double>::infinity();
      for (FactorSet one = (set - 1) & set; one; one = (one - 1) & set) {
        FactorSet other = set & ~one;
        // Each split once, its first factor in `one`.
        if (llvm::countr_zero(one) != llvm::countr_zero(set))
          continue;
        double total = cost[one] + cost[other] + costOfPair(one, other);
        // Weights aren't multiplied out, and what few products a pattern saves by not weighing
        // values alone is nothing beside storing it.
        if ((set + 1 < sets && onlyWeights(set)) || weighsAndSums(one, other))
          total *= kRunTimeSize * kRunTimeSize;
        if (total < cost[set]) {
          cost[set] = total;
          split[set] = one;
        }
      }
      // Sizes whose product is past a double's range leave nothing to compare.
      if (!split[set])
        split[set] = set & (~set + 1);
    }
  }

  /// The set's product as a factor of what is left.
  Factor build(RewriterBase &rewriter, FactorSet set) {
    if (llvm::has_single_bit(set))
      return summed[llvm::countr_zero(set)];
    // The first factor's axes in its own order, then the new ones.
    SmallVector<unsigned> axes;
    llvm::SmallBitVector left = axesOf(set);
    for (FactorSet half : {split[set], set & ~split[set]})
      for (size_t i = 0; i < summed.size(); ++i)
        for (unsigned axis = 0; (half >> i & 1) && axis < summed[i].map.getNumResults(); ++axis)
          for (unsigned loop = 0; loop < whole.loops(); ++loop)
            if (summed[i].map.getResult(axis).isFunctionOfDim(loop) && left.test(loop)) {
              axes.push_back(loop);
              left.reset(loop);
            }
    Value product = buildPair(rewriter, set, axes, /*scale=*/1);
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : axes)
      exprs.push_back(rewriter.getAffineDimExpr(loop));
    return {product, AffineMap::get(whole.loops(), 0, exprs, rewriter.getContext())};
  }

  Value buildPair(RewriterBase &rewriter, FactorSet set, ArrayRef<unsigned> axes, double scale) {
    if (llvm::has_single_bit(set))
      return buildProduct(rewriter, {summed[llvm::countr_zero(set)]}, axes, scale);
    Factor one = build(rewriter, split[set]);
    Factor other = build(rewriter, set & ~split[set]);
    return buildProduct(rewriter, {one, other}, axes, scale);
  }

  /// `scale` times the factors' product with these axes, summed over the other loops.
  Value buildProduct(RewriterBase &rewriter, ArrayRef<Factor> factors, ArrayRef<unsigned> axes,
                     double scale) {
    bool isWhole = llvm::equal(axes, allAxes());
    // Only the formula's own value has its name.
    Location loc = whole.op->getLoc();
    if (auto named = dyn_cast<NameLoc>(loc); named && !isWhole)
      loc = named.getChildLoc();

    SmallVector<unsigned> order(axes);
    for (unsigned loop = 0; loop < whole.loops(); ++loop)
      if (!llvm::is_contained(axes, loop) &&
          llvm::any_of(factors, [&](const Factor &factor) { return factor.uses(loop); }))
        order.push_back(loop);
    SmallVector<AffineExpr> renamed(whole.loops(), rewriter.getAffineConstantExpr(0));
    for (auto [place, loop] : llvm::enumerate(order))
      renamed[loop] = rewriter.getAffineDimExpr(place);

    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Factor &factor : factors) {
      inputs.push_back(factor.value);
      maps.push_back(factor.map.replaceDimsAndSymbols(renamed, {}, order.size(), 0));
    }
    maps.push_back(AffineMap::getMultiDimIdentityMap(order.size(), rewriter.getContext())
                       .getMajorSubMap(axes.size()));
    SmallVector<utils::IteratorType> kinds(axes.size(), utils::IteratorType::parallel);
    kinds.resize(order.size(), utils::IteratorType::reduction);
    bool sums = order.size() > axes.size();

    SmallVector<OpFoldResult> sizes;
    for (unsigned loop : axes)
      sizes.push_back(whole.extent(rewriter, loop));
    Value into =
        sums ? attn::filledTensor(rewriter, loc, sizes, attn::floatConstant(rewriter, loc, 0))
             : attn::emptyTensor(rewriter, loc, sizes);
    Value constant = scale == 1 ? Value() : attn::floatConstant(rewriter, loc, scale);
    return linalg::GenericOp::create(
               rewriter, loc, TypeRange{into.getType()}, inputs, ValueRange{into}, maps, kinds,
               [&](OpBuilder &body, Location at, ValueRange args) {
                 Value product = args[0];
                 for (Value next : args.drop_front().drop_back())
                   product = arith::MulFOp::create(body, at, product, next);
                 if (constant)
                   product = arith::MulFOp::create(body, at, product, constant);
                 if (sums)
                   product = arith::AddFOp::create(body, at, args.back(), product);
                 linalg::YieldOp::create(body, at, product);
               })
        ->getResult(0);
  }
};

struct FactorContractionsPass : impl::FactorContractionsPassBase<FactorContractionsPass> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> candidates;
    getOperation().walk([&](linalg::GenericOp op) { candidates.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : candidates) {
      std::optional<Contraction> found = Contraction::match(op);
      if (!found || found->factors.size() < 3)
        continue;
      if (found->factors.size() > kMaxFactors) {
        op.emitRemark() << "a product of " << found->factors.size()
                        << " tensors is left whole; expected at most " << kMaxFactors;
        continue;
      }
      Factoring factoring(*found);
      if (!factoring.coversSums())
        continue;
      rewriter.setInsertionPoint(op);
      rewriter.replaceOp(op, factoring.build(rewriter));
      ++numFactored;
    }
  }
};

} // namespace
} // namespace heed
