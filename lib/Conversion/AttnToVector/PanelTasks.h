//===- PanelTasks.h - a projection's work, divided among tasks -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_PANELTASKS_H
#define HEED_CONVERSION_ATTNTOVECTOR_PANELTASKS_H

#include "PanelReader.h"
#include "ProjectResult.h"

namespace heed::attn {

/// What kernels of projections have in common: a task is a few panels of the weight, of one head
/// where each has a matrix of its own, and all rows; its sums are stored as features of the rows.
/// Of weights beside each other a task has the same panels.
class PanelTasks {
public:
  /// `x` is a matrix, [rows, cols]; `panelsOfTask` panels of each weight make a task.
  PanelTasks(mlir::OpBuilder &builder, ProjectOp op, mlir::Value x, ProjectResult result,
             int64_t panelsOfTask);

  /// Whether all code could be made; what couldn't has been reported.
  mlir::LogicalResult status() const { return mlir::success(!hasFailed); }

protected:
  /// The panels of a task, of each weight.
  struct Panels {
    const PanelTasks *tasks;
    mlir::Value first; ///< of the head's own
    int64_t count;
    bool isPartial;    ///< the last one has fewer than 16 features
    int64_t apart = 1; ///< from one to the next

    /// The number of panel `index` of the task in the whole weight.
    mlir::Value at(mlir::OpBuilder &builder, int64_t index) const;
    /// Those of all.
    llvm::SmallVector<mlir::Value> all(mlir::OpBuilder &builder) const;
    /// Panel `index` alone.
    Panels only(mlir::OpBuilder &builder, int64_t index) const {
      return {tasks, tasks->add(builder, first, index * apart), 1, isPartial && index + 1 == count};
    }
  };

  /// How a head's panels are divided into blocks.
  struct Division {
    int64_t panels;    ///< of a block
    int64_t apart = 1; ///< from one of them to the next
    int64_t blocks;
  };
  /// Blocks of `panels` panels that lie beside each other.
  Division divisionInto(int64_t panels) const {
    return {panels, 1, (panelsOfHead() + panels - 1) / panels};
  }
  /// Those of few rows, whose panels are read in `streams` at once: of one weight, a stream begins
  /// in each half, and is far from the other; each goes on where the task before ended.
  Division divisionOfFewRows(int64_t streams) const;

  /// A loop over `count` tasks of each head, whose body learns its number.
  void buildLoop(mlir::OpBuilder &builder, mlir::OpFoldResult count,
                 llvm::function_ref<void(mlir::OpBuilder &, mlir::Value number)> build);
  /// The code of a block of panels; `build` is called several times where the last one differs from
  /// others.
  void buildBlock(mlir::OpBuilder &builder, const Division &division, mlir::Value block,
                  llvm::function_ref<void(mlir::OpBuilder &, const Panels &)> build);
  int64_t panelsOfHead() const { return (features + kLanes - 1) / kLanes; }

  /// Whose panel number `number` of a task is, and which: the weights' one after the other.
  std::pair<const PanelReader *, int64_t> sourceOf(const Panels &panels, int64_t number) const {
    return {&readers[number / panels.count], number % panels.count};
  }
  /// The numbers of panels that are read at once, up to `streams`, each far from the others: of
  /// several weights, or of several places of one.
  llvm::SmallVector<llvm::SmallVector<int64_t>> readAtOnce(const Panels &panels,
                                                           int64_t streams) const;

  /// Says what a task of few rows reads first.
  void announceFewRows(mlir::OpBuilder &builder, const Panels &panels) const {
    reader.announce(builder, panels.at(builder, 0), panels.apart > 1 ? 1 : panels.count);
  }

  /// The place of a row of this task's head in x and in the result: `[rows, heads]` flattened.
  mlir::Value placeOf(mlir::OpBuilder &builder, mlir::Value row) const;
  /// Stores what becomes of a tile's sums, [rows][weights][panels] of 16 each: those of rows from
  /// `firstRow` on and of `panels`.
  void storeTile(mlir::OpBuilder &builder, mlir::ValueRange sums, mlir::Value firstRow,
                 const Panels &panels);

  /// Asks for what `storeTile` will read of 16 numbers' place, so that it has arrived by then.
  void prefetch(mlir::OpBuilder &builder, mlir::Value row, const Panels &panels, int64_t index);

  /// Builds rows `begin` … `end` in tiles of the first of `heights`, those that are left in lower
  /// ones.
  void forEachTile(mlir::OpBuilder &builder, mlir::Value begin, mlir::Value end,
                   llvm::ArrayRef<int64_t> heights,
                   llvm::function_ref<void(mlir::OpBuilder &, mlir::Value firstRow, int64_t height)>
                       build) const;
  /// The 32 bits of a matrix of bytes or of bf16 from `column` on, in all lanes of 16 x i32.
  mlir::Value broadcastWord(mlir::OpBuilder &builder, mlir::Value matrix, mlir::Value row,
                            mlir::Value column) const;

  mlir::Value constant(mlir::OpBuilder &builder, int64_t value) const;
  mlir::Value add(mlir::OpBuilder &builder, mlir::Value lhs, int64_t rhs) const;
  /// 16 zeros in f32.
  mlir::Value zeros(mlir::OpBuilder &builder) const;

  mlir::Location loc;
  int64_t panelsOfTask;
  /// Matrices of the weight, each with rows of its own; features are those of one.
  int64_t heads;
  int64_t cols, features;
  int64_t weights;                        ///< beside each other, all as the first
  mlir::Value rows;                       ///< of x, for each head
  llvm::SmallVector<PanelReader> readers; ///< of each weight
  const PanelReader &reader;              ///< for what they have in common

private:
  /// The first feature of panel `index`.
  mlir::Value featureOf(mlir::OpBuilder &builder, const Panels &panels, int64_t index) const;
  /// Stores what becomes of 16 sums of each weight, of panel `index` for `row`.
  void store(mlir::OpBuilder &builder, mlir::ValueRange sums, mlir::Value row, const Panels &panels,
             int64_t index);

  ProjectResult result;
  bool hasFailed = false;
  /// Of the task that is being built: its head, and the panels before those of the head.
  mlir::Value head, headPanels;
  mlir::Block *taskBody = nullptr;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_PANELTASKS_H
