//===- FuseEpilogues.cpp - what follows a projection, done where it stores -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A projection's sums leave the registers once. Whatever is computed from each of
// them alone (a bias, an activation, a residual, a rounding) is cheapest just
// before: no other pass over memory reads and writes them. What is computed from the
// sums of two projections of the same rows, as a gate and what it opens, is done so
// where one projection multiplies by both weights.
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Dialect/Attn/Transforms/TensorShapes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

#define DEBUG_TYPE "attn-fuse-epilogues"

namespace heed::attn {
#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "heed/Dialect/Attn/Transforms/Passes.h.inc"
} // namespace heed::attn

using namespace mlir;
using namespace heed::attn;

/// Features of a vector: heads of a multiple of it don't share one.
static constexpr int64_t kLanes = 16;

/// Whether an op can be computed for all lanes of a vector at once.
static bool hasLanes(Operation &op) {
  if (op.hasTrait<OpTrait::ConstantLike>())
    return true;
  return isPure(&op) && op.getNumRegions() == 0 && op.getNumResults() == 1 &&
         OpTrait::hasElementwiseMappableTraits(&op) &&
         !isa<math::SinOp, math::CosOp, math::PowFOp>(op);
}

/// Whether `generic` computes one tensor element by element from scalars alone.
static bool isElementwise(linalg::GenericOp generic) {
  if (generic.getNumDpsInits() != 1 || !generic.hasPureTensorSemantics() ||
      generic.getNumParallelLoops() != generic.getNumLoops() ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity() ||
      !generic.getMatchingBlockArgument(generic.getDpsInitOperand(0)).use_empty())
    return false;
  Type element = cast<ShapedType>(generic.getResult(0).getType()).getElementType();
  if (!element.isF32() && !element.isBF16())
    return false;
  return llvm::all_of(generic.getBody()->without_terminator(), hasLanes);
}

/// Whoever wants to know how long the result is asks its rows, and is no reader of it.
static void measureRowsInstead(ProjectOp project) {
  for (Operation *user : llvm::make_early_inc_range(project.getResult().getUsers())) {
    auto dim = dyn_cast<tensor::DimOp>(user);
    std::optional<int64_t> axis = dim ? dim.getConstantIndex() : std::nullopt;
    if (!axis || !project.getResult().getType().isDynamicDim(*axis))
      continue;
    OpBuilder builder(dim);
    OpFoldResult size =
        extentOf(builder, dim.getLoc(), project.getX(), project.getHeadsFirst() ? 0 : *axis);
    dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(builder, dim.getLoc(), size));
    dim.erase();
  }
}

/// Whether an op that reads `project` may do so where its sums are stored.
static bool hasOneReader(ProjectOp project) {
  if (!project.getResult())
    return false;
  measureRowsInstead(project);
  return project.getResult().hasOneUse() && !project.getAccumulate() && project.getInto() &&
         // In a loop around the reader alone, the projection would be computed at each round.
         (*project.getResult().user_begin())->getBlock() == project->getBlock();
}

static bool makesFloats(ProjectOp project) {
  return project.getResult().getType().getElementType().isF32();
}

/// Whether both multiply the same rows in the same way, by other weights.
static bool multiplyAlike(ProjectOp a, ProjectOp b) {
  return a.getX() == b.getX() && a.getScales() == b.getScales() && a.getSums() == b.getSums() &&
         a.getCentres() == b.getCentres() && a.getCrosses() == b.getCrosses() &&
         a.getRole() == b.getRole() && a.getWeight().getType() == b.getWeight().getType() &&
         a.getContracted() == b.getContracted() && a.getPerHead() == b.getPerHead() &&
         a.getHeadsFirst() == b.getHeadsFirst();
}

namespace {

/// Projections, and the op that alone reads them.
class Fusion {
public:
  /// `alone`: only what reads nothing of the result's size beside it. A projection takes that in
  /// first, so that what reads two of them finds both.
  Fusion(ProjectOp project, int64_t mostWeights, bool alone)
      : projects{project}, mostWeights(mostWeights), alone(alone) {}

  /// Joins the reader to the projections, which then are one that has the reader's result: the new
  /// projection, or null where it can't be.
  ProjectOp run() {
    if (!hasOneReader(projects[0]))
      return {};
    Operation *reader = getReader();
    if (auto generic = dyn_cast<linalg::GenericOp>(reader))
      return joinElementwise(generic);
    if (auto transpose = dyn_cast<linalg::TransposeOp>(reader))
      return putHeadsFirst(transpose);
    return {};
  }

