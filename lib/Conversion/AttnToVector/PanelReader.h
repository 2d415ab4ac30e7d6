//===- PanelReader.h - reads a packed weight matrix as vectors -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_PANELREADER_H
#define HEED_CONVERSION_ATTNTOVECTOR_PANELREADER_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Weights/PanelLayout.h"

#include "mlir/IR/Builders.h"

namespace heed::attn {

/// Builds the code that reads panels (heed/Weights/PanelLayout.h says where the bytes lie). Columns
/// are read in steps: a group of a quantised matrix, or a few columns of a float one.
class PanelReader {
public:
  /// `weight` is an !attn.weight in panels of a matrix [rows, cols].
  PanelReader(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value weight, int64_t cols);

  int64_t columnsPerStep() const { return stepColumns; }
  /// Whole steps of a panel.
  int64_t steps() const { return cols / stepColumns; }
  /// Columns that are left after them.
  int64_t tailColumns() const { return cols % stepColumns; }
  /// Whether a column is f32 in memory already, so that no unpacked copy is worth making.
  bool isF32() const { return layout.quant == PanelLayout::Quant::F32; }
  bool isBF16() const { return layout.quant == PanelLayout::Quant::BF16; }
  bool isQuantised() const { return layout.isQuantised(); }

  /// The address of step `step` of panel `panel`; both of type index.
  mlir::Value address(mlir::OpBuilder &builder, mlir::Value panel, mlir::Value step) const;

  /// Says that the task which is being built begins with reading `count` panels from `first` on.
  void announce(mlir::OpBuilder &builder, mlir::Value first, int64_t count) const;

  /// Asks memory for what lies `ahead` bytes behind where step `step` of panel `panel` does.
  void readAhead(mlir::OpBuilder &builder, mlir::Value panel, mlir::Value step,
                 int64_t ahead) const;

  /// Asks memory for a part of the `count` panels from `first` on, which another task reads:
  /// `bytes` from byte `begin` on, or from their last `bytes`.
  void readNext(mlir::OpBuilder &builder, mlir::Value first, int64_t count, mlir::Value begin,
                int64_t bytes) const;

  /// Calls `use` with each of the first `count` columns of the step at `address`, all or of
  /// floating-point matrices fewer, counted from the step's first column, as a vector<16xf32>, in
  /// their order: sums that add them up so are the same everywhere.
  void forEachColumn(mlir::OpBuilder &builder, mlir::Value address, int64_t count,
                     llvm::function_ref<void(int64_t, mlir::Value)> use) const;

  /// Of floating-point matrices, column `column` of the step at `address` as a vector<16xf32>.
  mlir::Value column(mlir::OpBuilder &builder, mlir::Value address, int64_t column) const;
  /// Of bf16 matrices, columns 2 * `pair` and 2 * `pair` + 1 of the step at `address` as a
  /// vector<32xbf16>: both of a lane side by side.
  mlir::Value pair(mlir::OpBuilder &builder, mlir::Value address, int64_t pair) const;

  // Of quantised matrices, a step's parts as they are stored. A stored number is never negative:
  // value = scale * (number - bias) + min.

  /// The numbers, four columns at a time in the bytes of 16 x i32: columns 4 f … 4 f + 3.
  llvm::SmallVector<mlir::Value> fours(mlir::OpBuilder &builder, mlir::Value address) const;
  /// Of numbers of eight bits, four `index` alone.
  mlir::Value four(mlir::OpBuilder &builder, mlir::Value address, mlir::Value index) const;
  /// Of numbers of four bits, four `index` of the first half of the columns, or of the second.
  mlir::Value nibbles(mlir::OpBuilder &builder, mlir::Value address, mlir::Value index,
                      bool isUpper) const;
  /// The scales, and the mins where there are any, as 16 x f32 for each group of columns that
  /// has one.
  llvm::SmallVector<mlir::Value> scales(mlir::OpBuilder &builder, mlir::Value address) const {
    return scaleVectors(builder, address, layout.scalesOffset);
  }
  llvm::SmallVector<mlir::Value> mins(mlir::OpBuilder &builder, mlir::Value address) const {
    return scaleVectors(builder, address, layout.minsOffset);
  }
  int scalesPerStep() const { return layout.scalesPerGroup(); }
  bool hasMin() const { return layout.hasMin; }
  int bias() const { return layout.bias(); }
  /// Of a stored number.
  int bits() const { return layout.bits(); }
  bool hasFourBits() const { return layout.quant == PanelLayout::Quant::U4; }
  int middle() const { return layout.middle(); }

private:
  /// Where a step begins, in bytes, of type index.
  mlir::Value offsetOf(mlir::OpBuilder &builder, mlir::Value panel, mlir::Value step) const;
  /// `value` in 16 x i32.
  mlir::Value splatBits(mlir::OpBuilder &builder, int32_t value) const;
  mlir::Value load(mlir::OpBuilder &builder, mlir::Value address, int64_t offset,
                   mlir::Type element, int64_t count = PanelLayout::lanes) const;
  /// The stored bytes of four `index`, and with nibbles of one that is half the columns further.
  mlir::Value fourBytes(mlir::OpBuilder &builder, mlir::Value address, mlir::Value index) const;
  /// Scales or mins of each scale group as vector<16xf32>.
  llvm::SmallVector<mlir::Value> scaleVectors(mlir::OpBuilder &builder, mlir::Value address,
                                              int64_t offset) const;

  mlir::Location loc;
  PanelLayout layout;
  mlir::Value weight, base;
  int64_t cols;
  int64_t stepColumns;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_PANELREADER_H
