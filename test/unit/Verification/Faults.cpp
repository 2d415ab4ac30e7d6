//===- Faults.cpp - mistakes that a pass could make -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Faults.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;
using namespace heed::verification;

namespace {

class FaultFinder {
public:
  std::vector<Fault> faults;

  void look(Operation *op) {
    if (auto compare = dyn_cast<arith::CmpIOp>(op))
      compareOtherwise(compare);
    else if (isa<arith::SubFOp, arith::DivFOp, LLVM::FSubOp, LLVM::FDivOp>(op))
      exchange(op, 0, 1);
    else if (isa<vector::FMAOp, LLVM::FMAOp, LLVM::FMulAddOp, math::FmaOp>(op))
      exchange(op, 0, 2);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      skipFirstRound(loop);
    else if (auto mask = dyn_cast<heed::attn::MaskOp>(op))
      add("attn.mask is left out",
          [mask]() mutable { mask.getResult().replaceAllUsesWith(mask.getScores()); });
    becomes<arith::AddFOp, arith::SubFOp>(op);
    becomes<arith::MulFOp, arith::AddFOp>(op);
    becomes<LLVM::FAddOp, LLVM::FSubOp>(op);
    becomes<LLVM::FMulOp, LLVM::FAddOp>(op);
    becomes<math::ExpOp, math::Exp2Op>(op);
    doubleScale(op);
    changeConstant(op);
  }

private:
  void add(std::string what, std::function<void()> plant) {
    faults.push_back({std::move(what), std::move(plant)});
  }

  void compareOtherwise(arith::CmpIOp compare) {
    using P = arith::CmpIPredicate;
    auto other = [](P predicate) {
      switch (predicate) {
      case P::sle:
        return P::slt;
      case P::slt:
        return P::sle;
      case P::ule:
        return P::ult;
      case P::ult:
        return P::ule;
      case P::sge:
        return P::sgt;
      case P::sgt:
        return P::sge;
      default:
        return predicate == P::eq ? P::ne : P::eq;
      }
    };
    add("arith.cmpi compares otherwise",
        [=]() mutable { compare.setPredicate(other(compare.getPredicate())); });
  }

  void exchange(Operation *op, unsigned one, unsigned two) {
    if (op->getOperand(one) == op->getOperand(two))
      return;
    add(op->getName().getStringRef().str() + " has its operands exchanged", [=] {
      Value first = op->getOperand(one);
      op->setOperand(one, op->getOperand(two));
      op->setOperand(two, first);
    });
  }

  template <typename From, typename To> void becomes(Operation *op) {
    auto from = dyn_cast<From>(op);
    if (!from)
      return;
    add((From::getOperationName() + " becomes " + To::getOperationName()).str(), [=]() mutable {
      OpBuilder builder(from);
      Value other = To::create(builder, from.getLoc(), from->getOperands()).getResult();
      from.getResult().replaceAllUsesWith(other);
      from.erase();
    });
  }

  void skipFirstRound(scf::ForOp loop) {
    add("scf.for skips its first round", [=]() mutable {
      OpBuilder builder(loop);
      loop.setLowerBound(
          arith::AddIOp::create(builder, loop.getLoc(), loop.getLowerBound(), loop.getStep()));
    });
  }

  void doubleScale(Operation *op) {
    auto scale = op->getAttrOfType<FloatAttr>("scale");
    if (scale && isa_and_nonnull<heed::attn::AttnDialect>(op->getDialect()))
      add(op->getName().getStringRef().str() + " has twice the scale", [=] {
        op->setAttr("scale", FloatAttr::get(scale.getType(), 2 * scale.getValueAsDouble()));
      });
  }

  void changeConstant(Operation *op) {
    if (!isa<arith::ConstantOp, LLVM::ConstantOp>(op))
      return;
    auto number = op->getAttrOfType<FloatAttr>("value");
    if (!number || !std::isfinite(number.getValueAsDouble()) || number.getValueAsDouble() == 0)
      return;
    add("a constant is another", [=] {
      op->setAttr("value",
                  FloatAttr::get(number.getType(), 1.5 * number.getValueAsDouble() + 0.25));
    });
  }
};

} // namespace

std::vector<Fault> heed::verification::possibleFaults(ModuleOp module) {
  FaultFinder finder;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) { finder.look(op); });
  return std::move(finder.faults);
}
