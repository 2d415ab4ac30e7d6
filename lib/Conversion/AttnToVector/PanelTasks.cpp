//===- PanelTasks.cpp - a projection's work, divided among tasks -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PanelTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

PanelTasks::PanelTasks(OpBuilder &builder, ProjectOp op, Value x, ProjectResult result,
                       int64_t panelsOfTask)
    : loc(op.getLoc()), panelsOfTask(panelsOfTask),
      heads(op.getPerHead() ? op.getWeight().getType().getShape().front() : 1),
      cols(cast<MemRefType>(x.getType()).getDimSize(1)),
      features(llvm::product_of(op.getWeight().getType().getShape().drop_back(op.getContracted())) /
               heads),
      weights(op.getWeights().size()), rows(memref::DimOp::create(builder, loc, x, 0)),
      readers(llvm::map_to_vector(
          op.getWeights(), [&](Value weight) { return PanelReader(builder, loc, weight, cols); })),
      reader(readers.front()), result(std::move(result)) {
  if (heads > 1)
    rows = arith::DivUIOp::create(builder, loc, rows, constant(builder, heads));
}

Value PanelTasks::constant(OpBuilder &builder, int64_t value) const {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value PanelTasks::add(OpBuilder &builder, Value lhs, int64_t rhs) const {
  return rhs == 0 ? lhs : arith::AddIOp::create(builder, loc, lhs, constant(builder, rhs));
}

Value PanelTasks::zeros(OpBuilder &builder) const {
  return arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(VectorType::get({kLanes}, builder.getF32Type())));
}

Value PanelTasks::Panels::at(OpBuilder &builder, int64_t index) const {
  Value place = tasks->add(builder, first, index * apart);
  if (tasks->heads > 1)
    place = arith::AddIOp::create(builder, tasks->loc, tasks->headPanels, place);
  return place;
}

SmallVector<Value> PanelTasks::Panels::all(OpBuilder &builder) const {
  SmallVector<Value> places;
  for (int64_t index = 0; index < count; ++index)
    places.push_back(at(builder, index));
  return places;
}

Value PanelTasks::placeOf(OpBuilder &builder, Value row) const {
  if (heads == 1)
    return row;
  row = arith::MulIOp::create(builder, loc, row, constant(builder, heads));
  return arith::AddIOp::create(builder, loc, row, head);
}

PanelTasks::Division PanelTasks::divisionOfFewRows(int64_t streams) const {
  int64_t panels = panelsOfHead();
  if (streams == 1 || weights > 1 || heads > 1 || panels % streams != 0 || panels == streams)
    return divisionInto(panelsOfTask);
  return {streams, panels / streams, panels / streams};
}

SmallVector<SmallVector<int64_t>> PanelTasks::readAtOnce(const Panels &panels,
                                                         int64_t streams) const {
  SmallVector<SmallVector<int64_t>> groups;
  for (int64_t panel = 0; panel < panels.count; ++panel)
    for (int64_t weight = 0; weight < weights; ++weight) {
      int64_t place = weights > 1 ? weight : panels.apart > 1 ? panel : 0;
      if (place % streams == 0)
        groups.emplace_back();
      groups.back().push_back(weight * panels.count + panel);
    }
  return groups;
}

void PanelTasks::buildLoop(OpBuilder &builder, OpFoldResult count,
                           function_ref<void(OpBuilder &, Value)> build) {
  SmallVector<OpFoldResult> tasks{count};
  if (heads > 1)
    tasks.push_back(builder.getIndexAttr(heads));
  scf::ForallOp::create(builder, loc, tasks, ValueRange{}, std::nullopt,
                        [&](OpBuilder &body, Location, ValueRange args) {
                          taskBody = body.getBlock();
                          if (heads > 1) {
                            head = args[1];
                            headPanels = arith::MulIOp::create(body, loc, head,
                                                               constant(body, panelsOfHead()));
                          }
                          build(body, args[0]);
                          scf::InParallelOp::create(body, loc);
                        });
}

void PanelTasks::buildBlock(OpBuilder &builder, const Division &division, Value block,
                            function_ref<void(OpBuilder &, const Panels &)> build) {
  auto [panels, apart, blocks] = division;
  Value first =
      apart > 1 ? block
                : arith::MulIOp::create(builder, loc, block, constant(builder, panels)).getResult();
  // The last block may have fewer panels, and its last panel fewer features.
  int64_t lastPanels = panelsOfHead() - (blocks - 1) * panels;
  bool isPartial = features % kLanes != 0;
  Panels last{this, first, lastPanels, isPartial, apart}, other{this, first, panels, false, apart};
  if (blocks == 1 || (lastPanels == panels && !isPartial))
    return build(builder, last);
  Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, block,
                                       constant(builder, blocks - 1));
  auto branch = scf::IfOp::create(builder, loc, isLast, /*withElseRegion=*/true);
  OpBuilder inLast = branch.getThenBodyBuilder(), inOthers = branch.getElseBodyBuilder();
  build(inLast, last);
  build(inOthers, other);
}

