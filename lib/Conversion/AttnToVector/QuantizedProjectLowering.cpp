//===- QuantizedProjectLowering.cpp - rows in eight bits times packed quants -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights and rows are multiplied as they are stored, four columns at a time in
// each of 16 lanes: vpdpbusd, unsigned weights by signed activations. What a
// group of columns sums up to in 32 bits is scaled and added in f32:
//
//   sum += (scale of the weights * scale of the row) * float(dot product)
//
// What the same number is added to in all weights of a group, a zero point or a
// min, is paid once a group: a zero point as what the dot product starts from,
// the row's sum times it, which attn.quantize has ready; a min as one product
// with the row's scaled sum.
//
//   few rows (decoding)   a group's quants are unpacked in registers.
//   many rows (prompts)   a block of panels is unpacked to bytes once, then
//                         multiplied with tiles of rows.
//
// Both add the groups of a row in the same order, so that a row's result doesn't
// depend on how many come with it. A task is a block of panels, of one head where
// each has a matrix of its own, whatever the thread count. Of weights beside each
// other, the same panels are multiplied as if they were those of one.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "PanelTasks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// From this many rows on, unpacking a block of panels first is cheaper.
constexpr int64_t kManyRows = 4;
/// How much of the next panels is asked for with each row of these: they come from memory while 512
/// rows are multiplied, and unpacking doesn't wait for them.
constexpr int64_t kNextBytesOfRow = 128;

class QuantizedProjectKernel : PanelTasks {
public:
  QuantizedProjectKernel(OpBuilder &builder, ProjectOp op, Value x, Value scales, Value sums,
                         ProjectResult result)
      : PanelTasks(builder, op, x, std::move(result),
                   op.getTileAttr().getPanels() / static_cast<int64_t>(op.getWeights().size())),
        tileRows(op.getTileAttr().getRows()), x(x), scales(scales), sums(sums),
        floats(VectorType::get({kLanes}, builder.getF32Type())),
        ints(VectorType::get({kLanes}, builder.getI32Type())),
        bytes(VectorType::get({4 * kLanes}, builder.getI8Type())) {}

  LogicalResult build(OpBuilder &builder) {
    buildTasks(builder, [&](OpBuilder &body, const Panels &panels) {
      Value many = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::sge, rows,
                                         constant(body, kManyRows));
      auto branch = scf::IfOp::create(body, loc, many, /*withElseRegion=*/true);
      OpBuilder inMany = branch.getThenBodyBuilder(), inFew = branch.getElseBodyBuilder();
      buildManyRows(inMany, panels);
      buildFewRows(inFew, panels);
    });
    return status();
  }

