//===- AttnWeightOps.cpp - what weights, embeddings, projections mean -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnShapes.h"
#include "Views.h"

#include <algorithm>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

static LogicalResult getWeight(Step &step) {
  int64_t layer = 0;
  if (!step.instruction.operands.empty()) {
    FailureOr<int64_t> given = step.integer(0);
    if (failed(given))
      return failure();
    layer = *given;
  }
  step.set(WeightHandle{step.instruction.op, layer});
  return success();
}

/// Elements of the weight that is operand `operand`.
static FailureOr<Array> denseOperand(Step &step, unsigned operand) {
  return step.machine.dense(step.instruction.op, std::get<WeightHandle>(step.value(operand)));
}

static LogicalResult dequantize(Step &step) {
  FailureOr<Array> weight = denseOperand(step, 0);
  if (failed(weight))
    return failure();
  step.set(std::move(*weight));
  return success();
}

static LogicalResult embed(Step &step) {
  FailureOr<Array> table = denseOperand(step, 1);
  if (failed(table))
    return failure();
  int64_t rows = table->shape.front(), width = rows == 0 ? 0 : table->numElements() / rows;
  std::vector<double> elements = table->toFloats(), values;
  SmallVector<int64_t> shape(step.array(0).shape);
  shape.append(table->shape.begin() + 1, table->shape.end());
  for (Scalar id : step.array(0).toScalars()) {
    if (id.isPoison())
      return step.fail("an id is a number that nothing wrote");
    // The nearest row.
    int64_t row = std::clamp<int64_t>(id.asInt(), 0, rows - 1);
    values.insert(values.end(), elements.begin() + row * width,
                  elements.begin() + (row + 1) * width);
  }
  if (failed(step.machine.spend(step.instruction.op, values.size())))
    return failure();
  return writeFloats(step, 2, shape, values);
}

/// x is [rows, heads, columns] and the weight [heads, features, columns], all axes of a kind taken
/// together; there is one head without `per_head`.
static LogicalResult project(Step &step) {
  auto op = step.op<attn::ProjectOp>();
  FailureOr<std::vector<double>> x = readFloats(step, 0);
  FailureOr<Array> weight = denseOperand(step, 1);
  if (failed(x) || failed(weight))
    return failure();
  ArrayRef<int64_t> ofX = step.array(0).shape, ofWeight = weight->shape;
  int64_t contracted = op.getContracted();
  bool isPerHead = op->hasAttr("per_head");
  ArrayRef<int64_t> columnAxes = ofWeight.take_back(contracted);
  if (columnAxes != ofX.take_back(contracted) ||
      (isPerHead && ofX.drop_back(contracted).back() != ofWeight.front()))
    return step.fail("x is " + listText(ofX) + ", and the weight " + listText(ofWeight));
  ArrayRef<int64_t> featureAxes = ofWeight.drop_back(contracted).drop_front(isPerHead);
  SmallVector<int64_t> shape(ofX.drop_back(contracted));
  int64_t heads = isPerHead ? ofWeight.front() : 1, columns = elementCount(columnAxes),
          features = elementCount(featureAxes), rowsAndHeads = elementCount(shape);
  shape.append(featureAxes.begin(), featureAxes.end());

  std::vector<double> values;
  if (op.getAccumulate()) {
    FailureOr<std::vector<double>> before = readFloats(step, 2);
    if (failed(before))
      return failure();
    values = std::move(*before);
    if (static_cast<int64_t>(values.size()) != rowsAndHeads * features)
      return step.fail("makes " + listText(shape) + " and adds it to " +
                       listText(step.array(2).shape));
  } else {
    values.resize(rowsAndHeads * features);
  }
  if (failed(step.machine.spend(op, rowsAndHeads * features * columns)))
    return failure();
  Format format = step.instruction.operandFormat;
  auto rounded = [&](double value) { return step.machine.rounded(format, value); };
  std::vector<double> elements = weight->toFloats();
  for (int64_t row = 0; row < rowsAndHeads; ++row) {
    const double *input = x->data() + row * columns;
    for (int64_t feature = 0; feature < features; ++feature) {
      const double *factors = elements.data() + ((row % heads) * features + feature) * columns;
      double sum = 0;
      for (int64_t column = 0; column < columns; ++column)
        sum = rounded(sum + rounded(input[column] * factors[column]));
      double &value = values[row * features + feature];
      value = op.getAccumulate() ? rounded(value + sum) : sum;
    }
  }
  return writeFloats(step, 2, shape, values);
}

void heed::reference::addAttnWeightOps(OpTable &table) {
  table["attn.get_weight"] = {getWeight};
  table["attn.dequantize"] = {dequantize};
  table["attn.embed"] = {embed};
  table["attn.project"] = {project};
}
