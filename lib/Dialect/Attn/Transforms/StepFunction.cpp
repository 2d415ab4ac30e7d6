//===- StepFunction.cpp - turning a function into a step ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepFunction.h"

#include "CacheWindow.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heed::attn;

void heed::attn::separateDestinations(func::FuncOp func) {
  auto cloneForEachUse = [](Operation *op) {
    OpBuilder builder(op);
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses()))
      if (!op->hasOneUse())
        use.set(builder.clone(*op)->getResult(0));
  };
  SmallVector<Operation *> fills, empties;
  func.walk([&](linalg::FillOp op) {
    if (op.hasPureTensorSemantics() && op.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
      fills.push_back(op);
  });
  llvm::for_each(fills, cloneForEachUse);
  func.walk([&](tensor::EmptyOp op) { empties.push_back(op); });
  llvm::for_each(empties, cloneForEachUse);
}

//===----------------------------------------------------------------------===//
// What to cache
//===----------------------------------------------------------------------===//

/// The loops around the place where `value` is defined, outermost first.
static SmallVector<scf::ForOp> loopsAround(Value value) {
  SmallVector<scf::ForOp> loops;
  for (Operation *op = value.getParentBlock()->getParentOp(); op; op = op->getParentOp())
    if (auto loop = dyn_cast<scf::ForOp>(op))
      loops.push_back(loop);
  std::reverse(loops.begin(), loops.end());
  return loops;
}

/// How often a loop runs, where that is a constant and the loop counts in `index`.
static std::optional<int64_t> tripCountOf(scf::ForOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound()),
                         upper = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  if (!lower || !upper || !step || *step <= 0 || *upper <= *lower ||
      !loop.getInductionVar().getType().isIndex())
    return std::nullopt;
  return llvm::divideCeil(*upper - *lower, *step);
}

/// What `read` is a part of: values may be some components of the keys.
static Value wholeOf(Value read) {
  auto slice = read.getDefiningOp<tensor::ExtractSliceOp>();
  return slice && slice.getType().getRank() == slice.getSourceType().getRank() ? slice.getSource()
                                                                               : read;
}

/// The type in which `whole` is cached: a cache has no batch, and a batch's heads are just heads.
static RankedTensorType cachedType(Value whole) {
  auto type = cast<RankedTensorType>(whole.getType());
  if (type.getRank() < 4)
    return type;
  SmallVector<int64_t> shape(type.getShape().drop_front());
  shape[0] *= type.getDimSize(0);
  return RankedTensorType::get(shape, type.getElementType());
}

static SmallVector<ReassociationIndices> batchWithHeads() { return {{0, 1}, {2}, {3}}; }

/// The rows of `whole` as they are cached.
static Value asCached(RewriterBase &rewriter, Value whole) {
  RankedTensorType type = cachedType(whole);
  if (type == whole.getType())
    return whole;
  return tensor::CollapseShapeOp::create(rewriter, whole.getLoc(), type, whole, batchWithHeads());
}

/// `cached` rows in the shape of `whole`.
static Value asWhole(RewriterBase &rewriter, Value cached, Value whole, Value length) {
  auto type = cast<RankedTensorType>(whole.getType());
  if (type == cached.getType())
    return cached;
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? OpFoldResult(length)
                                                : rewriter.getIndexAttr(size));
  return tensor::ExpandShapeOp::create(rewriter, whole.getLoc(), type, cached, batchWithHeads(),
                                       sizes);
}

/// The part of `all`, a cache's rows, that `read` is of this call's rows.
static Value samePart(RewriterBase &rewriter, Value read, Value all, Value length) {
  auto slice = read.getDefiningOp<tensor::ExtractSliceOp>();
  if (wholeOf(read) == read)
    return all;
  SmallVector<OpFoldResult> sizes = slice.getMixedSizes();
  for (OpFoldResult &size : sizes)
    if (!getConstantIntValue(size))
      size = length;
  return tensor::ExtractSliceOp::create(rewriter, read.getLoc(), slice.getType(), all,
                                        slice.getMixedOffsets(), sizes, slice.getMixedStrides());
}

