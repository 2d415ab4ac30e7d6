//===- ProjectLowering.cpp - rows times a packed weight matrix -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sixteen features (a panel) are the lanes of a vector, x is broadcast, so a
// product is a sequence of FMAs with no shuffles. Two kernels serve one op and
// the row count chooses between them when the model runs:
//
//   few rows (decoding)   each weight is unpacked in registers and used at once;
//                         the time is that of reading the weights.
//   many rows (prompts)   a block of panels is unpacked to f32 once, in the
//                         second-level cache, then multiplied with tiles of
//                         rows whose sums stay in registers over all columns.
//
// A task is a block of panels, of one head where each has a matrix of its own,
// whatever the thread count, so that results don't depend on it.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "PanelReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// From this many rows on, unpacking a block of panels first is cheaper.
constexpr int64_t kManyRows = 4;

class ProjectKernel {
public:
  ProjectKernel(OpBuilder &builder, ProjectOp op, Value x, Value into, const KernelShape &shape)
      : loc(op.getLoc()), x(x), into(into), accumulate(op.getAccumulate()), shape(shape),
        heads(op.getPerHead() ? op.getWeight().getType().getShape().front() : 1),
        cols(cast<MemRefType>(x.getType()).getDimSize(1)),
        features(cast<MemRefType>(into.getType()).getDimSize(1)),
        reader(builder, loc, op.getWeight(), cols),
        rows(memref::DimOp::create(builder, loc, x, 0)) {
    if (heads > 1)
      rows = arith::DivUIOp::create(builder, loc, rows, constant(builder, heads));
  }