  Operation *getReader() { return *projects[0].getResult().user_begin(); }
  /// What `run` made one of, the first being the one that was given.
  ArrayRef<ProjectOp> getProjects() const { return projects; }

private:
  ProjectOp joinElementwise(linalg::GenericOp generic) {
    ProjectOp project = projects[0];
    if (!isElementwise(generic) || !makesFloats(project) ||
        project.getResult().getType().getShape() !=
            cast<ShapedType>(generic.getResult(0).getType()).getShape())
      return {};
    SmallVector<Value> joined;
    SmallVector<Attribute> maps;
    for (OpOperand *input : generic.getDpsInputOperands()) {
      AffineMap map = generic.getMatchingIndexingMap(input);
      bool isWhole = map.isIdentity();
      if (input->get() == project.getResult()) {
        if (!isWhole)
          return {};
        continue;
      }
      if (isWhole && alone)
        return {};
      if (auto other = input->get().getDefiningOp<ProjectOp>()) {
        if (!isWhole || !addBeside(other))
          return {};
        continue;
      }
      auto operand = dyn_cast<RankedTensorType>(input->get().getType());
      if (!operand || !operand.getElementType().isF32())
        return {};
      bool isRow = project.getRowAxes() > 0 && map == project.getRowMap();
      if (!isRow && !isWhole && map != project.getFeatureMap())
        return {};
      joined.push_back(input->get());
      maps.push_back(AffineMapAttr::get(map));
    }
    ProjectOp made =
        remake(generic, generic.getResult(0).getType(), joined, maps, project.getHeadsFirst());
    appendBody(made, generic);
    return made;
  }

  /// Adds a projection that the reader reads too, where one can do the work of both. (Two that
  /// can't become one run together, unless one waits for the other.)
  bool addBeside(ProjectOp other) {
    int64_t weights = 0;
    for (ProjectOp project : projects)
      weights += project.getWeights().size();
    if (!hasOneReader(other) || !makesFloats(other) || !multiplyAlike(projects[0], other) ||
        weights + static_cast<int64_t>(other.getWeights().size()) > mostWeights)
      return false;
    projects.push_back(other);
    return true;
  }

  ProjectOp putHeadsFirst(linalg::TransposeOp transpose) {
    ProjectOp project = projects[0];
    RankedTensorType type = project.getResult().getType();
    if (transpose.getPermutation() != ArrayRef<int64_t>{1, 0, 2} || project.getRowAxes() != 1 ||
        project.getFeatureAxes() != 2 || project.getPerHead() || project.getHeadsFirst() ||
        type.getShape().back() % kLanes != 0 || !transpose.hasPureTensorSemantics())
      return {};
    SmallVector<AffineMap> before;
    for (unsigned number = 0; number < project.getJoined().size(); ++number) {
      before.push_back(project.getMap(number));
      if (before.back() == project.getWholeMap())
        return {};
    }
    AffineMap rows = project.getRowMap();
    ProjectOp made =
        remake(transpose, transpose->getResult(0).getType(), {}, {}, /*headsFirst=*/true);
    SmallVector<Attribute> maps = llvm::map_to_vector(before, [&](AffineMap map) -> Attribute {
      return AffineMapAttr::get(map == rows ? made.getRowMap() : made.getFeatureMap());
    });
    if (!maps.empty())
      made.setMapsAttr(ArrayAttr::get(made.getContext(), maps));
    if (!project.getEpilogue().empty())
      made.getEpilogue().takeBody(project.getEpilogue());
    return made;
  }

  /// One projection where `reader` stands, since what is joined may be computed after they were,
  /// with all weights, with `joined` behind what they join, with a destination of its own and
  /// without an epilogue yet.
  ProjectOp remake(Operation *reader, Type type, ArrayRef<Value> joined, ArrayRef<Attribute> maps,
                   bool headsFirst) {
    ProjectOp project = projects[0];
    SmallVector<Value> weights, allJoined;
    SmallVector<Attribute> allMaps;
    for (ProjectOp each : projects) {
      llvm::append_range(weights, each.getWeights());
      llvm::append_range(allJoined, each.getJoined());
      if (each.getMaps())
        llvm::append_range(allMaps, *each.getMaps());
    }
    llvm::append_range(allJoined, joined);
    llvm::append_range(allMaps, maps);

    OpBuilder builder(reader);
    Location loc = reader->getLoc();
    auto made = cast<RankedTensorType>(type);
    SmallVector<OpFoldResult> sizes;
    for (int64_t axis = 0; axis < made.getRank(); ++axis) {
      int64_t ofX = headsFirst ? 0 : axis; // features have constant sizes
      sizes.push_back(made.isDynamicDim(axis)
                          ? extentOf(builder, loc, project.getX(), ofX)
                          : OpFoldResult(builder.getIndexAttr(made.getDimSize(axis))));
    }
    Value into = tensor::EmptyOp::create(builder, loc, sizes, made.getElementType());
    return ProjectOp::create(builder, loc, into.getType(), project.getRole(), project.getX(),
                             weights.front(), ValueRange(weights).drop_front(), project.getScales(),
                             project.getSums(), project.getCentres(), project.getCrosses(),
                             allJoined, into, project.getContracted(), /*accumulate=*/false,
                             project.getPerHead(), headsFirst,
                             allMaps.empty() ? ArrayAttr() : builder.getArrayAttr(allMaps),
                             /*tile=*/nullptr);
  }

