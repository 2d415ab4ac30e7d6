//===- AttnLaneOps.cpp - what ops on a register's lanes mean --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include <cmath>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

static LogicalResult dotBytes(Step &step) {
  std::vector<Scalar> sums = step.array(0).toScalars(), weights = step.array(1).toScalars(),
                      quants = step.array(2).toScalars();
  size_t together = weights.size() / sums.size();
  for (size_t b = 0; b < weights.size(); ++b) {
    Scalar &sum = sums[b / together];
    if (sum.isPoison() || weights[b].isPoison() || quants[b].isPoison()) {
      sum = Scalar();
      continue;
    }
    int64_t product = (weights[b].asInt() & 0xff) * static_cast<int8_t>(quants[b].asInt());
    sum = Scalar(static_cast<int64_t>(static_cast<int32_t>(sum.asInt() + product)));
    if (together == 2 && sum.asInt() != static_cast<int16_t>(sum.asInt()))
      return step.fail("adds up " + llvm::Twine(sum.asInt()) + " in 16 bits");
  }
  Array result = step.array(0).clone();
  *result.storage = std::move(sums);
  step.set(std::move(result));
  return success();
}

static LogicalResult dotWords(Step &step) {
  std::vector<Scalar> sums = step.array(0).toScalars(), lhs = step.array(1).toScalars(),
                      rhs = step.array(2).toScalars();
  for (size_t w = 0; w < lhs.size(); ++w) {
    Scalar &sum = sums[w / 2];
    if (sum.isPoison() || lhs[w].isPoison() || rhs[w].isPoison()) {
      sum = Scalar();
      continue;
    }
    int64_t product =
        int64_t{static_cast<int16_t>(lhs[w].asInt())} * static_cast<int16_t>(rhs[w].asInt());
    sum = Scalar(static_cast<int64_t>(static_cast<int32_t>(sum.asInt() + product)));
  }
  Array result = step.array(0).clone();
  *result.storage = std::move(sums);
  step.set(std::move(result));
  return success();
}

static LogicalResult dotPairs(Step &step) {
  std::vector<Scalar> sums = step.array(0).toScalars(), lhs = step.array(1).toScalars(),
                      rhs = step.array(2).toScalars();
  for (size_t factor = 0; factor < lhs.size(); ++factor) {
    Scalar &sum = sums[factor / 2];
    bool isPoison = sum.isPoison() || lhs[factor].isPoison() || rhs[factor].isPoison();
    sum = isPoison ? Scalar()
                   : Scalar(step.machine.rounded(
                         step.instruction.resultFormat,
                         std::fma(lhs[factor].asFloat(), rhs[factor].asFloat(), sum.asFloat())));
  }
  Array result = step.array(0).clone();
  *result.storage = std::move(sums);
  step.set(std::move(result));
  return success();
}

static const char *scaleByPower(const Instruction &, const Scalar *operands, Scalar &result) {
  double scale = std::exp2(std::floor(operands[1].asFloat()));
  result = Scalar(scale == 0 ? 0 : operands[0].asFloat() * scale);
  return nullptr;
}

void heed::reference::addAttnLaneOps(OpTable &table) {
  table["attn.dot_bytes"] = {dotBytes};
  table["attn.dot_pairs"] = {dotPairs};
  table["attn.dot_words"] = {dotWords};
  table["attn.scale_by_power"] = {runElementwise, scaleByPower};
}
