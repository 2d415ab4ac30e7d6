//===- IndexedAccess.cpp - elements that affine maps choose ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexedAccess.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heed::reference;

std::optional<int64_t> heed::reference::evaluate(AffineExpr expr, ArrayRef<int64_t> dims,
                                                 ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<int64_t> a = evaluate(binary.getLHS(), dims, symbols),
                         b = evaluate(binary.getRHS(), dims, symbols);
  if (!a || !b)
    return std::nullopt;
  int64_t result;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return llvm::AddOverflow(*a, *b, result) ? std::nullopt : std::optional(result);
  case AffineExprKind::Mul:
    return llvm::MulOverflow(*a, *b, result) ? std::nullopt : std::optional(result);
  case AffineExprKind::Mod:
    return *b <= 0 ? std::nullopt : std::optional(llvm::mod(*a, *b));
  case AffineExprKind::FloorDiv:
    return *b <= 0 ? std::nullopt : std::optional(llvm::divideFloorSigned(*a, *b));
  case AffineExprKind::CeilDiv:
    return *b <= 0 ? std::nullopt : std::optional(llvm::divideCeilSigned(*a, *b));
  default:
    return std::nullopt;
  }
}

/// Adds `factor * expr` to `form`. False where that isn't linear in the dims, or where factors are
/// so large that a walk may pass 64 bits.
static bool addTo(LinearForm &form, AffineExpr expr, int64_t factor) {
  constexpr int64_t kLargest = int64_t{1} << 30;
  if (factor < -kLargest || factor > kLargest)
    return false;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    if (constant.getValue() < -kLargest || constant.getValue() > kLargest)
      return false;
    form.constant += factor * constant.getValue();
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    form.coefficients[dim.getPosition()] += factor;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return addTo(form, binary.getLHS(), factor) && addTo(form, binary.getRHS(), factor);
  // Constants are canonicalised to the right.
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  int64_t product;
  return expr.getKind() == AffineExprKind::Mul && constant &&
         !llvm::MulOverflow(factor, constant.getValue(), product) &&
         addTo(form, binary.getLHS(), product);
}

std::optional<LinearForm> LinearForm::of(AffineExpr expr, unsigned numDims) {
  LinearForm form;
  form.coefficients.assign(numDims, 0);
  if (!addTo(form, expr, 1))
    return std::nullopt;
  return form;
}

IndexedAccess::IndexedAccess(AffineMap map) : map(map) {
  for (AffineExpr expr : map.getResults()) {
    forms.push_back(LinearForm::of(expr, map.getNumDims()));
    if (forms.back())
      continue;
    lastLoop = std::max<int64_t>(lastLoop, 0);
    for (unsigned loop = 0; loop != map.getNumDims(); ++loop)
      if (expr.isFunctionOfDim(loop))
        lastLoop = std::max<int64_t>(lastLoop, loop);
  }
}

std::optional<IndexedAccess::Walk> IndexedAccess::walk(const Array &array,
                                                       ArrayRef<int64_t> counts) const {
  Walk walk;
  walk.start = array.offset;
  walk.strides.assign(counts.size(), 0);
  for (auto [axis, form] : llvm::enumerate(forms)) {
    if (!form)
      continue;
    // The least and the greatest index that the loops reach.
    int64_t least = form->constant, greatest = form->constant;
    for (auto [loop, coefficient] : llvm::enumerate(form->coefficients)) {
      (coefficient < 0 ? least : greatest) += coefficient * (counts[loop] - 1);
      walk.strides[loop] += coefficient * array.strides[axis];
    }
    if (least < 0 || greatest >= array.shape[axis])
      return std::nullopt;
    walk.start += form->constant * array.strides[axis];
  }
  return walk;
}

std::optional<int64_t> IndexedAccess::bentPlace(const Array &array,
                                                ArrayRef<int64_t> indices) const {
  int64_t place = 0;
  for (auto [axis, form] : llvm::enumerate(forms)) {
    if (form)
      continue;
    std::optional<int64_t> index = evaluate(map.getResult(axis), indices, {});
    if (!index || *index < 0 || *index >= array.shape[axis])
      return std::nullopt;
    place += *index * array.strides[axis];
  }
  return place;
}
