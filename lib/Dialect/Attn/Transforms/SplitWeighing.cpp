//===- SplitWeighing.cpp - one weighing for each pattern of a combination -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/Passes.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Contraction.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallBitVector.h"

#include <cmath>

#define DEBUG_TYPE "attn-split-weighing"

namespace heed::attn {
#define GEN_PASS_DEF_SPLITWEIGHINGPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"

using namespace mlir;

namespace {

/// Sums grow as they are multiplied out; differential attention has two terms of up to three
/// factors.
constexpr size_t kMaxTerms = 8, kMaxFactors = 8;

/// A scalar of the body of `op`, whose loops are indexed by those of the weighing.
struct Leaf {
  Value value;
  linalg::GenericOp op;
  AffineMap loops;
};

/// `scale` times the leaves.
struct Term {
  SmallVector<Leaf> factors;
  double scale = 1;
};
using Sum = SmallVector<Term>;

} // namespace

/// The input that is read as `argument` of the body of `op`; null for anything else.
static OpOperand *inputRead(linalg::GenericOp op, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= static_cast<unsigned>(op.getNumDpsInputs()))
    return nullptr;
  return op.getDpsInputOperand(argument.getArgNumber());
}

/// The elementwise op that alone makes what `value` reads in `op`.
static linalg::GenericOp combinationRead(linalg::GenericOp op, Value value) {
  OpOperand *input = inputRead(op, value);
  auto made = input ? input->get().getDefiningOp<linalg::GenericOp>() : linalg::GenericOp();
  return made && made->hasOneUse() && isElementwise(made) ? made : linalg::GenericOp();
}

namespace {

/// Multiplies out what weighings sum up.
class Expander {
public:
  /// Whether a pattern is among what `value`, in the body of `op`, is computed from.
  bool readsPattern(linalg::GenericOp op, Value value) {
    if (auto known = reads.find(value); known != reads.end())
      return known->second;
    bool result = false;
    if (OpOperand *input = inputRead(op, value)) {
      linalg::GenericOp made = combinationRead(op, value);
      result = input->get().getDefiningOp<SoftmaxOp>() ||
               (made && readsPattern(made, made.getBody()->getTerminator()->getOperand(0)));
    } else if (Operation *above = value.getDefiningOp();
               above && above->getBlock() == op.getBody()) {
      result = llvm::any_of(above->getOperands(),
                            [&](Value operand) { return readsPattern(op, operand); });
    }
    return reads[value] = result;
  }

  /// `leaf` as a sum of products; empty where that has too many terms or factors.
  Sum expand(Leaf leaf) {
    auto part = [&](Value value) { return expand({value, leaf.op, leaf.loops}); };
    if (std::optional<double> worth = constantWorth(leaf.value))
      return {Term{{}, *worth}};
    bool ofPatterns = readsPattern(leaf.op, leaf.value);
    if (linalg::GenericOp made = combinationRead(leaf.op, leaf.value); made && ofPatterns) {
      AffineMap read = leaf.op.getMatchingIndexingMap(inputRead(leaf.op, leaf.value));
      return expand(
          {made.getBody()->getTerminator()->getOperand(0), made, read.compose(leaf.loops)});
    }
    Operation *op = leaf.value.getDefiningOp();
    if (op && op->getBlock() != leaf.op.getBody())
      op = nullptr;
    if (auto minus = dyn_cast_or_null<arith::NegFOp>(op))
      return scaled(part(minus.getOperand()), -1);
    if (auto quotient = dyn_cast_or_null<arith::DivFOp>(op))
      if (std::optional<double> divisor = constantWorth(quotient.getRhs());
          divisor && *divisor != 0)
        return scaled(part(quotient.getLhs()), 1 / *divisor);
    bool isSum = isa_and_present<arith::AddFOp, arith::SubFOp>(op) && ofPatterns;
    if (!isSum && !isa_and_present<arith::MulFOp>(op))
      return {Term{{leaf}, 1}};
    Sum left = part(op->getOperand(0));
    Sum right = left.empty() ? Sum() : part(op->getOperand(1));
    if (right.empty())
      return {};
    if (!isSum)
      return product(left, right);
    left.append(scaled(std::move(right), isa<arith::SubFOp>(op) ? -1 : 1));
    return left.size() <= kMaxTerms ? left : Sum();
  }

private:
  static Sum scaled(Sum sum, double scale) {
    for (Term &term : sum)
      term.scale *= scale;
    return sum;
  }
  static Sum product(const Sum &left, const Sum &right) {
    Sum result;
    if (left.size() * right.size() > kMaxTerms)
      return result;
    for (const Term &one : left)
      for (const Term &other : right) {
        result.push_back({one.factors, one.scale * other.scale});
        result.back().factors.append(other.factors);
        if (result.back().factors.size() > kMaxFactors)
          return {};
      }
    return result;
  }

