//===- RowAnalysis.cpp - which axes run over a call's rows ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Why a cache may be kept
// -----------------------
// A function `int[n] -> [n, …]` is *causal* if row i of its result depends on tokens 0 … i alone.
// Then feeding more tokens never changes an earlier row of anything, and a second call needs from
// the first only what its new rows read of the old ones. In a transformer that is little: almost
// every operation is row-wise (row i of the result reads row i of each operand), and the one
// exception is attention, where row i reads rows j of keys and values. So:
//
//     every operation is row-wise, except that scores read all rows of k and weigh all rows of v,
//     and each pattern is zero where j > i
//  => the function is causal, and the k and v operands are all that a later call needs.
//
// By induction over the operations: a row-wise operation keeps "row i depends on tokens 0 … i", and
// an attention does because the mask leaves only rows j <= i. Both halves are checked here, and
// whatever is neither is refused; an unknown operation is never assumed harmless.
//
// How row-wise is checked
// -----------------------
// The function has one run-time size, so each dynamic axis of each tensor has n rows; what isn't
// clear is whether they are this call's rows (query rows, of which a later call brings new ones) or
// the context's rows (key rows, of which a later call has more). Both have extent n as the formula
// stands, and come apart once there is a past. This is decided by unification, like types:
//
//  * each dynamic axis of each value, and each loop of each linalg op that runs over one, is a
//  node;
//  * `tokens` is a query axis, and so are the rows of q, k and v; the last axis of scores is a
//    key axis, of which nothing else is made;
//  * an operation that pairs rows of two tensors one to one unites their nodes; `scores` and
//  `weigh`
//    do not unite the rows of k and v with the key axis, and are the only places where they meet.
//
// A node that is both query and key is a row-mixing formula, found at the operation that united the
// two. The other ways to mix rows have no pairing at all and are refused where they stand: reducing
// over a row axis, reading a row at an index that isn't the loop's own, slicing rows, and using the
// number of rows as a value (mean over n: it changes when rows come).
//
// Tables. A tensor of static extent can be read by a row's number (`position[i, c]`). This mixes
// nothing, so such axes are no nodes; the rewrite reads them at past + i.
//
//===----------------------------------------------------------------------===//

#include "RowAnalysis.h"

#include "MaskPredicate.h"

using namespace mlir;
using namespace heed::attn;

static bool isDynamicAxis(Value tensor, int64_t axis) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  return type && axis >= 0 && axis < type.getRank() && type.isDynamicDim(axis);
}

static bool isDynamic(Value value) {
  auto type = dyn_cast<TensorType>(value.getType());
  return type && (!type.hasRank() || !type.hasStaticShape());
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

RowAnalysis::Node RowAnalysis::makeNode(Rows rows) {
  parents.push_back(parents.size());
  kinds.push_back(rows);
  return parents.back();
}

RowAnalysis::Node RowAnalysis::find(Node node) const {
  while (parents[node] != node)
    node = parents[node];
  return node;
}

RowAnalysis::Node RowAnalysis::axisNode(Value tensor, int64_t axis) {
  auto [place, inserted] = axes.try_emplace({tensor, axis}, 0);
  if (inserted)
    place->second = makeNode();
  return place->second;
}

RowAnalysis::Node RowAnalysis::loopNode(Operation *op, unsigned dim) {
  auto [place, inserted] = loops.try_emplace({op, dim}, 0);
  if (inserted)
    place->second = makeNode();
  return place->second;
}

void RowAnalysis::unite(Node a, Node b, Operation *op) {
  a = find(a), b = find(b);
  if (a == b)
    return;
  if (kinds[a] != Rows::None && kinds[b] != Rows::None && kinds[a] != kinds[b])
    return refuse(op, "a row paired with the row of another token");
  parents[b] = a;
  if (kinds[a] == Rows::None)
    kinds[a] = kinds[b];
}

void RowAnalysis::uniteAxes(Value a, Value b, Operation *op) {
  for (int64_t axis = 0, rank = cast<RankedTensorType>(a.getType()).getRank(); axis < rank; ++axis)
    if (isDynamicAxis(a, axis) && isDynamicAxis(b, axis))
      unite(axisNode(a, axis), axisNode(b, axis), op);
}

void RowAnalysis::refuse(Operation *op, const Twine &found) {
  refusals.push_back(
      {op->getLoc(), ("found " + found +
                      ": outside of attention's keys and values, row i may read row i alone, so no "
                      "cache can be derived [E0703]")
                         .str()});
}

Rows RowAnalysis::ofAxis(Value tensor, int64_t axis) const {
  auto place = axes.find({tensor, axis});
  return place == axes.end() ? Rows::None : kinds[find(place->second)];
}

Rows RowAnalysis::ofLoop(linalg::LinalgOp op, unsigned dim) const {
  auto place = loops.find({op.getOperation(), dim});
  return place == loops.end() ? Rows::None : kinds[find(place->second)];
}

//===----------------------------------------------------------------------===//
// Indices that count rows
//===----------------------------------------------------------------------===//

bool heed::attn::matchRowIndex(Value index, function_ref<void(linalg::LinalgOp, unsigned)> inBody,
                               function_ref<void(MaskOp, unsigned)> inMask) {
  if (auto indexOp = index.getDefiningOp<linalg::IndexOp>()) {
    auto op = cast<linalg::LinalgOp>(indexOp->getParentOp());
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<RankedTensorType>(operand.get().getType()))
        continue;
      for (auto [axis, result] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(result);
            dim && dim.getPosition() == indexOp.getDim() && isDynamicAxis(operand.get(), axis)) {
          inBody(op, indexOp.getDim());
          return true;
        }
    }
    return false;
  }
  if (auto argument = dyn_cast<BlockArgument>(index))
    if (auto mask = dyn_cast<MaskOp>(argument.getOwner()->getParentOp()))
      if (isDynamicAxis(mask.getScores(), argument.getArgNumber())) {
        inMask(mask, argument.getArgNumber());
        return true;
      }
  return false;
}

