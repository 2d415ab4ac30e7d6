//===- Elementwise.cpp - applies a kernel to elements ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arithmetic on an element that nothing wrote is an error where the element is a
// scalar. Lanes of a vector may be there only to fill it: they make lanes that
// are poison, which is an error once a scalar is made of one.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

/// Kernels have up to so many operands.
static constexpr unsigned kMaxOperands = 3;

/// One element. Fails with what is wrong in `problem`.
static LogicalResult compute(Step &step, const Scalar *operands, Scalar &result,
                             const char *&problem) {
  const Instruction &instruction = step.instruction;
  problem = instruction.kernel(instruction, operands, result);
  if (problem)
    return failure();
  if (step.machine.rounds() && instruction.resultFormat.isFloat() && !result.isPoison())
    result = Scalar(instruction.resultFormat.rounded(result.asFloat()));
  return success();
}

static LogicalResult computeLanes(Step &step) {
  const Instruction &instruction = step.instruction;
  unsigned count = instruction.operands.size();
  ArrayRef<int64_t> shape;
  std::vector<Scalar> lanes[kMaxOperands];
  for (unsigned operand = 0; operand != count; ++operand) {
    const Array *array = std::get_if<Array>(&step.value(operand));
    if (!array)
      return step.fail("mixes arrays and scalars");
    if (operand > 0 && shape != ArrayRef<int64_t>(array->shape))
      return step.fail("operands have shapes " + listText(shape) + " and " +
                       listText(array->shape));
    shape = array->shape;
    lanes[operand] = array->toScalars();
  }
  if (failed(step.machine.spend(instruction.op, lanes[0].size() / 8)))
    return failure();
  auto type = cast<ShapedType>(instruction.op->getResult(0).getType());
  Array result = Array::uninitialised(type.getElementType(), shape);
  for (size_t lane = 0; lane != lanes[0].size(); ++lane) {
    Scalar operands[kMaxOperands];
    bool isPoison = false;
    for (unsigned operand = 0; operand != count; ++operand) {
      operands[operand] = lanes[operand][lane];
      isPoison |= operands[operand].isPoison();
    }
    const char *problem = nullptr;
    if (!isPoison && failed(compute(step, operands, (*result.storage)[lane], problem)))
      return step.fail("lane " + llvm::Twine(lane) + ": " + problem);
  }
  step.set(std::move(result));
  return success();
}

LogicalResult heed::reference::runElementwise(Step &step) {
  const Instruction &instruction = step.instruction;
  unsigned count = instruction.operands.size();
  if (count == 0 || count > kMaxOperands)
    return step.failUnknown("the evaluator knows it with 1 to 3 operands, found " +
                            llvm::Twine(count));
  Scalar operands[kMaxOperands];
  for (unsigned operand = 0; operand != count; ++operand) {
    const reference::Value &value = step.value(operand);
    if (const double *number = std::get_if<double>(&value))
      operands[operand] = Scalar(*number);
    else if (const int64_t *number = std::get_if<int64_t>(&value))
      operands[operand] = Scalar(*number);
    else
      return computeLanes(step);
    if (operands[operand].isPoison())
      return step.fail("operand " + llvm::Twine(operand) + " is an element that nothing wrote");
  }
  Scalar result;
  const char *problem = nullptr;
  if (failed(compute(step, operands, result, problem)))
    return step.fail(problem);
  step.setScalar(result, instruction.resultFormat.isFloat());
  return success();
}