  llvm::DenseMap<Value, bool> reads;
};

/// Builds the terms of one weighing at `rewriter`.
class TermBuilder {
public:
  TermBuilder(RewriterBase &rewriter, linalg::GenericOp weighing)
      : rewriter(rewriter), weighing(weighing), loc(weighing.getLoc()) {
    // Only the formula's own value has its name.
    if (auto named = dyn_cast<NameLoc>(loc))
      loc = named.getChildLoc();
  }

  /// The term's factors as tensors; nothing where one can't be a tensor, or a summed loop is the
  /// index of none.
  std::optional<SmallVector<Factor>> factorsOf(const Term &term) {
    SmallVector<Factor> factors;
    llvm::SmallBitVector covered(weighing.getNumLoops());
    for (const Leaf &leaf : term.factors) {
      std::optional<Factor> factor = tensorOf(leaf);
      if (!factor)
        return std::nullopt;
      for (unsigned loop = 0; loop < weighing.getNumLoops(); ++loop)
        if (factor->axisOf(loop))
          covered.set(loop);
      factors.push_back(*factor);
    }
    for (unsigned loop = weighing.getNumParallelLoops(); loop < weighing.getNumLoops(); ++loop)
      if (!covered.test(loop))
        return std::nullopt;
    return factors;
  }