bool heed::attn::addressesRow(OpOperand &use) {
  auto extract = dyn_cast<tensor::ExtractOp>(use.getOwner());
  // Operand 0 is the tensor, operand 1 + a the index along axis a.
  return extract && isDynamicAxis(extract.getTensor(), int64_t(use.getOperandNumber()) - 1);
}

//===----------------------------------------------------------------------===//
// The operations
//===----------------------------------------------------------------------===//

bool RowAnalysis::appliesTo(func::FuncOp func) {
  if (!func.getBody().hasOneBlock() || func.getNumArguments() != 1 || func.getNumResults() != 1)
    return false;
  auto tokens = dyn_cast<RankedTensorType>(func.getArgumentTypes()[0]);
  auto result = dyn_cast<RankedTensorType>(func.getResultTypes()[0]);
  return tokens && tokens.getRank() == 1 && tokens.isDynamicDim(0) &&
         tokens.getElementType().isInteger() && result && result.getRank() >= 1 &&
         result.isDynamicDim(0);
}

RowAnalysis::RowAnalysis(func::FuncOp func) {
  queryNode = makeNode(Rows::Query);
  axes[{func.getArgument(0), 0}] = queryNode;
  func.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) { visit(op); });
}

void RowAnalysis::visit(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return visitLinalg(linalgOp);
  // Without a dynamic axis there are no rows.
  if (llvm::none_of(op->getOperands(), isDynamic) && llvm::none_of(op->getResults(), isDynamic))
    return;
  if (isa<tensor::EmptyOp, scf::YieldOp>(op))
    return;
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return visitExtract(extract);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return visitSlice(slice);
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return visitRowCount(dim);
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return visitLoop(loop);
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return visitReturn(ret);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return visitReshape(op, collapse.getResult(), collapse.getSrc(),
                        collapse.getReassociationIndices());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return visitReshape(op, expand.getSrc(), expand.getResult(), expand.getReassociationIndices());
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return visitConcat(concat);
  if (auto embed = dyn_cast<EmbedOp>(op); embed && embed.getResult())
    return unite(axisNode(embed.getIds(), 0), axisNode(embed.getResult(), 0), op);
  if (auto project = dyn_cast<ProjectOp>(op); project && project.getResult())
    return visitProject(project);
  if (auto scores = dyn_cast<ScoresOp>(op))
    return visitScores(scores);
  if (auto mask = dyn_cast<MaskOp>(op))
    return uniteAxes(mask.getScores(), mask.getResult(), op);
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return visitSoftmax(softmax);
  if (auto weigh = dyn_cast<WeighOp>(op))
    return visitWeigh(weigh);
  if (OpTrait::hasElementwiseMappableTraits(op)) {
    for (Value operand : op->getOperands())
      if (isDynamic(operand))
        uniteAxes(operand, op->getResult(0), op);
    return;
  }
  refuse(op, "'" + op->getName().getStringRef() + "' on rows");
}