  /// What `made` does to its sums: what each projection did to its own, then what `generic` does.
  void appendBody(ProjectOp made, linalg::GenericOp generic) {
    OpBuilder builder(made.getContext());
    Block *block = builder.createBlock(&made.getEpilogue());
    size_t firstJoined = made.getWeights().size();
    SmallVector<Type> types(firstJoined + made.getJoined().size(), builder.getF32Type());
    block->addArguments(types, SmallVector<Location>(types.size(), made.getLoc()));
    ArrayRef<BlockArgument> sums = block->getArguments().take_front(firstJoined),
                            joined = block->getArguments().drop_front(firstJoined);
    IRMapping mapping;
    DenseMap<Value, Value> madeBefore; // of what a projection's element was
    for (ProjectOp project : projects) {
      size_t numSums = project.getWeights().size(), numJoined = project.getJoined().size();
      Value element = sums.front();
      if (!project.getEpilogue().empty()) {
        Block &before = project.getEpilogue().front();
        mapping.map(before.getArguments().take_front(numSums), sums.take_front(numSums));
        mapping.map(before.getArguments().drop_front(numSums), joined.take_front(numJoined));
        for (Operation &op : before.without_terminator())
          builder.clone(op, mapping);
        element = mapping.lookupOrDefault(before.getTerminator()->getOperand(0));
      }
      madeBefore[project.getResult()] = element;
      sums = sums.drop_front(numSums);
      joined = joined.drop_front(numJoined);
    }
    for (OpOperand *input : generic.getDpsInputOperands()) {
      Value element = madeBefore.lookup(input->get());
      if (!element) {
        element = joined.front();
        joined = joined.drop_front();
      }
      mapping.map(generic.getMatchingBlockArgument(input), element);
    }
    for (Operation &op : generic.getBody()->without_terminator())
      builder.clone(op, mapping);
    Value yielded = mapping.lookupOrDefault(generic.getBody()->getTerminator()->getOperand(0));
    YieldOp::create(builder, generic.getLoc(), yielded);
  }

  SmallVector<ProjectOp, 2> projects;
  int64_t mostWeights;
  bool alone;
};

struct FuseEpiloguesPass : heed::attn::impl::FuseEpiloguesPassBase<FuseEpiloguesPass> {
  using FuseEpiloguesPassBase::FuseEpiloguesPassBase;

  void runOnOperation() override {
    getOperation().walk([&](ProjectOp op) {
      if (isa<RankedTensorType>(op.getX().getType()))
        projects.push_back(op);
    });
    for (bool alone : {true, false})
      for (size_t number = 0; number < projects.size(); ++number)
        while (projects[number] && fuse(number, alone))
          ++numFused;
    projects.clear();
  }

private:
  /// Fuses the reader of a projection, which the new one then stands for.
  bool fuse(size_t number, bool alone) {
    Fusion fusion(projects[number], mostWeights, alone);
    ProjectOp made = fusion.run();
    if (!made)
      return false;
    Operation *reader = fusion.getReader();
    reader->getResult(0).replaceAllUsesWith(made.getResult());
    reader->erase();
    for (ProjectOp project : fusion.getProjects()) {
      *llvm::find(projects, project) = nullptr;
      auto into = project.getInto().getDefiningOp<tensor::EmptyOp>();
      project.erase();
      if (into && into->use_empty())
        into.erase();
    }
    numBeside += fusion.getProjects().size() - 1;
    projects[number] = made;
    return true;
  }

  SmallVector<ProjectOp> projects; ///< null where another took one in
};

} // namespace