std::optional<Refusal> StepFunction::collectCaches() {
  // One cache for each value, whoever reads it: K == V, or several heads' scores of one K.
  llvm::MapVector<Value, CachedRows> byValue;
  llvm::StringSet<> taken;
  std::optional<Refusal> refusal;
  func.walk([&](Operation *op) {
    OpOperand *operand = nullptr;
    if (auto scores = dyn_cast<ScoresOp>(op))
      operand = &scores.getKMutable();
    else if (auto weigh = dyn_cast<WeighOp>(op))
      operand = &weigh.getValuesMutable();
    else
      return;
    Value whole = wholeOf(operand->get());
    CachedRows &cache = byValue[whole];
    cache.readers.push_back(operand);
    if (cache.readers.size() > 1)
      return;
    cache.layers = 1;
    for (scf::ForOp loop : loopsAround(whole)) {
      std::optional<int64_t> trips = tripCountOf(loop);
      if (!trips || llvm::MulOverflow(cache.layers, *trips, cache.layers)) {
        if (!refusal)
          refusal = {loop.getLoc(), "found keys or values computed in a loop without a constant "
                                    "count, so no cache can be derived; expected a loop over the "
                                    "layers [E0702]"};
        return;
      }
    }
    auto named = whole.getLoc()->findInstanceOf<NameLoc>();
    std::string stem = named ? named.getName().str() : isa<ScoresOp>(op) ? "K" : "V";
    cache.name = stem;
    for (unsigned suffix = 2; !taken.insert(cache.name).second; ++suffix)
      cache.name = stem + std::to_string(suffix);
  });
  if (!refusal)
    for (auto &[value, cache] : byValue) {
      chooseCapacity(cache);
      caches.push_back(std::move(cache));
    }
  return refusal;
}

/// Makes the cache a ring where its readers see the last rows alone. While a call's rows are
/// appended, the oldest of them still reads `window - 1` rows before it.
void StepFunction::chooseCapacity(CachedRows &cache) const {
  cache.capacity = ShapedType::kDynamic;
  int64_t widest = 0;
  for (OpOperand *reader : cache.readers) {
    std::optional<int64_t> window = windowOf(rows, *reader);
    if (!window)
      return;
    widest = std::max(widest, *window);
  }
  int64_t ring = llvm::alignTo(widest - 1 + storage.chunk, storage.keyTile);
  auto bounds = func->getAttrOfType<DenseI64ArrayAttr>("heed.bounds");
  int64_t context = bounds && !bounds.empty() ? bounds[0] : 0; // 0: unbounded
  if (context > 0 && context <= ring)
    return;
  cache.window = widest;
  cache.capacity = ring;
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

void StepFunction::rewrite() {
  addArguments();
  renumberRows();
  // From here on the analysis' values are gone: threading a cache replaces loops.
  size_t parts = storage.element.isInteger(8) ? 2 : 1; // with the scales of its rows
  ValueRange arguments = func.getArguments();
  for (auto [number, cache] : llvm::enumerate(caches))
    addCache(cache, arguments.slice(arguments.size() - (caches.size() - number) * parts, parts));
  narrowResult();
}

void StepFunction::addArguments() {
  MLIRContext *context = func.getContext();
  Location loc = func.getLoc();
  auto named = [&](StringRef name) { return NameLoc::get(StringAttr::get(context, name), loc); };
  auto addArgument = [&](Type type, StringRef role, StringRef name, StringRef ssaName) {
    NamedAttribute attributes[] = {{"heed.arg", StringAttr::get(context, role)},
                                   {"heed.name", StringAttr::get(context, name)}};
    unsigned place = func.getNumArguments();
    (void)func.insertArgument(place, type, DictionaryAttr::get(context, attributes),
                              named(ssaName));
    return func.getArgument(place);
  };
  Type index = IndexType::get(context);
  past = addArgument(index, "past", "past", "past");
  first = addArgument(index, "first", "first", "first");
  for (const CachedRows &cache : caches) {
    RankedTensorType type = cachedType(wholeOf(cache.readers[0]->get()));
    SmallVector<int64_t> shape(type.getShape());
    shape[shape.size() - 2] = cache.capacity;
    shape.insert(shape.begin(), cache.layers);
    auto addPart = [&](Type element, const std::string &name) {
      BlockArgument part =
          addArgument(RankedTensorType::get(shape, element), "cache", name, name + "_cache");
      if (cache.window)
        func.setArgAttr(part.getArgNumber(), "heed.window",
                        IntegerAttr::get(IntegerType::get(context, 64), *cache.window));
    };
    addPart(storage.element, cache.name);
    if (storage.element.isInteger(8)) {
      shape.back() = 1;
      addPart(Float32Type::get(context), cache.name + "_scale");
    }
  }
  if (getRingCount() > 0)
    func->setAttr("heed.chunk", IntegerAttr::get(IntegerType::get(context, 64), storage.chunk));

  BlockArgument tokens = func.getArgument(0);
  auto tokensName = tokens.getLoc()->findInstanceOf<NameLoc>();
  func.setArgAttr(0, "heed.arg", StringAttr::get(context, "param"));
  if (!func.getArgAttr(0, "heed.name"))
    func.setArgAttr(0, "heed.name",
                    tokensName ? tokensName.getName() : StringAttr::get(context, "tokens"));

  OpBuilder builder = OpBuilder::atBlockBegin(&func.front());
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  count = tensor::DimOp::create(builder, named("n"), tokens, zero);
  length = arith::AddIOp::create(builder, named("length"), past, count);
  asked = arith::SubIOp::create(builder, named("asked"), count, first);
}

void StepFunction::renumberRows() {
  SmallVector<Operation *> ops;
  func.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    if (auto indexOp = dyn_cast<linalg::IndexOp>(op)) {
      if (rows.ofLoop(cast<linalg::LinalgOp>(op->getParentOp()), indexOp.getDim()) == Rows::Query)
        shiftRow(indexOp.getResult());
    } else if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      readTablesAtRows(linalgOp);
    } else if (auto mask = dyn_cast<MaskOp>(op)) {
      for (BlockArgument index : mask.getPredicate().getArguments())
        if (rows.ofAxis(mask.getScores(), index.getArgNumber()) == Rows::Query)
          shiftRow(index);
    } else if (isa<tensor::EmptyOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp>(op)) {
      resizeRows(op);
    }
  }
  for (Operation *op : ops)
    if (isa<tensor::DimOp>(op) && op->use_empty() && op != count.getDefiningOp())
      op->erase();
}