void PanelTasks::forEachTile(
    OpBuilder &builder, Value begin, Value end, ArrayRef<int64_t> heights,
    function_ref<void(OpBuilder &, Value firstRow, int64_t height)> build) const {
  for (int64_t height : heights) {
    Value step = constant(builder, height);
    Value left = arith::SubIOp::create(builder, loc, end, begin);
    Value whole =
        arith::SubIOp::create(builder, loc, left, arith::RemUIOp::create(builder, loc, left, step));
    Value last = arith::AddIOp::create(builder, loc, begin, whole);
    auto loop = scf::ForOp::create(builder, loc, begin, last, step);
    OpBuilder inTile = OpBuilder::atBlockTerminator(loop.getBody());
    build(inTile, loop.getInductionVar(), height);
    begin = last;
  }
}

Value PanelTasks::broadcastWord(OpBuilder &builder, Value matrix, Value row, Value column) const {
  Type element = cast<MemRefType>(matrix.getType()).getElementType(), i32 = builder.getI32Type();
  auto type = VectorType::get({32 / element.getIntOrFloatBitWidth()}, element);
  Value word = vector::LoadOp::create(builder, loc, type, matrix, ValueRange{row, column});
  word = vector::BitCastOp::create(builder, loc, VectorType::get({1}, i32), word);
  return vector::BroadcastOp::create(builder, loc, VectorType::get({kLanes}, i32),
                                     vector::ExtractOp::create(builder, loc, word, 0));
}

void PanelTasks::prefetch(OpBuilder &builder, Value row, const Panels &panels, int64_t index) {
  result.prefetch(builder, placeOf(builder, row), featureOf(builder, panels, index));
}

Value PanelTasks::featureOf(OpBuilder &builder, const Panels &panels, int64_t index) const {
  return arith::MulIOp::create(builder, loc, add(builder, panels.first, index * panels.apart),
                               constant(builder, kLanes));
}

void PanelTasks::store(OpBuilder &builder, ValueRange sums, Value row, const Panels &panels,
                       int64_t index) {
  bool isPartial = panels.isPartial && index + 1 == panels.count;
  if (failed(result.store(builder, sums, placeOf(builder, row), featureOf(builder, panels, index),
                          isPartial ? features % kLanes : kLanes)))
    hasFailed = true;
}

void PanelTasks::storeTile(OpBuilder &builder, ValueRange sums, Value firstRow,
                           const Panels &panels) {
  int64_t ofRow = weights * panels.count;
  int64_t height = static_cast<int64_t>(sums.size()) / ofRow;
  if (height == 1 || !result.isCostly()) {
    for (int64_t row = 0; row < height; ++row)
      for (int64_t panel = 0; panel < panels.count; ++panel) {
        SmallVector<Value> ofWeights;
        for (int64_t weight = 0; weight < weights; ++weight)
          ofWeights.push_back(sums[row * ofRow + weight * panels.count + panel]);
        store(builder, ofWeights, add(builder, firstRow, row), panels, panel);
      }
    return;
  }
  // Through the stack, so that the epilogue is built once, and not for each sum.
  auto lanes = cast<VectorType>(sums.front().getType());
  auto type = MemRefType::get({height, ofRow, kLanes}, lanes.getElementType());
  OpBuilder atStart(builder.getContext()); // the loop, still being built, has no op yet
  atStart.setInsertionPointToStart(taskBody);
  Value kept = memref::AllocaOp::create(atStart, loc, type, atStart.getI64IntegerAttr(64));
  Value zero = constant(builder, 0);
  for (auto [at, sum] : llvm::enumerate(sums))
    vector::StoreOp::create(
        builder, loc, sum, kept,
        ValueRange{constant(builder, at / ofRow), constant(builder, at % ofRow), zero});
  auto loop =
      scf::ForOp::create(builder, loc, zero, constant(builder, height), constant(builder, 1));
  OpBuilder inRow = OpBuilder::atBlockTerminator(loop.getBody());
  Value row = arith::AddIOp::create(inRow, loc, firstRow, loop.getInductionVar());
  for (int64_t panel = 0; panel < panels.count; ++panel) {
    SmallVector<Value> ofWeights;
    for (int64_t weight = 0; weight < weights; ++weight) {
      SmallVector<Value> place{loop.getInductionVar(),
                               constant(inRow, weight * panels.count + panel), zero};
      ofWeights.push_back(vector::LoadOp::create(inRow, loc, lanes, kept, place));
    }
    store(inRow, ofWeights, row, panels, panel);
  }
}