  /// The sum of the factors' products, times `scale`.
  Value weigh(ArrayRef<Factor> factors, double scale) {
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Factor &factor : factors) {
      inputs.push_back(factor.value);
      maps.push_back(factor.map);
    }
    OpOperand *into = weighing.getDpsInitOperand(0);
    maps.push_back(weighing.getMatchingIndexingMap(into));
    Value factor = scale == 1 ? Value() : floatConstant(rewriter, loc, scale);
    return linalg::GenericOp::create(
               rewriter, loc, weighing->getResultTypes(), inputs, ValueRange{into->get()}, maps,
               weighing.getIteratorTypesArray(),
               [&](OpBuilder &body, Location at, ValueRange args) {
                 Value product = args.front();
                 for (Value next : args.drop_front().drop_back())
                   product = arith::MulFOp::create(body, at, product, next);
                 if (factor)
                   product = arith::MulFOp::create(body, at, product, factor);
                 linalg::YieldOp::create(
                     body, at, arith::AddFOp::create(body, at, args.back(), product).getResult());
               })
        .getResult(0);
  }

private:
  /// A leaf that one operand gives, or one computed from operands ahead of the weighing.
  std::optional<Factor> tensorOf(Leaf leaf) {
    if (OpOperand *input = inputRead(leaf.op, leaf.value)) {
      auto type = dyn_cast<RankedTensorType>(input->get().getType());
      if (!type || !type.getElementType().isF32())
        return std::nullopt;
      AffineMap read = leaf.op.getMatchingIndexingMap(input);
      return Factor{input->get(), read.compose(leaf.loops)};
    }
    // What computes it, operands first.
    llvm::SetVector<Operation *> ops;
    llvm::SetVector<OpOperand *> reads;
    if (!collect(leaf.op, leaf.value, ops, reads))
      return std::nullopt;
    llvm::SmallBitVector used(weighing.getNumLoops());
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *read : reads) {
      inputs.push_back(read->get());
      maps.push_back(leaf.op.getMatchingIndexingMap(read).compose(leaf.loops));
      for (unsigned loop = 0; loop < weighing.getNumLoops(); ++loop)
        if (maps.back().isFunctionOfDim(loop))
          used.set(loop);
    }
    SmallVector<AffineExpr> axes;
    SmallVector<OpFoldResult> sizes;
    for (unsigned loop : used.set_bits()) {
      std::optional<Factor> told;
      for (auto [input, map] : llvm::zip_equal(inputs, maps))
        if (Factor candidate{input, map}; !told && candidate.axisOf(loop))
          told = candidate;
      if (!told)
        return std::nullopt;
      sizes.push_back(extentOf(rewriter, loc, told->value, *told->axisOf(loop)));
      axes.push_back(rewriter.getAffineDimExpr(loop));
    }
    AffineMap place = AffineMap::get(weighing.getNumLoops(), 0, axes, rewriter.getContext());
    SmallVector<AffineExpr> renamed(weighing.getNumLoops(), rewriter.getAffineConstantExpr(0));
    for (auto [axis, loop] : llvm::enumerate(used.set_bits()))
      renamed[loop] = rewriter.getAffineDimExpr(axis);
    for (AffineMap &map : maps)
      map = map.replaceDimsAndSymbols(renamed, {}, axes.size(), 0);
    maps.push_back(rewriter.getMultiDimIdentityMap(axes.size()));
    Value into = emptyTensor(rewriter, loc, sizes);
    SmallVector<utils::IteratorType> kinds(axes.size(), utils::IteratorType::parallel);
    Value made =
        linalg::GenericOp::create(
            rewriter, loc, TypeRange{into.getType()}, inputs, ValueRange{into}, maps, kinds,
            [&](OpBuilder &body, Location at, ValueRange args) {
              IRMapping mapping;
              for (auto [read, arg] : llvm::zip(reads, args))
                mapping.map(leaf.op.getMatchingBlockArgument(read), arg);
              for (Operation *op : ops)
                body.clone(*op, mapping);
              linalg::YieldOp::create(body, at, mapping.lookupOrDefault(leaf.value));
            })
            .getResult(0);
    return Factor{made, place};
  }

  /// What in the body of `op` computes `value`, and which inputs that reads; false where it does
  /// anything but compute.
  static bool collect(linalg::GenericOp op, Value value, llvm::SetVector<Operation *> &ops,
                      llvm::SetVector<OpOperand *> &reads) {
    if (OpOperand *input = inputRead(op, value))
      return reads.insert(input), true;
    if (isa<BlockArgument>(value) && value.getParentBlock() == op.getBody())
      return false; // the accumulator
    Operation *above = value.getDefiningOp();
    if (!above || above->getBlock() != op.getBody())
      return true; // from outside
    if (!OpTrait::hasElementwiseMappableTraits(above) && !above->hasTrait<OpTrait::ConstantLike>())
      return false;
    for (Value operand : above->getOperands())
      if (!collect(op, operand, ops, reads))
        return false;
    ops.insert(above);
    return true;
  }

  RewriterBase &rewriter;
  linalg::GenericOp weighing;
  Location loc;
};

struct SplitWeighingPass : impl::SplitWeighingPassBase<SplitWeighingPass> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> sums;
    getOperation().walk([&](linalg::GenericOp op) { sums.push_back(op); });
    IRRewriter rewriter(&getContext());
    expander = Expander();
    combinations.clear();
    for (linalg::GenericOp op : sums)
      if (std::optional<Value> term = termOf(op))
        numSplit += split(rewriter, op, *term);
    // Combinations that were multiplied out are no longer read.
    for (linalg::GenericOp op : llvm::reverse(combinations))
      if (op->use_empty())
        rewriter.eraseOp(op);
  }