/// Makes `index`, which counts this call's rows, count the context's where it is used as a number.
void StepFunction::shiftRow(Value index) {
  SmallVector<OpOperand *> numbers;
  for (OpOperand &use : index.getUses())
    if (!addressesRow(use))
      numbers.push_back(&use);
  if (numbers.empty())
    return;
  OpBuilder builder(func.getContext());
  builder.setInsertionPointAfterValue(index);
  Value row = arith::AddIOp::create(builder, index.getLoc(), past, index);
  for (OpOperand *use : numbers)
    use->set(row);
}

/// Gives the op, for each table (an operand of static extent) that it reads along a row loop, the
/// part of the table that the rows are at.
void StepFunction::readTablesAtRows(linalg::LinalgOp op) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    OpBuilder builder(op);
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)), sizes,
        strides(type.getRank(), builder.getIndexAttr(1));
    bool isTable = false;
    for (auto [axis, index] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(index);
      Rows kind = dim ? rows.ofLoop(op, dim.getPosition()) : Rows::None;
      if (kind == Rows::None || type.isDynamicDim(axis)) {
        // A dynamic axis beside a table's is of this tensor's own rows: all of them are read.
        sizes.push_back(!type.isDynamicDim(axis) ? builder.getIndexAttr(type.getDimSize(axis))
                        : kind == Rows::Key      ? OpFoldResult(length)
                                                 : OpFoldResult(count));
        continue;
      }
      isTable = true;
      if (kind == Rows::Query)
        offsets[axis] = past;
      sizes.push_back(kind == Rows::Query ? count : length);
    }
    if (isTable)
      operand.set(tensor::ExtractSliceOp::create(builder, operand.get().getLoc(), operand.get(),
                                                 offsets, sizes, strides));
  }
}

/// Gives each dynamic axis of a `tensor.empty`, a reshape or a slice the number of rows it runs
/// over, and a slice of a table its place.
void StepFunction::resizeRows(Operation *op) {
  auto rowsOn = [&](int64_t axis) {
    return rows.ofAxis(op->getResult(0), axis) == Rows::Key ? length : count;
  };
  if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
    unsigned next = 0;
    for (int64_t axis = 0; axis < empty.getType().getRank(); ++axis)
      if (empty.getType().isDynamicDim(axis))
        empty.getDynamicSizesMutable()[next++].set(rowsOn(axis));
    return;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    unsigned next = 0;
    for (auto [axis, size] : llvm::enumerate(expand.getStaticOutputShape()))
      if (ShapedType::isDynamic(size))
        expand.getOutputShapeMutable()[next++].set(rowsOn(axis));
    return;
  }
  auto slice = cast<tensor::ExtractSliceOp>(op);
  SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  bool hasRows = false;
  int64_t resultAxis = 0;
  for (int64_t axis = 0; axis < slice.getSourceType().getRank(); ++axis) {
    if (dropped.test(axis))
      continue;
    if (slice.getType().isDynamicDim(resultAxis)) {
      hasRows = true;
      sizes[axis] = rowsOn(resultAxis);
      if (!slice.getSourceType().isDynamicDim(axis) &&
          rows.ofAxis(slice.getResult(), resultAxis) == Rows::Query)
        offsets[axis] = past;
    }
    ++resultAxis;
  }
  if (!hasRows)
    return;
  // Changed in place, as the analysis knows the axes by the value.
  auto [staticOffsets, dynamicOffsets] = decomposeMixedValues(offsets);
  auto [staticSizes, dynamicSizes] = decomposeMixedValues(sizes);
  slice.getOffsetsMutable().assign(dynamicOffsets);
  slice.getSizesMutable().assign(dynamicSizes);
  slice.setStaticOffsets(staticOffsets);
  slice.setStaticSizes(staticSizes);
}

