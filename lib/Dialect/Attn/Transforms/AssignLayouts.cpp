//===- AssignLayouts.cpp - decides how each weight lies in memory -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Runtime/Artifact.h"
#include "heed/Weights/PanelLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

#define DEBUG_TYPE "attn-assign-layouts"

namespace heed::attn {
#define GEN_PASS_DEF_ASSIGNLAYOUTSPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

namespace {

/// What one use asks for: a layout of the weight seen as a matrix.
struct Demand {
  int64_t layout, rows, cols;
  int64_t matrices;   ///< one for each head, each of whole panels
  Attribute permuted; ///< the order of axes to pack in, or null

  bool operator==(const Demand &) const = default;
};

int64_t product(ArrayRef<int64_t> sizes) { return llvm::product_of(sizes); }

Demand demandOf(GetWeightOp get, Operation *user) {
  ArrayRef<int64_t> shape = get.getType().getShape();
  auto matrix = [&](size_t features, int64_t heads) {
    int64_t rows = product(shape.take_front(features));
    // Heads of whole panels lie as one matrix does.
    int64_t matrices = rows / heads % heed::PanelLayout::lanes == 0 ? 1 : heads;
    return Demand{HEED_LAYOUT_PANELS, rows, product(shape.drop_front(features)), matrices,
                  get.getPermutedAttr()};
  };
  if (auto project = dyn_cast<ProjectOp>(user))
    return matrix(shape.size() - project.getContracted(), project.getPerHead() ? shape.front() : 1);
  if (auto embed = dyn_cast<EmbedOp>(user)) {
    Demand demand = matrix(1, 1);
    if (embed.getInRows())
      demand.layout = HEED_LAYOUT_ROWS;
    return demand;
  }
  return {HEED_LAYOUT_DENSE_F32, product(shape), 1, 1, get.getPermutedAttr()};
}

/// Whether a file may hold both weights in one tensor, as an embedding and the unembedding that it
/// stands in for. Which tensor is taken only the runtime knows.
bool mayBeOne(WeightOp weight, WeightOp other) {
  if (weight.getType() != other.getType())
    return false;
  for (StringAttr name : {weight.getTensorAttr(), weight.getFallbackAttr()})
    if (name && (name == other.getTensorAttr() || name == other.getFallbackAttr()))
      return true;
  return false;
}

/// Whether nothing but embeddings reads `weight`, whose rows a file holds as they are wanted. A
/// tensor that a projection reads too has its rows in that one's panels: it isn't held twice.
bool isTable(ModuleOp module, const SymbolTable &symbols, WeightOp weight) {
  bool isTable = true;
  module.walk([&](GetWeightOp get) {
    if (mayBeOne(weight, symbols.lookup<WeightOp>(get.getWeight())))
      isTable &= !get.getPermuted() && llvm::all_of(get->getUsers(), llvm::IsaPred<EmbedOp>);
  });
  return isTable;
}

/// The rows of `embed` as reads of a dense table, in which a row's numbers follow one another.
void readDense(EmbedOp embed) {
  OpBuilder builder(embed);
  Location loc = embed.getLoc();
  auto made = cast<RankedTensorType>(embed.getResult().getType());
  auto dense = RankedTensorType::get(embed.getTable().getType().getShape(), builder.getF32Type());
  Value table = DequantizeOp::create(builder, loc, dense, embed.getTable());
  int64_t rank = made.getRank();
  AffineMap all = builder.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps{all.getMajorSubMap(1), all};
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  auto rows = linalg::GenericOp::create(
      builder, loc, TypeRange{made}, ValueRange{embed.getIds()}, ValueRange{embed.getInto()}, maps,
      loops, [&](OpBuilder &body, Location, ValueRange elements) {
        Value id = elements[0];
        if (!id.getType().isIndex())
          id = arith::IndexCastOp::create(body, loc, body.getIndexType(), id);
        // The nearest row.
        Value first = arith::ConstantIndexOp::create(body, loc, 0);
        Value last = arith::ConstantIndexOp::create(body, loc, dense.getDimSize(0) - 1);
        id = arith::MinSIOp::create(body, loc, arith::MaxSIOp::create(body, loc, id, first), last);
        SmallVector<Value> place{id};
        for (int64_t axis = 1; axis < rank; ++axis)
          place.push_back(linalg::IndexOp::create(body, loc, axis));
        linalg::YieldOp::create(body, loc,
                                ValueRange{tensor::ExtractOp::create(body, loc, table, place)});
      });
  embed.getResult().replaceAllUsesWith(rows.getResult(0));
  embed.erase();
}

struct AssignLayoutsPass : heed::attn::impl::AssignLayoutsPassBase<AssignLayoutsPass> {
  using AssignLayoutsPassBase::AssignLayoutsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    SmallVector<EmbedOp> embeds;
    module.walk([&](EmbedOp embed) {
      auto get = embed.getTable().getDefiningOp<GetWeightOp>();
      if (embed.getInto() && get &&
          isTable(module, symbols, symbols.lookup<WeightOp>(get.getWeight())))
        embeds.push_back(embed);
    });
    for (EmbedOp embed : embeds) {
      WeightType table = embed.getTable().getType();
      if (table.getStorage() == Storage::F32)
        readDense(embed);
      else if (EmbedOp::canBeInRows(table))
        embed.setInRows(true);
    }
    // One declaration for each way in which a weight is read, in order of first use.
    llvm::MapVector<WeightOp, SmallVector<std::pair<Demand, WeightOp>>> copies;
    SmallVector<OpOperand *> reads;
    module.walk([&](Operation *op) {
      for (OpOperand &operand : op->getOpOperands())
        if (operand.get().getDefiningOp<GetWeightOp>())
          reads.push_back(&operand);
    });
    for (OpOperand *read : reads) {
      Operation *user = read->getOwner();
      if (!isa<ProjectOp, EmbedOp, DequantizeOp>(user)) {
        user->emitOpError("reads a weight, expected attn.project, attn.embed or attn.dequantize to "
                          "read it");
        return signalPassFailure();
      }
      auto get = read->get().getDefiningOp<GetWeightOp>();
      auto weight = symbols.lookup<WeightOp>(get.getWeight());
      WeightOp copy = copyFor(symbols, copies[weight], weight, demandOf(get, user));
      if (copy == weight)
        continue;
      OpBuilder builder(get);
      auto own = cast<GetWeightOp>(builder.clone(*get));
      own.setWeight(copy.getSymName());
      read->set(own.getResult());
    }
    module.walk([](GetWeightOp get) {
      if (get.use_empty())
        get.erase();
    });
    for (WeightOp weight : llvm::make_early_inc_range(module.getOps<WeightOp>()))
      if (!weight->hasAttr("heed.layout"))
        weight.erase(); // nothing reads it
  }

  WeightOp copyFor(SymbolTable &symbols, SmallVector<std::pair<Demand, WeightOp>> &known,
                   WeightOp weight, const Demand &demand) {
    for (auto &[other, copy] : known)
      if (other == demand)
        return copy;
    WeightOp copy = weight;
    OpBuilder builder(weight);
    if (!known.empty()) {
      copy = cast<WeightOp>(weight->clone());
      builder.setInsertionPointAfter(weight);
      symbols.insert(copy, builder.getInsertionPoint()); // renames the copy
      copy->removeAttr("heed.permuted");
      copy->removeAttr("heed.matrices");
      ++numCopies;
    }
    copy->setAttr("heed.layout", builder.getI64IntegerAttr(demand.layout));
    copy->setAttr("heed.rows", builder.getI64IntegerAttr(demand.rows));
    copy->setAttr("heed.cols", builder.getI64IntegerAttr(demand.cols));
    if (demand.matrices > 1)
      copy->setAttr("heed.matrices", builder.getI64IntegerAttr(demand.matrices));
    if (demand.permuted)
      copy->setAttr("heed.permuted", demand.permuted);
    known.emplace_back(demand, copy);
    return copy;
  }
};

} // namespace