private:
  /// What `op` sums up, if it is a sum that starts at zero and reads patterns.
  std::optional<Value> termOf(linalg::GenericOp op) {
    if (op.getNumResults() != 1 || op.getNumReductionLoops() == 0)
      return std::nullopt;
    auto start = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
    if (!start || !matchPattern(start.getInputs()[0], m_AnyZeroFloat()))
      return std::nullopt;
    auto sum = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
    Value accumulator = op.getRegionOutputArgs()[0];
    if (!sum || !accumulator.hasOneUse() ||
        (sum.getLhs() != accumulator && sum.getRhs() != accumulator))
      return std::nullopt;
    Value term = sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs();
    return expander.readsPattern(op, term) ? std::optional(term) : std::nullopt;
  }

  bool split(RewriterBase &rewriter, linalg::GenericOp op, Value term) {
    AffineMap loops = rewriter.getMultiDimIdentityMap(op.getNumLoops());
    Sum terms = expander.expand({term, op, loops});
    bool hidden = llvm::any_of(op.getRegionInputArgs(), [&](Value argument) {
      return combinationRead(op, argument) && expander.readsPattern(op, argument);
    });
    if (terms.empty() || (terms.size() == 1 && !hidden))
      return false;
    rewriter.setInsertionPoint(op);
    TermBuilder builder(rewriter, op);
    SmallVector<SmallVector<Factor>> products;
    for (const Term &part : terms) {
      std::optional<SmallVector<Factor>> factors = builder.factorsOf(part);
      if (!factors || factors->empty())
        return false;
      products.push_back(std::move(*factors));
    }
    remember(op);
    SmallVector<Value> weighed;
    for (auto [factors, part] : llvm::zip_equal(products, terms))
      weighed.push_back(builder.weigh(factors, std::abs(part.scale)));
    rewriter.replaceOp(op, combine(rewriter, op, weighed, terms));
    return true;
  }

  /// The sum of the weighed patterns, each with its term's sign.
  static Value combine(RewriterBase &rewriter, linalg::GenericOp op, ArrayRef<Value> weighed,
                       ArrayRef<Term> terms) {
    if (weighed.size() == 1 && terms[0].scale > 0)
      return weighed[0];
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    SmallVector<OpFoldResult> sizes;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      sizes.push_back(extentOf(rewriter, op.getLoc(), op.getDpsInits()[0], axis));
    SmallVector<AffineMap> maps(weighed.size() + 1,
                                rewriter.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> kinds(type.getRank(), utils::IteratorType::parallel);
    Value into = emptyTensor(rewriter, op.getLoc(), sizes);
    return linalg::GenericOp::create(
               rewriter, op.getLoc(), TypeRange{type}, weighed, ValueRange{into}, maps, kinds,
               [&](OpBuilder &body, Location at, ValueRange args) {
                 Value sum = args[0];
                 if (terms[0].scale < 0)
                   sum = arith::NegFOp::create(body, at, sum);
                 for (size_t next = 1; next < terms.size(); ++next)
                   sum = terms[next].scale < 0
                             ? Value(arith::SubFOp::create(body, at, sum, args[next]))
                             : Value(arith::AddFOp::create(body, at, sum, args[next]));
                 linalg::YieldOp::create(body, at, sum);
               })
        .getResult(0);
  }

  /// Notes the combinations of patterns that `op` reads.
  void remember(linalg::GenericOp op) {
    for (Value argument : op.getRegionInputArgs())
      if (linalg::GenericOp made = combinationRead(op, argument);
          made && expander.readsPattern(op, argument)) {
        remember(made);
        combinations.push_back(made);
      }
  }

  Expander expander;
  SmallVector<linalg::GenericOp> combinations;
};

} // namespace
} // namespace heed::attn