/// The number of the layer that an innermost loop is at, counted from 0 through all of `loops`.
static Value layerNumber(OpBuilder &builder, Location loc, ArrayRef<scf::ForOp> loops) {
  Value layer;
  for (scf::ForOp loop : loops) {
    Value trip = loop.getInductionVar();
    if (!isConstantIntValue(loop.getLowerBound(), 0))
      trip = arith::SubIOp::create(builder, loc, trip, loop.getLowerBound());
    if (!isConstantIntValue(loop.getStep(), 1))
      trip = arith::DivUIOp::create(builder, loc, trip, loop.getStep());
    if (layer) {
      Value trips = arith::ConstantIndexOp::create(builder, loc, *tripCountOf(loop));
      layer = arith::MulIOp::create(builder, loc, layer, trips);
      trip = arith::AddIOp::create(builder, loc, layer, trip);
    }
    layer = trip;
  }
  return layer ? layer : arith::ConstantIndexOp::create(builder, loc, 0);
}

/// Appends the rows where they are computed, reads all of them back for the attentions, and hands
/// the cache through the loops in between.
void StepFunction::addCache(const CachedRows &cache, ValueRange arguments) {
  IRRewriter rewriter(func.getContext());
  auto append = [&](ValueRange stored) -> SmallVector<Value> {
    Value fresh = wholeOf(cache.readers[0]->get());
    Location loc = fresh.getLoc();
    SmallVector<scf::ForOp> loops = loopsAround(fresh);
    rewriter.setInsertionPointAfterValue(fresh);
    Value layer = layerNumber(rewriter, loc, loops);
    Value scales = stored.size() > 1 ? stored[1] : Value();
    auto appended = CacheAppendOp::create(rewriter, stored[0].getLoc(), asCached(rewriter, fresh),
                                          stored[0], scales, layer, past);
    Value all = CacheReadOp::create(rewriter, loc, cachedType(fresh), appended.getResult(),
                                    appended.getNewScales(), layer, length);
    all = asWhole(rewriter, all, fresh, length);
    for (OpOperand *reader : cache.readers)
      reader->set(samePart(rewriter, reader->get(), all, length));
    return SmallVector<Value>(appended->getResults());
  };
  // Hands `stored` into the outermost of the loops that are still to enter.
  std::function<SmallVector<Value>(ValueRange, unsigned)> enter =
      [&](ValueRange stored, unsigned depth) -> SmallVector<Value> {
    SmallVector<scf::ForOp> loops = loopsAround(wholeOf(cache.readers[0]->get()));
    if (depth == loops.size())
      return append(stored);
    auto handThrough = [&](OpBuilder &, Location,
                           ArrayRef<BlockArgument> arguments) -> SmallVector<Value> {
      SmallVector<Value> carried(arguments.take_back(stored.size()));
      return enter(carried, depth + 1);
    };
    rewriter.setInsertionPoint(loops[depth]);
    FailureOr<LoopLikeOpInterface> loop =
        cast<LoopLikeOpInterface>(loops[depth].getOperation())
            .replaceWithAdditionalYields(rewriter, stored, /*replaceInitOperandUsesInLoop=*/false,
                                         handThrough);
    assert(succeeded(loop) && "an scf.for takes any number of iter_args");
    return SmallVector<Value>((*loop)->getResults().take_back(stored.size()));
  };
  // Returned at once: the next cache's way through the same loops replaces them, and their uses.
  SmallVector<Value> final = enter(arguments, 0);
  Operation *ret = func.front().getTerminator();
  ret->insertOperands(ret->getNumOperands(), final);
}

/// Returns, of the result, the rows that were asked for.
void StepFunction::narrowResult() {
  auto ret = cast<func::ReturnOp>(func.front().getTerminator());
  OpBuilder builder(ret);
  Value result = ret.getOperand(0);
  auto type = cast<RankedTensorType>(result.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)), sizes,
      strides(type.getRank(), builder.getIndexAttr(1));
  offsets[0] = first;
  sizes.push_back(asked);
  for (int64_t size : type.getShape().drop_front())
    sizes.push_back(builder.getIndexAttr(size));
  ret->setOperand(0, tensor::ExtractSliceOp::create(builder, result.getLoc(), type, result, offsets,
                                                    sizes, strides));
  func.setType(FunctionType::get(func.getContext(), func.getArgumentTypes(),
                                 SmallVector<Type>(ret->getOperandTypes())));
  func->setAttr("heed.kind", builder.getStringAttr("step"));
}
