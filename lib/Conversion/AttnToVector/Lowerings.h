//===- Lowerings.h - how each attn op becomes vector code -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to convert-attn-to-vector. Every lowering takes an op in memref form
// and builds scf, vector and LLVM-pointer code in front of it; the pass erases
// the op afterwards.
//
// All kernels keep 16 lanes in a vector: one register of AVX-512, two of AVX2.
// `KernelShape` says how many of them are kept in flight.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_CONVERSION_ATTNTOVECTOR_LOWERINGS_H
#define HEED_CONVERSION_ATTNTOVECTOR_LOWERINGS_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace heed::attn {

/// Lanes of every vector that a kernel handles.
inline constexpr int64_t kLanes = 16;
/// Rows of a task where rows don't depend on each other; the default of
/// convert-linalg-to-row-loops.
inline constexpr int64_t kTaskRows = 8;

/// How kernels keep one instruction set's registers in use, 32 of 16 lanes or 16 of 8, so that
/// nothing spills. Products of many rows have tiles of their own (#attn.tile).
struct KernelShape {
  int64_t taskPanels;    ///< panels of the weight that a task reads for few rows
  int64_t projectChains; ///< sums kept apart where rows are few, to hide the FMA's latency
  int64_t aheadBytes;    ///< that memory is asked ahead of few rows' products, of all streams
  int64_t streams;       ///< panels, far from each other, that are read at once for few rows
  int64_t attentionRows; ///< keys, or components of the values, in an attention's tile
  /// How often its loops are unrolled. With twelve sums a round is 24 to 27 instructions for six
  /// cycles, as many as a core decodes; another program on the same core leaves it fewer.
  int64_t attentionUnrolled;
  bool splitsExponents; ///< instructions take a number's whole part off, and scale by its power
  bool multipliesFours; ///< of bytes, adding them up in 32 bits; else pairs of them in 16, or words

  /// A window of instructions holds some ten steps of a panel, 3 K, and what arrives within the
  /// time that memory takes is more. Of processors with AVX-512 from 4 K on it makes no difference,
  /// until so much is under way that it doesn't stay in the first level. Those with AVX2 alone have
  /// fewer requests under way at once (24 on Zen 3, 1.5 K), and what is asked for earlier keeps
  /// others out.
  static constexpr int64_t kFarAhead = 5120, kNearAhead = 2048;

  /// `invariant`: few rows are summed in the order that many are.
  static KernelShape of(int64_t nativeLanes, bool invariant, bool vnni) {
    int64_t chains = invariant ? 1 : 4;
    return nativeLanes >= 16 ? KernelShape{2, chains, kFarAhead, 1, 8, 1, true, vnni}
                             : KernelShape{1, chains, kNearAhead, 2, 6, 4, false, vnni};
  }
};

mlir::LogicalResult lowerProject(mlir::OpBuilder &builder, ProjectOp op, const KernelShape &shape);
/// Of an x of integers.
mlir::LogicalResult lowerQuantizedProject(mlir::OpBuilder &builder, ProjectOp op,
                                          const KernelShape &shape);
mlir::LogicalResult lowerQuantize(mlir::OpBuilder &builder, QuantizeOp op);
mlir::LogicalResult lowerEmbed(mlir::OpBuilder &builder, EmbedOp op);
mlir::LogicalResult lowerOnlineAttention(mlir::OpBuilder &builder, OnlineAttentionOp op,
                                         const KernelShape &shape);
/// The same for the `lanes_first` form.
mlir::LogicalResult lowerFewLanesAttention(mlir::OpBuilder &builder, OnlineAttentionOp op,
                                           const KernelShape &shape);
/// Stack for what is computed of a tile, reserved once in a task: a loop over keys must not reserve
/// it each time round.
mlir::Value allocateForTask(OnlineAttentionOp op, llvm::ArrayRef<int64_t> shape,
                            mlir::Type element);
/// Keeps LLVM from unrolling `loop`, an scf.for or one like it.
void keepAsLoop(mlir::Operation *loop);
/// Rows as pairs of bf16.
void lowerPairRows(mlir::OpBuilder &builder, PairRowsOp op);
/// Builds the two answers of the op and returns them: any, all.
mlir::FailureOr<mlir::SmallVector<mlir::Value>> lowerClassifyKeys(mlir::OpBuilder &builder,
                                                                  ClassifyKeysOp op);

/// Whether `op` exchanges the first two axes of a tile of f32 or of pairs of bf16 whose sides are
/// multiples of 16, or of 8.
bool isTransposedInRegisters(mlir::linalg::TransposeOp op, int64_t nativeLanes);
/// Builds it in squares of 16 or 8 vectors, where that is so.
void lowerTranspose(mlir::OpBuilder &builder, mlir::linalg::TransposeOp op, int64_t nativeLanes);

/// Whether `op` rounds a tile `[rows, columns]` of f32, number by number, to bf16: of so many rows,
/// or of a task's.
bool isRoundedTile(mlir::linalg::GenericOp op);
/// Builds it in vectors of up to 32 numbers, where that is so.
void lowerRoundedTile(mlir::OpBuilder &builder, mlir::linalg::GenericOp op);

/// The matrix [leading axes, trailing axes] that a contiguous memref is; the last `trailing` axes
/// become its columns. Fails at `op` where the layout doesn't allow it.
mlir::FailureOr<mlir::Value> asMatrix(mlir::OpBuilder &builder, mlir::Operation *op,
                                      mlir::Value memref, int64_t trailing);

/// 2^x for x <= 0 in 16 lanes: within 1 ulp down to x = -126, exactly 0 below -150 and for -inf,
/// and between them right or 0.
mlir::Value exp2OfNonPositive(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                              const KernelShape &shape);
/// The same for what is rounded to bf16: within 2^-13.7 of it, a 25th of what rounding may lose.
mlir::Value exp2ToBeRounded(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x,
                            const KernelShape &shape);

/// Evaluates a region of scalar ops for 16 lanes, as its arguments become known: what the rows
/// determine is computed before the loop over keys, what one key determines once for all lanes.
/// Memory that lanes read at places of their own is gathered. A copy goes on from where the
/// original is.
class RegionInLanes {
public:
  explicit RegionInLanes(mlir::Region &region) : region(region) {}

  /// From here on lanes outside `lanes` (16 x i1) read no memory; what they compute is of no use.
  void readOnlyIn(mlir::Value lanes) { visible = lanes; }
  /// Arguments `first` … of the region are `values`: scalars (the same in all lanes) or vectors of
  /// 16. Evaluates all that is determined now.
  mlir::LogicalResult set(mlir::OpBuilder &builder, unsigned first, mlir::ValueRange values);
  /// What the region yields, a vector of 16, once all arguments are set.
  mlir::Value result(mlir::OpBuilder &builder) const;

private:
  mlir::LogicalResult evaluate(mlir::OpBuilder &builder, mlir::Operation &op);

  mlir::Region &region;
  mlir::IRMapping mapping;
  mlir::Value visible;
};

} // namespace heed::attn

#endif // HEED_CONVERSION_ATTNTOVECTOR_LOWERINGS_H
