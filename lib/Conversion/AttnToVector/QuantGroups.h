//===- QuantGroups.h - groups of quantised weights, for dot products ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_QUANTGROUPS_H
#define HEED_CONVERSION_ATTNTOVECTOR_QUANTGROUPS_H

#include "PanelReader.h"

namespace heed::attn {

/// The forms in which rows are multiplied: bytes, about 0 or centred, or words of 16 bits.
enum class RowForm { Bytes, CentredBytes, Words };

/// A panel's group of 32 columns, ready to be multiplied by rows of integers.
struct QuantGroup {
  /// What a lane's 32 bits hold, four columns as bytes or two as words, as i32 lanes; of a group in
  /// memory, read when used.
  llvm::SmallVector<mlir::Value> bundles;
  llvm::SmallVector<mlir::Value> scales; ///< one for each group of columns with a scale
  /// The mins, one for each scale, by which a row's sums are multiplied; none where there are none.
  /// Where rows are centred, pairs of bf16 for their totals and centres: a min, and what the
  /// numbers less their middle add up to, in units of the scale, so that the latter is exact.
  llvm::SmallVector<mlir::Value> offsets;
  mlir::Value cross; ///< where columns are multiplied in pairs, what that adds of the weights alone
};

/// Builds the code that unpacks groups and keeps them in memory.
class QuantGroups {
public:
  QuantGroups(mlir::Location loc, const PanelReader &reader, RowForm form)
      : loc(loc), reader(reader), form(form) {}

  /// Columns of a bundle.
  int64_t columnsOfBundle() const { return form == RowForm::Words ? 2 : 4; }

  /// The group at `address` as it is stored, as words where rows are; its mins as offsets from what
  /// the stored numbers, which are never negative, stand for.
  QuantGroup read(mlir::OpBuilder &builder, const PanelReader &panel, mlir::Value address) const;

  /// Whether a bundle of the first half of the columns and one of the second are stored in the same
  /// bytes, as nibbles, and have a scale in common.
  bool hasHalves() const { return reader.hasFourBits() && reader.scalesPerStep() == 1; }

  /// Bundle `first` + `number` of such a group alone. Of rows of words `first` is a multiple of 2;
  /// of others the group has halves, and `first` and `number`, less a half, are of the first one.
  mlir::Value readBundle(mlir::OpBuilder &builder, const PanelReader &panel, mlir::Value address,
                         mlir::Value first, int64_t number) const;

  /// Makes room for the groups of `panels` panels.
  void allocate(mlir::OpBuilder &builder, int64_t panels);
  /// Keeps what `group` has, of rows that aren't centred as it is, of others for products in pairs.
  void keep(mlir::OpBuilder &builder, QuantGroup group, int64_t panel, mlir::Value step) const;
  /// What was kept, all but the bundles.
  QuantGroup load(mlir::OpBuilder &builder, int64_t panel, mlir::Value step) const;
  mlir::Value loadBundle(mlir::OpBuilder &builder, int64_t panel, mlir::Value step,
                         mlir::OpFoldResult bundle) const;

private:
  /// Makes the pairs that centred rows' totals and centres are multiplied by.
  void makePairs(mlir::OpBuilder &builder, QuantGroup &group) const;
  /// Two bundles of words of each of `fours`, which are bytes.
  llvm::SmallVector<mlir::Value> widened(mlir::OpBuilder &builder,
                                         llvm::ArrayRef<mlir::Value> fours) const;
  /// The group with what columns that are multiplied in pairs are added to.
  QuantGroup paired(mlir::OpBuilder &builder, QuantGroup group) const;

  /// Where vector `number` of a panel's step is kept.
  llvm::SmallVector<mlir::Value> placeOf(mlir::OpBuilder &builder, int64_t panel, mlir::Value step,
                                         mlir::OpFoldResult number) const;
  mlir::Value loadFrom(mlir::OpBuilder &builder, mlir::Value memref, int64_t panel,
                       mlir::Value step, mlir::OpFoldResult number) const;
  mlir::Value splat(mlir::OpBuilder &builder, float value) const;
  mlir::Value splatBytes(mlir::OpBuilder &builder, int value) const;
  mlir::Value asBytes(mlir::OpBuilder &builder, mlir::Value lanes) const;

  bool isCentred() const { return form == RowForm::CentredBytes; }

  mlir::Location loc;
  const PanelReader &reader;
  RowForm form;
  /// [panels of all weights, steps, bundles of a step or parts, lanes].
  mlir::Value bundles, scales, offsets, crosses;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_QUANTGROUPS_H
