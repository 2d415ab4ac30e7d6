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

/// A panel's group of 32 columns, ready to be multiplied by rows in eight bits.
struct QuantGroup {
  /// 4 columns each, as i32 lanes; of a group in memory, read when used.
  llvm::SmallVector<mlir::Value> fours;
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
  /// `isCentred`: for rows of attn.quantize's centred form.
  QuantGroups(mlir::Location loc, const PanelReader &reader, bool isCentred)
      : loc(loc), reader(reader), isCentred(isCentred) {}

  /// The group at `address` as it is stored; its mins as offsets from what the stored numbers,
  /// which are never negative, stand for.
  QuantGroup read(mlir::OpBuilder &builder, const PanelReader &panel, mlir::Value address) const;

  /// Makes room for the groups of `panels` panels.
  void allocate(mlir::OpBuilder &builder, int64_t panels);
  /// Keeps what `group` has, of rows that aren't centred as it is, of others for products in pairs.
  void keep(mlir::OpBuilder &builder, QuantGroup group, int64_t panel, mlir::Value step) const;
  /// What was kept, all but the fours.
  QuantGroup load(mlir::OpBuilder &builder, int64_t panel, mlir::Value step) const;
  mlir::Value loadFour(mlir::OpBuilder &builder, int64_t panel, mlir::Value step,
                       mlir::OpFoldResult four) const;

private:
  /// Makes the pairs that centred rows' totals and centres are multiplied by.
  void makePairs(mlir::OpBuilder &builder, QuantGroup &group) const;
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

  mlir::Location loc;
  const PanelReader &reader;
  bool isCentred;
  /// [panels of all weights, steps, fours of a step or parts, lanes].
  mlir::Value fours, scales, offsets, crosses;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_QUANTGROUPS_H
