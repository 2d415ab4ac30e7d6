//===- BufferizableOpInterfaceImpl.cpp - how attn ops bufferize -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/Transforms/BufferizableOpInterfaceImpl.h"
#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace heed::attn;

namespace {

/// A weight's dense copy is memory already, which nobody may write.
struct DequantizeModel : BufferizableOpInterface::ExternalModel<DequantizeModel, DequantizeOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const {
    return false;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const {
    return {};
  }
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &,
                          BufferizationState &) const {
    auto dequantize = cast<DequantizeOp>(op);
    auto tensor = cast<RankedTensorType>(dequantize.getResult().getType());
    auto memref = MemRefType::get(tensor.getShape(), tensor.getElementType());
    replaceOpWithNewBufferizedOp<DequantizeOp>(rewriter, op, memref, dequantize.getWeight());
    return success();
  }
};

/// Ops that write `into` operands, each tied to the result of its position, and read the rest.
template <typename Model, typename Op>
struct DestinationModel : BufferizableOpInterface::ExternalModel<Model, Op> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !isDestination(operand) || Model::readsDestination(cast<Op>(op));
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &operand, const AnalysisState &) const {
    return isDestination(operand);
  }
  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    for (auto [number, destination] : llvm::enumerate(Model::destinations(cast<Op>(op))))
      if (destination == &operand)
        return {{op->getResult(number), BufferRelation::Equivalent}};
    return {};
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    SmallVector<OpOperand *> destinations = Model::destinations(cast<Op>(op));
    if (destinations.empty())
      return op->emitOpError("has no destination; run attn-add-destinations before bufferizing");
    rewriter.setInsertionPoint(op);
    IRMapping mapping;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType()))
        continue;
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      mapping.map(operand, *buffer);
    }
    SmallVector<Value> results;
    for (OpOperand *destination : destinations)
      results.push_back(mapping.lookup(destination->get()));
    // The memref form: the same operands, attributes and regions, no results.
    OperationState memrefForm(op->getLoc(), op->getName());
    for (Value operand : op->getOperands())
      memrefForm.operands.push_back(mapping.lookupOrDefault(operand));
    memrefForm.attributes = llvm::to_vector(op->getDiscardableAttrs());
    memrefForm.propertiesAttr = op->getPropertiesAsAttribute();
    for (Region &region : op->getRegions())
      memrefForm.addRegion()->takeBody(region);
    rewriter.create(memrefForm);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }

private:
  static bool isDestination(OpOperand &operand) {
    return llvm::is_contained(Model::destinations(cast<Op>(operand.getOwner())), &operand);
  }
};

struct EmbedModel : DestinationModel<EmbedModel, EmbedOp> {
  static SmallVector<OpOperand *> destinations(EmbedOp op) {
    return llvm::map_to_vector(op.getIntoMutable(), [](OpOperand &o) { return &o; });
  }
  static bool readsDestination(EmbedOp) { return false; }
};

struct QuantizeModel : DestinationModel<QuantizeModel, QuantizeOp> {
  static SmallVector<OpOperand *> destinations(QuantizeOp op) { return op.getDestinations(); }
  static bool readsDestination(QuantizeOp) { return false; }
};

struct ProjectModel : DestinationModel<ProjectModel, ProjectOp> {
  static SmallVector<OpOperand *> destinations(ProjectOp op) {
    return llvm::map_to_vector(op.getIntoMutable(), [](OpOperand &o) { return &o; });
  }
  static bool readsDestination(ProjectOp op) { return op.getAccumulate(); }
};

struct PairRowsModel : DestinationModel<PairRowsModel, PairRowsOp> {
  static SmallVector<OpOperand *> destinations(PairRowsOp op) { return {&op.getIntoMutable()}; }
  static bool readsDestination(PairRowsOp) { return false; }
};

struct OnlineAttentionModel : DestinationModel<OnlineAttentionModel, OnlineAttentionOp> {
  static SmallVector<OpOperand *> destinations(OnlineAttentionOp op) {
    return {&op.getAccMutable(), &op.getMaxMutable(), &op.getSumMutable()};
  }
  static bool readsDestination(OnlineAttentionOp) { return true; }
};

/// Reads its lanes and makes no tensor.
struct ClassifyKeysModel
    : BufferizableOpInterface::ExternalModel<ClassifyKeysModel, ClassifyKeysOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const {
    return {};
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options, BufferizationState &state) const {
    auto classify = cast<ClassifyKeysOp>(op);
    FailureOr<Value> heads = getBuffer(rewriter, classify.getHeads(), options, state);
    FailureOr<Value> rows = getBuffer(rewriter, classify.getRows(), options, state);
    if (failed(heads) || failed(rows))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      classify.getHeadsMutable().assign(*heads);
      classify.getRowsMutable().assign(*rows);
    });
    return success();
  }
};

} // namespace

void heed::attn::registerBufferizableOpInterfaceModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    DequantizeOp::attachInterface<DequantizeModel>(*context);
    EmbedOp::attachInterface<EmbedModel>(*context);
    QuantizeOp::attachInterface<QuantizeModel>(*context);
    ProjectOp::attachInterface<ProjectModel>(*context);
    PairRowsOp::attachInterface<PairRowsModel>(*context);
    OnlineAttentionOp::attachInterface<OnlineAttentionModel>(*context);
    ClassifyKeysOp::attachInterface<ClassifyKeysModel>(*context);
  });
}