  void build(OpBuilder &builder) {
    int64_t panels = llvm::divideCeil(features, kLanes);
    int64_t blocks = llvm::divideCeil(panels, shape.projectPanels);
    SmallVector<OpFoldResult> tasks{builder.getIndexAttr(blocks)};
    if (heads > 1)
      tasks.push_back(builder.getIndexAttr(heads));
    scf::ForallOp::create(
        builder, loc, tasks, ValueRange{}, std::nullopt,
        [&](OpBuilder &body, Location, ValueRange args) {
          if (heads > 1) {
            head = args[1];
            headPanels = arith::MulIOp::create(body, loc, head, constant(body, panels));
          }
          // The last block may have fewer panels, and its last panel fewer features.
          int64_t lastPanels = panels - (blocks - 1) * shape.projectPanels;
          bool even = lastPanels == shape.projectPanels && features % kLanes == 0;
          if (even || blocks == 1) {
            buildBlock(body, args[0], lastPanels, features % kLanes != 0);
          } else {
            Value last = arith::ConstantIndexOp::create(body, loc, blocks - 1);
            Value isLast =
                arith::CmpIOp::create(body, loc, arith::CmpIPredicate::eq, args[0], last);
            auto branch = scf::IfOp::create(body, loc, isLast, /*withElseRegion=*/true);
            OpBuilder inLast = branch.getThenBodyBuilder(), inOthers = branch.getElseBodyBuilder();
            buildBlock(inLast, args[0], lastPanels, features % kLanes != 0);
            buildBlock(inOthers, args[0], shape.projectPanels, false);
          }
          scf::InParallelOp::create(body, loc);
        });
  }

private:
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value add(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : arith::AddIOp::create(builder, loc, lhs, constant(builder, rhs));
  }
  Value zeros(OpBuilder &builder) {
    return arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(VectorType::get({kLanes}, builder.getF32Type())));
  }
  /// The place of a row of this task's head in x and in the result: `[rows, heads]` flattened.
  Value placeOf(OpBuilder &builder, Value row) {
    if (heads == 1)
      return row;
    row = arith::MulIOp::create(builder, loc, row, constant(builder, heads));
    return arith::AddIOp::create(builder, loc, row, head);
  }
  /// The address of a step of the head's panel `firstPanel + panel`.
  Value address(OpBuilder &builder, Value firstPanel, int64_t panel, Value step) {
    Value place = add(builder, firstPanel, panel);
    if (heads > 1)
      place = arith::AddIOp::create(builder, loc, headPanels, place);
    return reader.address(builder, place, step);
  }
  Value broadcastX(OpBuilder &builder, Value row, Value column) {
    Value scalar =
        memref::LoadOp::create(builder, loc, x, ValueRange{placeOf(builder, row), column});
    return vector::BroadcastOp::create(builder, loc,
                                       VectorType::get({kLanes}, builder.getF32Type()), scalar);
  }

  /// `partial`: the block's last panel has features % 16 features.
  void buildBlock(OpBuilder &builder, Value block, int64_t panels, bool partial) {
    Value firstPanel =
        arith::MulIOp::create(builder, loc, block, constant(builder, shape.projectPanels));
    Value many = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, rows,
                                       constant(builder, kManyRows));
    auto branch = scf::IfOp::create(builder, loc, many, /*withElseRegion=*/true);
    OpBuilder inMany = branch.getThenBodyBuilder(), inFew = branch.getElseBodyBuilder();
    buildManyRows(inMany, firstPanel, panels, partial);
    buildFewRows(inFew, firstPanel, panels, partial);
  }

  void buildFewRows(OpBuilder &builder, Value firstPanel, int64_t panels, bool partial) {
    Value zero = constant(builder, 0), one = constant(builder, 1);
    auto rowLoop = scf::ForOp::create(builder, loc, zero, rows, one);
    OpBuilder inRow = OpBuilder::atBlockTerminator(rowLoop.getBody());
    Value row = rowLoop.getInductionVar();
    SmallVector<Value> sums(panels * shape.projectChains, zeros(inRow));
    auto stepLoop = scf::ForOp::create(
        inRow, loc, zero, constant(inRow, reader.steps()), one, sums,
        [&](OpBuilder &body, Location, Value step, ValueRange carried) {
          SmallVector<Value> next(carried);
          Value firstColumn =
              arith::MulIOp::create(body, loc, step, constant(body, reader.columnsPerStep()));
          for (int64_t panel = 0; panel < panels; ++panel) {
            reader.forEachColumn(
                body, address(body, firstPanel, panel, step), [&](int64_t column, Value weight) {
                  Value &sum = next[panel * shape.projectChains + column % shape.projectChains];
                  Value factor = broadcastX(body, row, add(body, firstColumn, column));
                  sum = vector::FMAOp::create(body, loc, weight, factor, sum);
                });
          }
          scf::YieldOp::create(body, loc, next);
        });
    for (int64_t panel = 0; panel < panels; ++panel) {
      auto chain = [&](int64_t c) { return stepLoop.getResult(panel * shape.projectChains + c); };
      Value sum = chain(0);
      for (int64_t c = 1; c < shape.projectChains; ++c)
        sum = arith::AddFOp::create(inRow, loc, sum, chain(c));
      store(inRow, sum, row, firstPanel, panel, partial && panel + 1 == panels);
    }
  }

  void buildManyRows(OpBuilder &builder, Value firstPanel, int64_t panels, bool partial) {
    Value zero = constant(builder, 0), one = constant(builder, 1);
    Value unpacked;
    if (!reader.isF32()) {
      auto type = MemRefType::get({panels, cols, kLanes}, builder.getF32Type());
      unpacked = memref::AllocOp::create(builder, loc, type, builder.getI64IntegerAttr(64));
      auto stepLoop =
          scf::ForOp::create(builder, loc, zero, constant(builder, reader.steps()), one);
      OpBuilder body = OpBuilder::atBlockTerminator(stepLoop.getBody());
      Value step = stepLoop.getInductionVar();
      Value firstColumn =
          arith::MulIOp::create(body, loc, step, constant(body, reader.columnsPerStep()));
      for (int64_t panel = 0; panel < panels; ++panel) {
        reader.forEachColumn(
            body, address(body, firstPanel, panel, step), [&](int64_t column, Value weight) {
              vector::StoreOp::create(
                  body, loc, weight, unpacked,
                  ValueRange{constant(body, panel), add(body, firstColumn, column), zero});
            });
      }
    }
    // Tiles of full height, then the rows that are left in lower ones.
    Value begin = zero;
    for (int64_t height : {shape.projectRows, int64_t(4), int64_t(1)}) {
      Value step = constant(builder, height);
      Value left = arith::SubIOp::create(builder, loc, rows, begin);
      Value whole = arith::SubIOp::create(builder, loc, left,
                                          arith::RemUIOp::create(builder, loc, left, step));
      Value end = arith::AddIOp::create(builder, loc, begin, whole);
      auto rowLoop = scf::ForOp::create(builder, loc, begin, end, step);
      OpBuilder inTile = OpBuilder::atBlockTerminator(rowLoop.getBody());
      buildTile(inTile, unpacked, rowLoop.getInductionVar(), height, firstPanel, panels, partial);
      begin = end;
    }
  }

  void buildTile(OpBuilder &builder, Value unpacked, Value firstRow, int64_t height,
                 Value firstPanel, int64_t panels, bool partial) {
    Value zero = constant(builder, 0);
    int64_t stride = unpacked ? 1 : reader.columnsPerStep();
    SmallVector<Value> sums(height * panels, zeros(builder));
    auto loop = scf::ForOp::create(
        builder, loc, zero, constant(builder, cols / stride), constant(builder, 1), sums,
        [&](OpBuilder &body, Location, Value step, ValueRange carried) {
          SmallVector<Value> next(carried);
          // weights[column][panel] of this step
          SmallVector<SmallVector<Value>> weights(stride, SmallVector<Value>(panels));
          for (int64_t panel = 0; panel < panels; ++panel) {
            if (unpacked)
              weights[0][panel] =
                  vector::LoadOp::create(body, loc, VectorType::get({kLanes}, body.getF32Type()),
                                         unpacked, ValueRange{constant(body, panel), step, zero});
            else
              reader.forEachColumn(body, address(body, firstPanel, panel, step),
                                   [&](int64_t column, Value w) { weights[column][panel] = w; });
          }
          Value firstColumn =
              stride == 1 ? step : arith::MulIOp::create(body, loc, step, constant(body, stride));
          for (int64_t column = 0; column < stride; ++column)
            for (int64_t row = 0; row < height; ++row) {
              Value factor =
                  broadcastX(body, add(body, firstRow, row), add(body, firstColumn, column));
              for (int64_t panel = 0; panel < panels; ++panel) {
                Value &sum = next[row * panels + panel];
                sum = vector::FMAOp::create(body, loc, weights[column][panel], factor, sum);
              }
            }
          scf::YieldOp::create(body, loc, next);
        });
    for (int64_t row = 0; row < height; ++row)
      for (int64_t panel = 0; panel < panels; ++panel)
        store(builder, loop.getResult(row * panels + panel), add(builder, firstRow, row),
              firstPanel, panel, partial && panel + 1 == panels);
  }

  void store(OpBuilder &builder, Value sum, Value row, Value firstPanel, int64_t panel,
             bool partial) {
    Value feature = arith::MulIOp::create(builder, loc, add(builder, firstPanel, panel),
                                          constant(builder, kLanes));
    SmallVector<Value> place{placeOf(builder, row), feature};
    auto lanes = cast<VectorType>(sum.getType());
    if (!partial) {
      if (accumulate)
        sum = arith::AddFOp::create(builder, loc, sum,
                                    vector::LoadOp::create(builder, loc, lanes, into, place));
      vector::StoreOp::create(builder, loc, sum, into, place);
      return;
    }
    Value mask = vector::ConstantMaskOp::create(
        builder, loc, VectorType::get({kLanes}, builder.getI1Type()), {features % kLanes});
    if (accumulate)
      sum = arith::AddFOp::create(
          builder, loc, sum,
          vector::MaskedLoadOp::create(builder, loc, lanes, into, place, mask, zeros(builder)));
    vector::MaskedStoreOp::create(builder, loc, into, place, mask, sum);
  }

  Location loc;
  Value x, into;
  bool accumulate;
  KernelShape shape;
  /// Matrices of the weight, each with rows of its own; features are those of one.
  int64_t heads;
  int64_t cols, features;
  PanelReader reader;
  Value rows;
  /// Of the task that is being built: its head, and the panels before those of the head.
  Value head, headPanels;
};

} // namespace

LogicalResult heed::attn::lowerProject(OpBuilder &builder, ProjectOp op, const KernelShape &shape) {
  int64_t contracted = op.getContracted();
  FailureOr<Value> x = asMatrix(builder, op, op.getX(), contracted);
  FailureOr<Value> into = asMatrix(builder, op, op.getInto(), op.getFeatureAxes());
  if (failed(x) || failed(into))
    return failure();
  ProjectKernel(builder, op, *x, *into, shape).build(builder);
  return success();
}