private:
  /// A panel's group, ready to be multiplied.
  struct Group {
    SmallVector<Value> fours;           ///< 4 columns each, as i32 lanes; of a tile, read when used
    SmallVector<Value> scales, offsets; ///< one for each group of columns with a scale
  };
  /// Four columns, from column 4 `four` of the group on, of panel `panel`.
  using ReadFour = function_ref<Value(OpBuilder &, int64_t panel, int64_t four)>;

  void buildFewRows(OpBuilder &builder, const Panels &panels) {
    reader.announce(builder, panels.at(builder, 0), panels.count);
    Value zero = constant(builder, 0), one = constant(builder, 1);
    auto rowLoop = scf::ForOp::create(builder, loc, zero, rows, one);
    OpBuilder inRow = OpBuilder::atBlockTerminator(rowLoop.getBody());
    Value row = rowLoop.getInductionVar();
    SmallVector<Value> totals;
    // Panel by panel: memory that is read in one forward stream arrives fastest.
    for (int64_t number = 0; number < weights * panels.count; ++number) {
      auto [ofPanel, panel] = sourceOf(panels, number);
      auto loop = scf::ForOp::create(
          inRow, loc, zero, constant(inRow, reader.steps()), one, zeros(inRow),
          [&](OpBuilder &body, Location, Value step, ValueRange carried) {
            SmallVector<Value> next(carried);
            Value place = panels.at(body, panel);
            ofPanel->readAhead(body, place, step);
            Group group = readGroup(body, ofPanel->address(body, place, step));
            auto fourOf = [&](OpBuilder &, int64_t, int64_t four) { return group.fours[four]; };
            addGroup(body, group, fourOf, row, 1, step, next);
            scf::YieldOp::create(body, loc, next);
          });
      totals.push_back(loop.getResult(0));
    }
    storeTile(inRow, totals, row, panels);
  }

  void buildManyRows(OpBuilder &builder, const Panels &panels) {
    Scratch scratch = unpack(builder, panels);
    int64_t bytes = kNextBytesOfRow / weights;
    forEachTile(builder, constant(builder, 0), rows, {tileRows, 2, 1},
                [&](OpBuilder &inTile, Value firstRow, int64_t height) {
                  Value asked =
                      arith::MulIOp::create(inTile, loc, firstRow, constant(inTile, bytes));
                  for (const PanelReader &each : readers)
                    each.readNext(inTile, panels.at(inTile, panels.count), panels.count, asked,
                                  height * bytes);
                  buildTile(inTile, scratch, panels, firstRow, height);
                });
  }

  /// A block of panels in memory: [panels of all weights, steps, fours of a step or parts, lanes].
  struct Scratch {
    Value fours, scales, offsets;
  };
  Scratch unpack(OpBuilder &builder, const Panels &panels) {
    int64_t steps = reader.steps(), parts = reader.scalesPerStep();
    auto allocate = [&](int64_t perStep, Type element) -> Value {
      auto type = MemRefType::get({weights * panels.count, steps, perStep, kLanes}, element);
      return memref::AllocOp::create(builder, loc, type, builder.getI64IntegerAttr(64));
    };
    Scratch scratch{allocate(reader.columnsPerStep() / 4, builder.getI32Type()),
                    allocate(parts, builder.getF32Type()), Value()};
    if (reader.hasMin())
      scratch.offsets = allocate(parts, builder.getF32Type());
    Value zero = constant(builder, 0);
    auto loop =
        scf::ForOp::create(builder, loc, zero, constant(builder, steps), constant(builder, 1));
    OpBuilder body = OpBuilder::atBlockTerminator(loop.getBody());
    Value step = loop.getInductionVar();
    for (int64_t number = 0; number < weights * panels.count; ++number) {
      auto [ofPanel, panel] = sourceOf(panels, number);
      Group group = readGroup(body, ofPanel->address(body, panels.at(body, panel), step));
      auto keep = [&](ArrayRef<Value> vectors, Value memref) {
        for (auto [index, vector] : llvm::enumerate(vectors))
          vector::StoreOp::create(
              body, loc, vector, memref,
              ValueRange{constant(body, number), step, constant(body, index), zero});
      };
      keep(group.fours, scratch.fours);
      keep(group.scales, scratch.scales);
      if (scratch.offsets)
        keep(group.offsets, scratch.offsets);
    }
    return scratch;
  }

  void buildTile(OpBuilder &builder, const Scratch &scratch, const Panels &panels, Value firstRow,
                 int64_t height) {
    Value zero = constant(builder, 0);
    // The residual is another thread's as often as not, too far away to be waited for at the end.
    for (int64_t row = 0; row < height; ++row)
      for (int64_t panel = 0; panel < panels.count; ++panel)
        prefetch(builder, add(builder, firstRow, row), panels, panel);
    SmallVector<Value> totals(height * weights * panels.count, zeros(builder));
    auto loop = scf::ForOp::create(
        builder, loc, zero, constant(builder, reader.steps()), constant(builder, 1), totals,
        [&](OpBuilder &body, Location, Value step, ValueRange carried) {
          SmallVector<Value> next(carried);
          SmallVector<Group> groups(weights * panels.count);
          auto read = [&](OpBuilder &at, Value memref, int64_t panel, int64_t index) -> Value {
            auto type =
                VectorType::get({kLanes}, cast<MemRefType>(memref.getType()).getElementType());
            return vector::LoadOp::create(
                at, loc, type, memref,
                ValueRange{constant(at, panel), step, constant(at, index), zero});
          };
          for (auto [panel, group] : llvm::enumerate(groups))
            for (int64_t part = 0; part < reader.scalesPerStep(); ++part) {
              group.scales.push_back(read(body, scratch.scales, panel, part));
              if (scratch.offsets)
                group.offsets.push_back(read(body, scratch.offsets, panel, part));
            }
          auto fourOf = [&](OpBuilder &at, int64_t panel, int64_t four) {
            return read(at, scratch.fours, panel, four);
          };
          addGroup(body, groups, fourOf, firstRow, height, step, next);
          scf::YieldOp::create(body, loc, next);
        });
    storeTile(builder, loop.getResults(), firstRow, panels);
  }

  /// Reads a group of a panel: its quants in fours, its scales, and its mins as offsets from what
  /// the stored numbers, which are never negative, stand for.
  Group readGroup(OpBuilder &builder, Value address) {
    Group group;
    group.fours = reader.fours(builder, address);
    group.scales = reader.scales(builder, address);
    if (!reader.hasMin())
      return group;
    for (auto [min, scale] : llvm::zip_equal(reader.mins(builder, address), group.scales)) {
      if (int bias = reader.bias()) {
        Value zero = arith::ConstantOp::create(
            builder, loc, DenseElementsAttr::get(floats, static_cast<float>(-bias)));
        min = vector::FMAOp::create(builder, loc, scale, zero, min);
      }
      group.offsets.push_back(min);
    }
    return group;
  }

  /// Adds a group's products to the totals of `height` rows from `firstRow` on:
  /// totals[row * panels + panel].
  void addGroup(OpBuilder &builder, ArrayRef<Group> groups, ReadFour fourOf, Value firstRow,
                int64_t height, Value step, SmallVectorImpl<Value> &totals) {
    int64_t parts = reader.scalesPerStep();
    int64_t foursOfPart = reader.columnsPerStep() / 4 / parts;
    Value firstColumn =
        arith::MulIOp::create(builder, loc, step, constant(builder, reader.columnsPerStep()));
    Value firstPart = arith::MulIOp::create(builder, loc, step, constant(builder, parts));
    SmallVector<Value> places, ofRow;
    for (int64_t row = 0; row < height; ++row) {
      places.push_back(placeOf(builder, add(builder, firstRow, row)));
      ofRow.push_back(broadcast(builder, scales, places[row], step));
    }
    for (int64_t part = 0; part < parts; ++part) {
      Value place = add(builder, firstPart, part);
      SmallVector<Value> dots;
      for (int64_t row = 0; row < height; ++row) {
        Value start = startOf(builder, places[row], place);
        dots.append(groups.size(), start);
      }
      for (int64_t four = part * foursOfPart; four < (part + 1) * foursOfPart; ++four) {
        SmallVector<Value> weights;
        for (size_t panel = 0; panel < groups.size(); ++panel)
          weights.push_back(fourOf(builder, panel, four));
        for (int64_t row = 0; row < height; ++row) {
          Value quants =
              broadcastWord(builder, x, places[row], add(builder, firstColumn, 4 * four));
          for (auto [panel, weight] : llvm::enumerate(weights)) {
            Value &dot = dots[row * groups.size() + panel];
            dot = dotProduct(builder, dot, weight, quants);
          }
        }
      }
      for (int64_t row = 0; row < height; ++row)
        for (auto [panel, group] : llvm::enumerate(groups)) {
          Value &total = totals[row * groups.size() + panel];
          Value product =
              arith::SIToFPOp::create(builder, loc, floats, dots[row * groups.size() + panel]);
          Value scale = arith::MulFOp::create(builder, loc, group.scales[part], ofRow[row]);
          total = vector::FMAOp::create(builder, loc, product, scale, total);
          if (!group.offsets.empty())
            total = vector::FMAOp::create(builder, loc, group.offsets[part],
                                          broadcast(builder, sums, places[row], place), total);
        }
    }
  }

  /// What a dot product starts from: 0, or what takes the bias of stored quants back.
  Value startOf(OpBuilder &builder, Value row, Value part) {
    if (reader.hasMin() || reader.bias() == 0)
      return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(ints));
    return broadcast(builder, sums, row, part);
  }
  Value broadcast(OpBuilder &builder, Value memref, Value row, Value column) {
    Value scalar = memref::LoadOp::create(builder, loc, memref, ValueRange{row, column});
    return vector::BroadcastOp::create(builder, loc, VectorType::get({kLanes}, scalar.getType()),
                                       scalar);
  }
  /// `sum` plus the products of four unsigned and four signed bytes in each lane.
  Value dotProduct(OpBuilder &builder, Value sum, Value weights, Value quants) {
    auto asBytes = [&](Value four) -> Value {
      return vector::BitCastOp::create(builder, loc, bytes, four);
    };
    return DotBytesOp::create(builder, loc, sum, asBytes(weights), asBytes(quants));
  }

  int64_t tileRows;
  Value x, scales, sums;
  VectorType floats, ints, bytes;
};

} // namespace

LogicalResult heed::attn::lowerQuantizedProject(OpBuilder &builder, ProjectOp op) {
  int64_t contracted = op.getContracted();
  FailureOr<Value> x = asMatrix(builder, op, op.getX(), contracted);
  FailureOr<Value> scales = asMatrix(builder, op, op.getScales(), 1);
  FailureOr<Value> sums = asMatrix(builder, op, op.getSums(), 1);
  FailureOr<ProjectResult> result = ProjectResult::of(builder, op);
  if (failed(x) || failed(scales) || failed(sums) || failed(result))
    return failure();
  return QuantizedProjectKernel(builder, op, *x, *scales, *sums, std::move(*result)).build(builder);
}
