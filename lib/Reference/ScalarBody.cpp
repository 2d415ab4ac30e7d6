//===- ScalarBody.cpp - regions that compute with scalars only ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

std::optional<ScalarBody> ScalarBody::of(const Body &body) {
  ScalarBody result;
  llvm::DenseMap<unsigned, unsigned> registerOf;
  for (unsigned slot : body.arguments)
    registerOf[slot] = result.count++;
  auto read = [&](unsigned slot) {
    auto [entry, isNew] = registerOf.try_emplace(slot, result.count);
    if (isNew) {
      result.outside.emplace_back(slot, entry->second);
      ++result.count;
    }
    return entry->second;
  };
  auto isScalar = [](Type type) { return type.isIntOrIndexOrFloat(); };
  for (const Instruction &instruction : body.instructions) {
    Operation *op = instruction.op;
    Op made{Kind::Kernel, &instruction, {}, 0};
    if (isa<linalg::IndexOp>(op))
      made.kind = Kind::Index;
    else if (isa<arith::SelectOp>(op))
      made.kind = Kind::Select;
    else if (!instruction.kernel || instruction.operands.size() > 3)
      return std::nullopt;
    if (instruction.results.size() != 1 || !llvm::all_of(op->getOperandTypes(), isScalar) ||
        !isScalar(op->getResult(0).getType()))
      return std::nullopt;
    for (unsigned slot : instruction.operands)
      made.operands.push_back(read(slot));
    made.result = registerOf[instruction.results.front()] = result.count++;
    result.ops.push_back(std::move(made));
  }
  for (unsigned slot : body.yields())
    result.yields.push_back(read(slot));
  return result;
}

std::vector<Scalar> ScalarBody::registers(const Frame &frame) const {
  std::vector<Scalar> values(count);
  for (auto [slot, place] : outside)
    values[place] = toScalar(frame[slot]);
  return values;
}

LogicalResult ScalarBody::runKernel(Machine &machine, const Op &op,
                                    MutableArrayRef<Scalar> values) const {
  const Instruction &instruction = *op.instruction;
  Scalar operands[3];
  for (auto [number, place] : llvm::enumerate(op.operands)) {
    operands[number] = values[place];
    if (operands[number].isPoison())
      return machine.fail(instruction.op,
                          "operand " + llvm::Twine(number) + " is an element that nothing wrote");
  }
  Scalar result;
  if (const char *problem = instruction.kernel(instruction, operands, result))
    return machine.fail(instruction.op, problem);
  if (machine.rounds() && instruction.resultFormat.isFloat() && !result.isPoison())
    result = Scalar(instruction.resultFormat.rounded(result.asFloat()));
  values[op.result] = result;
  return success();
}

LogicalResult ScalarBody::run(Machine &machine, MutableArrayRef<Scalar> values,
                              ArrayRef<int64_t> indices) const {
  for (const Op &op : ops) {
    switch (op.kind) {
    case Kind::Kernel:
      if (failed(runKernel(machine, op, values)))
        return failure();
      break;
    case Kind::Index:
      values[op.result] = Scalar(indices[cast<linalg::IndexOp>(op.instruction->op).getDim()]);
      break;
    case Kind::Select:
      if (values[op.operands[0]].isPoison())
        return machine.fail(op.instruction->op, "operand 0 is a number that nothing wrote");
      values[op.result] = values[op.operands[values[op.operands[0]].asInt() ? 1 : 2]];
      break;
    }
  }
  machine.steps += ops.size();
  return success();
}
