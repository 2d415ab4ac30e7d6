//===- Embedding.cpp - rows of a weight, chosen by token ids -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recognition.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace heed::attn {

namespace {

/// One gather in a body: `extract` reads `table[ids[row], columns…]`.
struct Gather {
  tensor::ExtractOp extract;
  Value ids;
  Value table;
  /// The loop that indexes ids, then those that index the table's other axes.
  SmallVector<unsigned> loops;
};

} // namespace

/// The loop whose index `value` is.
static std::optional<unsigned> loopOf(Value value) {
  auto index = value.getDefiningOp<linalg::IndexOp>();
  return index ? std::optional<unsigned>(index.getDim()) : std::nullopt;
}

/// The tensor of integers that `id`, an index into `rows` rows, is an element of, and the loop
/// that chooses it. attn.embed itself reads the nearest row for an id outside of the table.
static std::optional<std::pair<Value, unsigned>> idsOf(linalg::GenericOp op, Value id,
                                                       int64_t rows) {
  while (Operation *step = id.getDefiningOp()) {
    bool isClamp = isa<arith::MaxSIOp>(step)
                       ? getConstantIntValue(step->getOperand(1)) == std::optional<int64_t>(0)
                       : isa<arith::MinSIOp>(step) && getConstantIntValue(step->getOperand(1)) ==
                                                          std::optional<int64_t>(rows - 1);
    if (!isClamp && !isa<arith::IndexCastOp>(step))
      break;
    id = step->getOperand(0);
  }
  if (auto extract = id.getDefiningOp<tensor::ExtractOp>()) {
    if (extract.getIndices().size() != 1)
      return std::nullopt;
    if (std::optional<unsigned> loop = loopOf(extract.getIndices()[0]))
      return std::pair(extract.getTensor(), *loop);
    return std::nullopt;
  }
  auto argument = dyn_cast<BlockArgument>(id);
  if (!argument || argument.getOwner() != op.getBody() ||
      argument.getArgNumber() >= static_cast<unsigned>(op.getNumDpsInputs()))
    return std::nullopt;
  OpOperand *operand = op.getDpsInputOperand(argument.getArgNumber());
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (map.getNumResults() != 1 || !isa<AffineDimExpr>(map.getResult(0)))
    return std::nullopt;
  return std::pair(operand->get(), map.getDimPosition(0));
}

static std::optional<Gather> matchGather(linalg::GenericOp op, tensor::ExtractOp extract) {
  auto table = extract.getTensor().getDefiningOp<DequantizeOp>();
  if (!table || extract.getIndices().empty())
    return std::nullopt;
  WeightType type = table.getWeight().getType();
  int64_t columns = llvm::product_of(type.getShape().drop_front());
  if (columns % type.getBlockElements() != 0)
    return std::nullopt; // a row isn't made of whole blocks
  auto ids = idsOf(op, extract.getIndices()[0], type.getShape()[0]);
  if (!ids || !ids->first.getParentRegion()->isAncestor(op->getParentRegion()))
    return std::nullopt;
  Gather gather{extract, ids->first, table.getWeight(), {ids->second}};
  for (Value index : extract.getIndices().drop_front()) {
    std::optional<unsigned> loop = loopOf(index);
    if (!loop || llvm::is_contained(gather.loops, *loop))
      return std::nullopt;
    gather.loops.push_back(*loop);
  }
  return gather;
}

unsigned recogniseEmbeddings(RewriterBase &rewriter, linalg::GenericOp op) {
  SmallVector<Gather> gathers;
  op.getBody()->walk([&](tensor::ExtractOp extract) {
    if (std::optional<Gather> gather = matchGather(op, extract))
      gathers.push_back(*gather);
  });
  if (gathers.empty())
    return 0;

  // The same generic, which reads each gather's result as one more input.
  rewriter.setInsertionPoint(op);
  SmallVector<Value> inputs = op.getDpsInputs();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  size_t oldInputs = inputs.size();
  for (const Gather &gather : gathers) {
    SmallVector<int64_t> shape{cast<RankedTensorType>(gather.ids.getType()).getDimSize(0)};
    llvm::append_range(shape, cast<WeightType>(gather.table.getType()).getShape().drop_front());
    auto embed =
        EmbedOp::create(rewriter, op.getLoc(), RankedTensorType::get(shape, rewriter.getF32Type()),
                        gather.ids, gather.table, /*into=*/Value(), /*inRows=*/false);
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : gather.loops)
      exprs.push_back(rewriter.getAffineDimExpr(loop));
    maps.insert(maps.begin() + inputs.size(),
                AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext()));
    inputs.push_back(embed.getResult());
  }
  auto rebuilt = linalg::GenericOp::create(
      rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getDpsInits(), maps,
      op.getIteratorTypesArray(), [&](OpBuilder &body, Location, ValueRange args) {
        IRMapping mapping;
        mapping.map(op.getRegionInputArgs(), args.take_front(oldInputs));
        mapping.map(op.getRegionOutputArgs(), args.drop_front(inputs.size()));
        for (Operation &inner : *op.getBody()) {
          auto *gather = llvm::find_if(
              gathers, [&](const Gather &candidate) { return candidate.extract == &inner; });
          if (gather == gathers.end())
            body.clone(inner, mapping);
          else
            mapping.map(gather->extract.getResult(),
                        args[oldInputs + std::distance(gathers.begin(), gather)]);
        }
      });
  rewriter.replaceOp(op, rebuilt.getResults());
  return gathers.size();
}

} // namespace heed::attn
