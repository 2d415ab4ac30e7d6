//===- AttnShapes.cpp - batch, heads and rows of attention's operands -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnShapes.h"

#include "Views.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace heed::reference;

FailureOr<std::vector<double>> heed::reference::readFloats(Step &step, unsigned operand) {
  const Array &array = step.array(operand);
  if (int64_t unwritten = array.countPoison())
    return step.fail("operand " + llvm::Twine(operand) + " has " + llvm::Twine(unwritten) +
                     " elements that nothing wrote");
  return array.toFloats();
}

LogicalResult heed::reference::writeFloats(Step &step, unsigned into, ArrayRef<int64_t> shape,
                                           ArrayRef<double> values) {
  if (!step.instruction.results.empty()) {
    Type type = step.instruction.op->getResult(0).getType();
    step.set(Array::floats(cast<ShapedType>(type).getElementType(), shape, values));
    return success();
  }
  const Array &target = step.array(into);
  if (ArrayRef<int64_t>(target.shape) != shape)
    return step.fail("makes " + listText(shape) + " for a place of shape " +
                     listText(target.shape));
  size_t next = 0;
  forEachElement(target, [&](Scalar &element) { element = Scalar(values[next++]); });
  return success();
}

FailureOr<SharedHeads> heed::reference::sharedHeads(Step &step, const Array &many,
                                                    const Array &shared) {
  ArrayRef<int64_t> outerMany = ArrayRef(many.shape).drop_back(2);
  ArrayRef<int64_t> outerShared = ArrayRef(shared.shape).drop_back(2);
  auto clash = [&] {
    return step.fail("heads of " + listText(many.shape) + " can't share those of " +
                     listText(shared.shape));
  };
  if (outerMany.size() != outerShared.size())
    return clash();
  int64_t perGroup = 1;
  if (!outerMany.empty()) {
    int64_t heads = outerMany.back(), groups = outerShared.back();
    if (heads > 0 && (groups == 0 || heads % groups != 0))
      return clash();
    perGroup = heads > 0 ? heads / groups : 1;
  }
  for (size_t axis = 0; axis + 1 < outerMany.size(); ++axis)
    if (outerShared[axis] != 1 && outerShared[axis] != outerMany[axis])
      return clash();
  SharedHeads result;
  forEachIndex(outerMany, [&](ArrayRef<int64_t> indices) {
    int64_t place = 0;
    for (auto [axis, index] : llvm::enumerate(indices)) {
      bool isHead = axis + 1 == indices.size();
      int64_t own = isHead ? index / perGroup : (outerShared[axis] == 1 ? 0 : index);
      place = place * outerShared[axis] + own;
    }
    result.of.push_back(place);
    result.indices.emplace_back(indices);
    return true;
  });
  return result;
}

void heed::reference::normalise(const Machine &machine, Format format, std::vector<double> &scores,
                                double sink, std::optional<Format> narrow) {
  constexpr double kNothing = -std::numeric_limits<double>::infinity();
  double greatest = sink;
  for (double score : scores)
    greatest = std::isnan(score) ? score : std::max(greatest, score);
  if (greatest == kNothing) {
    std::fill(scores.begin(), scores.end(), 0);
    return;
  }
  auto rounded = [&](double value) { return machine.rounded(format, value); };
  auto weight = [&](double score) { return rounded(std::exp(rounded(score - greatest))); };
  double sum = sink == kNothing ? 0 : weight(sink);
  for (double &score : scores) {
    score = narrow ? narrow->rounded(weight(score)) : weight(score);
    sum = rounded(sum + score);
  }
  for (double &score : scores)
    score = rounded(score / sum);
}
