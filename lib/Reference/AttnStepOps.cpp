//===- AttnStepOps.cpp - what scores, mask, softmax and weigh mean --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnShapes.h"
#include "Views.h"

#include <limits>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

static constexpr double kNothing = -std::numeric_limits<double>::infinity();

static LogicalResult scores(Step &step) {
  const Array &q = step.array(0), &k = step.array(1);
  FailureOr<SharedHeads> heads = sharedHeads(step, q, k);
  FailureOr<std::vector<double>> queries = readFloats(step, 0), keys = readFloats(step, 1);
  if (failed(heads) || failed(queries) || failed(keys))
    return failure();
  int64_t rows = q.shape[q.rank() - 2], columns = k.shape[k.rank() - 2], depth = q.shape.back();
  if (k.shape.back() != depth)
    return step.fail("q is " + listText(q.shape) + ", and k " + listText(k.shape));
  int64_t count = heads->of.size() * rows * columns;
  if (failed(step.machine.spend(step.instruction.op, count * depth)))
    return failure();
  Format format = step.instruction.operandFormat;
  auto rounded = [&](double value) { return step.machine.rounded(format, value); };
  double scale = rounded(step.op<attn::ScoresOp>().getScale().convertToDouble());
  std::vector<double> values;
  values.reserve(count);
  for (auto [head, shared] : llvm::enumerate(heads->of))
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        const double *query = queries->data() + (head * rows + i) * depth;
        const double *key = keys->data() + (shared * columns + j) * depth;
        double sum = 0;
        for (int64_t c = 0; c < depth; ++c)
          sum = rounded(sum + rounded(query[c] * key[c]));
        values.push_back(rounded(scale * sum));
      }
  SmallVector<int64_t> shape(ArrayRef(q.shape).drop_back());
  shape.push_back(columns);
  step.set(Array::floats(q.element, shape, values));
  return success();
}

static LogicalResult mask(Step &step) {
  Array result = step.array(0).clone();
  const Body &body = step.instruction.bodies.front();
  bool ran = forEachIndex(result.shape, [&](ArrayRef<int64_t> indices) {
    SmallVector<reference::Value, 4> arguments(indices.begin(), indices.end());
    FailureOr<Scalar> visible = step.machine.runPerElement(body, step.frame, arguments);
    if (failed(visible))
      return false;
    if (visible->isPoison())
      return succeeded(step.fail("its predicate yields what nothing wrote"));
    if (visible->asInt() == 0)
      result.at(indices) = Scalar(kNothing);
    return true;
  });
  if (!ran)
    return failure();
  step.set(std::move(result));
  return success();
}

static LogicalResult softmax(Step &step) {
  auto op = step.op<attn::SoftmaxOp>();
  FailureOr<std::vector<double>> given = readFloats(step, 0);
  if (failed(given))
    return failure();
  bool hasSink = step.instruction.operands.size() > 1;
  std::vector<double> sinks;
  if (hasSink) {
    FailureOr<std::vector<double>> read = readFloats(step, 1);
    if (failed(read))
      return failure();
    sinks = std::move(*read);
  }
  Array result = Array::floats(step.array(0).element, step.array(0).shape, *given);
  SmallVector<int64_t> rows(result.shape);
  int64_t dimension = op.getDimension(), length = rows[dimension], row = 0;
  rows[dimension] = 1;
  if (hasSink && static_cast<int64_t>(sinks.size()) != elementCount(rows))
    return step.fail("has sinks " + listText(step.array(1).shape) + " for scores " +
                     listText(result.shape));
  if (failed(step.machine.spend(op, given->size())))
    return failure();
  forEachIndex(rows, [&](ArrayRef<int64_t> first) {
    SmallVector<int64_t> indices(first);
    std::vector<double> scores;
    for (indices[dimension] = 0; indices[dimension] < length; ++indices[dimension])
      scores.push_back(result.at(indices).asFloat());
    normalise(step.machine, step.instruction.operandFormat, scores,
              hasSink ? sinks[row] : kNothing);
    ++row;
    for (indices[dimension] = 0; indices[dimension] < length; ++indices[dimension])
      result.at(indices) = Scalar(scores[indices[dimension]]);
    return true;
  });
  step.set(std::move(result));
  return success();
}

static LogicalResult weigh(Step &step) {
  const Array &pattern = step.array(0), &values = step.array(1);
  FailureOr<SharedHeads> heads = sharedHeads(step, pattern, values);
  FailureOr<std::vector<double>> weights = readFloats(step, 0), rowsOfValues = readFloats(step, 1);
  if (failed(heads) || failed(weights) || failed(rowsOfValues))
    return failure();
  int64_t rows = pattern.shape[pattern.rank() - 2], columns = pattern.shape.back(),
          width = values.shape.back();
  if (values.shape[values.rank() - 2] != columns)
    return step.fail("the pattern is " + listText(pattern.shape) + ", and the values " +
                     listText(values.shape));
  Format format = step.instruction.operandFormat;
  auto rounded = [&](double value) { return step.machine.rounded(format, value); };
  std::vector<double> sums(heads->of.size() * rows * width);
  if (failed(step.machine.spend(step.instruction.op, sums.size() * columns)))
    return failure();
  for (auto [head, shared] : llvm::enumerate(heads->of))
    for (int64_t i = 0; i < rows; ++i) {
      double *sum = sums.data() + (head * rows + i) * width;
      for (int64_t j = 0; j < columns; ++j)
        for (int64_t v = 0; v < width; ++v)
          sum[v] = rounded(sum[v] + rounded((*weights)[(head * rows + i) * columns + j] *
                                            (*rowsOfValues)[(shared * columns + j) * width + v]));
    }
  SmallVector<int64_t> shape(ArrayRef(pattern.shape).drop_back());
  shape.push_back(width);
  step.set(Array::floats(pattern.element, shape, sums));
  return success();
}

void heed::reference::addAttnStepOps(OpTable &table) {
  table["attn.scores"] = {scores};
  table["attn.mask"] = {mask};
  table["attn.softmax"] = {softmax};
  table["attn.weigh"] = {weigh};
}