void RowAnalysis::visitLinalg(linalg::LinalgOp op) {
  llvm::SmallBitVector rowLoops(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands())
    for (auto [axis, index] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      if (!isDynamicAxis(operand.get(), axis))
        continue;
      auto dim = dyn_cast<AffineDimExpr>(index);
      if (!dim)
        return refuse(op, "rows read at an index that isn't the row's own");
      rowLoops.set(dim.getPosition());
      unite(axisNode(operand.get(), axis), loopNode(op, dim.getPosition()), op);
    }
  for (OpOperand &operand : op->getOpOperands())
    for (AffineExpr index : op.getMatchingIndexingMap(&operand).getResults())
      for (unsigned loop : rowLoops.set_bits())
        if (!isa<AffineDimExpr>(index) && index.isFunctionOfDim(loop))
          return refuse(op, "a table read at an index computed from the row's");
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (unsigned loop : rowLoops.set_bits())
    if (iterators[loop] == utils::IteratorType::reduction)
      return refuse(op, "a reduction over rows");
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isDynamic(init.get()))
      uniteAxes(init.get(), op.getTiedOpResult(&init), op);
}

void RowAnalysis::visitExtract(tensor::ExtractOp op) {
  for (auto [axis, index] : llvm::enumerate(op.getIndices())) {
    if (!isDynamicAxis(op.getTensor(), axis))
      continue;
    Node node = axisNode(op.getTensor(), axis);
    bool isRow = matchRowIndex(
        index, [&](linalg::LinalgOp body, unsigned dim) { unite(node, loopNode(body, dim), op); },
        [&](MaskOp mask, unsigned axis) { unite(node, axisNode(mask.getScores(), axis), op); });
    if (!isRow)
      return refuse(op, "rows read at an index that isn't the row's own");
  }
}

void RowAnalysis::visitSlice(tensor::ExtractSliceOp op) {
  llvm::SmallBitVector dropped = op.getDroppedDims();
  int64_t resultAxis = 0;
  for (int64_t axis = 0, rank = op.getSourceType().getRank(); axis < rank; ++axis) {
    if (dropped.test(axis)) {
      if (isDynamicAxis(op.getSource(), axis))
        return refuse(op, "one of the rows picked out");
      continue;
    }
    bool fromRows = isDynamicAxis(op.getSource(), axis);
    bool toRows = isDynamicAxis(op.getResult(), resultAxis);
    if (fromRows || toRows) {
      bool allRows = toRows && isConstantIntValue(op.getMixedOffsets()[axis], 0) &&
                     isConstantIntValue(op.getMixedStrides()[axis], 1);
      if (!allRows)
        return refuse(op, "some of the rows picked out");
      if (fromRows)
        unite(axisNode(op.getSource(), axis), axisNode(op.getResult(), resultAxis), op);
    }
    ++resultAxis;
  }
}

void RowAnalysis::visitRowCount(tensor::DimOp op) {
  std::optional<int64_t> axis = op.getConstantIndex();
  if (axis && !isDynamicAxis(op.getSource(), *axis))
    return;
  for (Operation *user : op->getUsers())
    if (!isa<tensor::EmptyOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp>(user))
      return refuse(user, "the number of rows used as a value, which changes as rows come");
}

void RowAnalysis::visitLoop(scf::ForOp op) {
  for (auto [init, argument, yielded, result] : llvm::zip_equal(
           op.getInitArgs(), op.getRegionIterArgs(), op.getYieldedValues(), op.getResults())) {
    if (!isa<RankedTensorType>(result.getType()))
      continue;
    for (Value other : {init, Value(argument), yielded})
      uniteAxes(result, other, op);
  }
}

void RowAnalysis::visitReturn(func::ReturnOp op) {
  Value result = op.getOperand(0);
  unite(queryNode, axisNode(result, 0), op);
  for (int64_t axis = 1; axis < cast<RankedTensorType>(result.getType()).getRank(); ++axis)
    if (isDynamicAxis(result, axis))
      return refuse(op, "a result with rows along axis " + Twine(axis) + " too");
}

void RowAnalysis::visitReshape(Operation *op, Value collapsed, Value expanded,
                               ArrayRef<ReassociationIndices> groups) {
  auto shape = cast<RankedTensorType>(expanded.getType()).getShape();
  for (auto [axis, group] : llvm::enumerate(groups)) {
    if (!isDynamicAxis(collapsed, axis))
      continue;
    // Axes of size 1 beside the rows leave each row where it is.
    std::optional<int64_t> rowAxis;
    for (int64_t part : group)
      if (shape[part] != 1) {
        if (rowAxis)
          return refuse(op, "rows reshaped together with another axis");
        rowAxis = part;
      }
    if (!rowAxis || !isDynamicAxis(expanded, *rowAxis))
      return refuse(op, "rows reshaped into something else than rows");
    unite(axisNode(collapsed, axis), axisNode(expanded, *rowAxis), op);
  }
}

void RowAnalysis::visitConcat(tensor::ConcatOp op) {
  if (isDynamicAxis(op.getResult(), op.getDim()))
    return refuse(op, "rows put behind other rows");
  for (Value input : op.getInputs())
    uniteAxes(input, op.getResult(), op);
}

