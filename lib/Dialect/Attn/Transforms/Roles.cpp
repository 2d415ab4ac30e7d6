//===- Roles.cpp - what each projection is for -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recognition.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace heed::attn {

using RolesFound = llvm::MapVector<ProjectOp, llvm::SmallDenseSet<Role>>;

/// Whether `op` rearranges or changes elements without summing: rotations, biases, slices.
static bool keepsMeaning(Operation *op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return isElementwise(generic);
  return isa<linalg::TransposeOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp>(op);
}

/// Notes `role` for the projections that `value` comes from.
static void traceBack(Value value, Role role, RolesFound &roles) {
  llvm::SetVector<Value> sources;
  sources.insert(value);
  for (size_t next = 0; next < sources.size(); ++next) {
    Operation *op = sources[next].getDefiningOp();
    if (!op)
      continue;
    if (auto project = dyn_cast<ProjectOp>(op)) {
      roles[project].insert(role);
      continue;
    }
    if (!keepsMeaning(op))
      continue;
    SmallVector<Value> read;
    if (auto made = dyn_cast<DestinationStyleOpInterface>(op))
      read = made.getDpsInputs();
    else
      read.push_back(op->getOperand(0));
    // A rotation reads the other half of a pair from the body.
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::append_range(read, captured);
    for (Value source : read)
      if (isa<RankedTensorType>(source.getType()))
        sources.insert(source);
  }
}

/// Notes the role output for the projections that read `value`.
static void traceForward(Value value, RolesFound &roles) {
  llvm::SetVector<Value> results;
  results.insert(value);
  for (size_t next = 0; next < results.size(); ++next) {
    for (Operation *user : results[next].getUsers()) {
      if (auto project = dyn_cast<ProjectOp>(user))
        roles[project].insert(Role::Output);
      else if (keepsMeaning(user))
        results.insert(user->getResult(0));
    }
  }
}

void markRoles(Operation *root) {
  RolesFound roles;
  root->walk([&](Operation *op) {
    if (auto scores = dyn_cast<ScoresOp>(op)) {
      traceBack(scores.getQ(), Role::Query, roles);
      traceBack(scores.getK(), Role::Key, roles);
    } else if (auto weigh = dyn_cast<WeighOp>(op)) {
      traceBack(weigh.getValues(), Role::Value, roles);
      traceForward(weigh.getResult(), roles);
    }
  });
  for (auto &[project, found] : roles)
    project.setRole(found.size() == 1 ? *found.begin() : Role::Linear);
}

} // namespace heed::attn