void RowAnalysis::visitProject(ProjectOp op) {
  int64_t kept = cast<RankedTensorType>(op.getX().getType()).getRank() - op.getContracted();
  for (int64_t axis = 0; axis < kept; ++axis)
    if (isDynamicAxis(op.getX(), axis))
      unite(axisNode(op.getX(), axis), axisNode(op.getResult(), axis), op);
  if (op.getInto())
    uniteAxes(op.getResult(), op.getInto(), op);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Whether a batch or heads in front of the rows are as many as there are rows.
static bool hasRowsInFront(Value tensor, int64_t rowAxis) {
  return llvm::any_of(cast<RankedTensorType>(tensor.getType()).getShape().take_front(rowAxis),
                      ShapedType::isDynamic);
}

void RowAnalysis::visitScores(ScoresOp op) {
  int64_t rowAxis = op.getResult().getType().getRank() - 2, keyAxis = rowAxis + 1;
  if (!isDynamicAxis(op.getQ(), rowAxis) || !isDynamicAxis(op.getK(), rowAxis))
    return refuse(op, "scores between rows and something else than rows");
  if (hasRowsInFront(op.getQ(), rowAxis))
    return refuse(op, "heads that are rows");
  unite(queryNode, axisNode(op.getQ(), rowAxis), op);
  unite(queryNode, axisNode(op.getK(), rowAxis), op);
  unite(queryNode, axisNode(op.getResult(), rowAxis), op);
  unite(makeNode(Rows::Key), axisNode(op.getResult(), keyAxis), op);
}

void RowAnalysis::visitWeigh(WeighOp op) {
  int64_t keyAxis = op.getPattern().getType().getRank() - 1, rowAxis = keyAxis - 1;
  if (!isDynamicAxis(op.getPattern(), rowAxis) || !isDynamicAxis(op.getValues(), rowAxis))
    return refuse(op, "values weighed over something else than rows");
  if (hasRowsInFront(op.getPattern(), rowAxis))
    return refuse(op, "heads that are rows");
  unite(queryNode, axisNode(op.getPattern(), rowAxis), op);
  unite(queryNode, axisNode(op.getResult(), rowAxis), op);
  unite(queryNode, axisNode(op.getValues(), rowAxis), op);
  unite(makeNode(Rows::Key), axisNode(op.getPattern(), keyAxis), op);
  // Only a softmax of masked scores is known to be zero where the mask hides.
  auto softmax = op.getPattern().getDefiningOp<SoftmaxOp>();
  if (!softmax || int64_t(softmax.getDimension()) != keyAxis)
    refusals.push_back({op.getLoc(),
                        "found values weighed by something else than a masked softmax over their "
                        "rows: row i reads rows after it, so no cache can be derived [E0701]"});
}

void RowAnalysis::visitSoftmax(SoftmaxOp op) {
  uniteAxes(op.getScores(), op.getResult(), op);
  int64_t dimension = op.getDimension();
  if (Value sink = op.getSink())
    for (int64_t axis = 0; axis < cast<RankedTensorType>(sink.getType()).getRank(); ++axis) {
      int64_t ofScores = axis < dimension ? axis : axis + 1;
      if (isDynamicAxis(sink, axis) && isDynamicAxis(op.getScores(), ofScores))
        unite(axisNode(sink, axis), axisNode(op.getScores(), ofScores), op);
    }
  if (!isDynamicAxis(op.getScores(), dimension))
    return; // over features: a gate, say
  if (ofAxis(op.getScores(), dimension) != Rows::Key)
    return refuse(op, "a softmax over the rows");

  // Masks one after another all apply; one of them that hides later rows is enough.
  MaskOp outer = op.getScores().getDefiningOp<MaskOp>();
  if (!outer) {
    refusals.push_back({op.getLoc(), "found no mask before this softmax: row i reads rows after "
                                     "it, so no cache can be derived; expected a mask that "
                                     "implies 'j <= i' [E0701]"});
    return;
  }
  std::optional<int64_t> row;
  for (int64_t axis = 0; axis < op.getScores().getType().getRank(); ++axis)
    if (ofAxis(op.getScores(), axis) == Rows::Query)
      row = axis;
  if (!row)
    return refuse(op, "scores whose rows aren't the tokens'");
  for (MaskOp mask = outer; mask; mask = mask.getScores().getDefiningOp<MaskOp>())
    if (MaskPredicate(mask, *row, dimension).hidesLaterRows())
      return;
  MaskPredicate predicate(outer, *row, dimension);
  std::string i = predicate.getRowName(), j = predicate.getKeyName();
  refusals.push_back({outer.getLoc(), "found mask '" + predicate.spell() + "': row " + i +
                                          " reads rows after it, so no cache can be derived; "
                                          "expected a mask that implies '" +
                                          j + " <= " + i + "' [E0701]"});
}
