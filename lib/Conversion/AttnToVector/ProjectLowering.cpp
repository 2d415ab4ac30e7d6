//===- ProjectLowering.cpp - rows times a packed weight matrix -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sixteen features (a panel) are the lanes of a vector, x is broadcast, so a
// product is a sequence of FMAs with no shuffles. Rows of bf16 come in pairs of
// columns, whose two products one instruction adds. Two ways serve one op and the
// row count chooses between them when the model runs:
//
//   few rows (decoding)   each weight is read once, unpacked in registers and used
//                         for all rows at once; the time is that of reading.
//   many rows (prompts)   tiles of rows and panels, as the op's `tile` says. Weights that
//                         aren't as the kernel wants them are unpacked first. Where rows
//                         are long, a block of columns after the other.
//
// Each sum is added up column by column in either way, so that a row's result
// doesn't depend on how many come with it. Of weights beside each other, the same
// panels are multiplied as if they were those of one.
// Tasks are cut whatever the thread count, so that results don't depend on it.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "PanelTasks.h"

#include "heed/CostModel/ProjectCost.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace heed::attn;

namespace {

/// Up to so many rows are few: more would wait for arithmetic, not for weights.
constexpr int64_t kFewRows = 4;
/// Tiles of a part, at least, that unpacks its weights.
constexpr int64_t kUnpackTiles = 10;
/// Parts of a few tiles of rows are blocks of panels alone: so many, if there are enough panels.
constexpr int64_t kFewParts = 16;

/// Takes the weights of one unit of columns, for as many panels from `firstPanel` on.
using Use = function_ref<void(int64_t unit, int64_t firstPanel, ArrayRef<Value> weights)>;
/// Reads the weights of one round of a tile's loop, `units` of them.
using ReadWeights = function_ref<void(OpBuilder &, Value round, int64_t units, Use)>;

class ProjectKernel : PanelTasks {
public:
  ProjectKernel(OpBuilder &builder, ProjectOp op, Value x, ProjectResult result,
                const KernelShape &shape)
      : PanelTasks(builder, op, x, std::move(result), shape.taskPanels), x(x), shape(shape),
        element(cast<MemRefType>(x.getType()).getElementType()),
        isPaired(element.isBF16() && reader.isBF16() && cols % 2 == 0), unit(isPaired ? 2 : 1),
        isUnpacked(!isPaired && !reader.isF32()), streams(reader.isQuantised() ? 1 : shape.streams),
        tileRows(op.getTileAttr().getRows()), tilePanels(op.getTileAttr().getPanels() / weights),
        partPanels(op.getTileAttr().getPart() / weights), panels(panelsOfHead()),
        fewPanels(std::min<int64_t>(
            partPanels, llvm::alignTo(llvm::divideCeil(panels, kFewParts), tilePanels))),
        lanes(VectorType::get({kLanes}, builder.getF32Type())) {}

  LogicalResult build(OpBuilder &builder) {
    int64_t few = reader.isQuantised() ? kFewRows - 1 : kFewRows;
    Value many = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sgt, rows,
                                       constant(builder, few));
    Cut cut = cutManyRows(builder);
    Value parts = arith::MulIOp::create(builder, loc, cut.panelBlocks, cut.rowBlocks);
    Division ofFew = divisionOfFewRows(streams);
    Value tasks =
        arith::SelectOp::create(builder, loc, many, parts, constant(builder, ofFew.blocks));
    buildLoop(builder, tasks, [&](OpBuilder &body, Value number) {
      auto branch = scf::IfOp::create(body, loc, many, /*withElseRegion=*/true);
      OpBuilder inMany = branch.getThenBodyBuilder(), inFew = branch.getElseBodyBuilder();
      buildPart(inMany, partOf(inMany, cut, number));
      buildBlock(inFew, ofFew, number,
                 [&](OpBuilder &at, const Panels &panels) { buildFewRows(at, panels); });
    });
    return status();
  }

private:
  /// How many rows are cut into parts.
  struct Cut {
    Value tiles; ///< of rows
    Value panelsOfPart, panelBlocks, rowBlocks;
    Value sections; ///< of blocks of rows
  };
  /// A block of rows and panels.
  struct Part {
    Value beginRow, endRow, beginPanel, endPanel;
    Value unpacked; ///< [panels, columns, lanes] of all weights, one after the other, or null
    Value sums;     ///< [rows, panels, lanes] of the blocks of columns before, the same, or null
  };

  Value multiply(OpBuilder &builder, Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs : arith::MulIOp::create(builder, loc, lhs, constant(builder, rhs));
  }
  Value divideUp(OpBuilder &builder, Value lhs, Value rhs) {
    return arith::CeilDivUIOp::create(builder, loc, lhs, rhs);
  }
  /// The places in x of the rows of a tile.
  SmallVector<Value> placesOf(OpBuilder &builder, Value firstRow, int64_t height) {
    SmallVector<Value> places;
    for (int64_t row = 0; row < height; ++row)
      places.push_back(placeOf(builder, add(builder, firstRow, row)));
    return places;
  }

  //===--------------------------------------------------------------------===//
  // A tile
  //===--------------------------------------------------------------------===//

  /// One unit of columns of a row, in all lanes.
  Value broadcastX(OpBuilder &builder, Value row, Value column) {
    SmallVector<Value> place{row, column};
    if (!isPaired) {
      Value scalar = memref::LoadOp::create(builder, loc, x, place);
      if (!element.isF32())
        scalar = arith::ExtFOp::create(builder, loc, builder.getF32Type(), scalar);
      return vector::BroadcastOp::create(builder, loc, lanes, scalar);
    }
    return vector::BitCastOp::create(builder, loc, VectorType::get({2 * kLanes}, element),
                                     broadcastWord(builder, x, row, column));
  }

  Value multiplyAdd(OpBuilder &builder, Value weights, Value factor, Value sum) {
    if (!isPaired)
      return vector::FMAOp::create(builder, loc, weights, factor, sum);
    return DotPairsOp::create(builder, loc, sum, weights, factor);
  }

  /// Rounds of a tile's loop, each of `units` units of columns.
  struct Rounds {
    Value begin, end;
    int64_t units;
  };

  /// Adds the products of the rows at `places` and the weights to `sums`, [rows][panels][chains]:
  /// those of `rounds`, then the `tail` units of columns that are left.
  SmallVector<Value> addProducts(OpBuilder &builder, ArrayRef<Value> places, Rounds rounds,
                                 int64_t tail, int64_t panels, int64_t chains, ValueRange sums,
                                 ReadWeights read) {
    auto addRound = [&](OpBuilder &body, Value round, int64_t count, ValueRange before) {
      SmallVector<Value> next(before);
      Value first = multiply(body, round, rounds.units * unit);
      read(body, round, count, [&](int64_t at, int64_t firstPanel, ArrayRef<Value> weights) {
        for (size_t row = 0; row < places.size(); ++row) {
          Value factor = broadcastX(body, places[row], add(body, first, at * unit));
          for (auto [panel, weight] : llvm::enumerate(weights)) {
            Value &sum = next[(row * panels + firstPanel + panel) * chains + at % chains];
            sum = multiplyAdd(body, weight, factor, sum);
          }
        }
      });
      return next;
    };
    auto loop = scf::ForOp::create(
        builder, loc, rounds.begin, rounds.end, constant(builder, 1), sums,
        [&](OpBuilder &body, Location, Value round, ValueRange carried) {
          scf::YieldOp::create(body, loc, addRound(body, round, rounds.units, carried));
        });
    if (tail == 0)
      return SmallVector<Value>(loop.getResults());
    return addRound(builder, rounds.end, tail, loop.getResults());
  }

  /// The addresses of step `step` of all panels of a tile, the weights' one after the other.
  SmallVector<Value> addressesOf(OpBuilder &builder, const Panels &panels, Value step) {
    SmallVector<Value> addresses;
    for (const PanelReader &each : readers)
      for (Value place : panels.all(builder))
        addresses.push_back(each.address(builder, place, step));
    return addresses;
  }

  /// Reads weights of the panels whose step is at `addresses`, where they lie packed.
  void readPacked(OpBuilder &builder, ArrayRef<Value> addresses, int64_t units, Use use) {
    if (reader.isQuantised()) {
      for (auto [panel, address] : llvm::enumerate(addresses))
        reader.forEachColumn(builder, address, units,
                             [&](int64_t column, Value weight) { use(column, panel, weight); });
      return;
    }
    for (int64_t at = 0; at < units; ++at)
      use(at, 0, llvm::map_to_vector(addresses, [&](Value address) {
            return isPaired ? reader.pair(builder, address, at)
                            : reader.column(builder, address, at);
          }));
  }

  //===--------------------------------------------------------------------===//
  // Few rows
  //===--------------------------------------------------------------------===//

  void buildFewRows(OpBuilder &builder, const Panels &panels) {
    announceFewRows(builder, panels);
    SmallVector<int64_t> heights{4, 2, 1};
    if (reader.isQuantised())
      heights = {1};
    forEachTile(builder, constant(builder, 0), rows, heights,
                [&](OpBuilder &inTile, Value firstRow, int64_t height) {
                  if (height == 1 || panels.apart == 1)
                    return buildFewRows(inTile, panels, firstRow, height);
                  // Registers hold the sums of several rows for one panel at a time.
                  for (int64_t index = 0; index < panels.count; ++index)
                    buildFewRows(inTile, panels.only(inTile, index), firstRow, height);
                });
  }

  void buildFewRows(OpBuilder &builder, const Panels &panels, Value firstRow, int64_t height) {
    int64_t count = weights * panels.count;
    SmallVector<Value> totals(height * count);
    // Panel by panel in each stream: memory that is read forward arrives fastest.
    for (ArrayRef<int64_t> numbers : readAtOnce(panels, height == 1 ? streams : 1)) {
      SmallVector<Value> sums = addFewRows(builder, panels, numbers, firstRow, height);
      for (auto [at, sum] : llvm::enumerate(sums)) {
        int64_t row = at / numbers.size(), number = numbers[at % numbers.size()];
        totals[row * count + number] = sum;
      }
    }
    storeTile(builder, totals, firstRow, panels);
  }

  /// The sums of `height` rows and of the panels `numbers` of a task, [rows][numbers].
  SmallVector<Value> addFewRows(OpBuilder &builder, const Panels &panels, ArrayRef<int64_t> numbers,
                                Value firstRow, int64_t height) {
    auto count = static_cast<int64_t>(numbers.size());
    int64_t chains = height == 1 ? std::max<int64_t>(1, shape.projectChains / count) : 1;
    SmallVector<Value> sums(height * count * chains, zeros(builder)), totals;
    // One row has one instruction for each cache line of f32: a core's window is wide enough.
    bool asksAhead = !reader.isF32() || height > 1;
    auto read = [&](OpBuilder &body, Value step, int64_t units, Use use) {
      SmallVector<Value> addresses;
      for (int64_t number : numbers) {
        auto [weight, panel] = sourceOf(panels, number);
        Value place = panels.at(body, panel);
        if (asksAhead)
          weight->readAhead(body, place, step, shape.aheadBytes / count);
        addresses.push_back(weight->address(body, place, step));
      }
      readPacked(body, addresses, units, use);
    };
    Rounds rounds{constant(builder, 0), constant(builder, reader.steps()),
                  reader.columnsPerStep() / unit};
    sums = addProducts(builder, placesOf(builder, firstRow, height), rounds, reader.tailColumns(),
                       count, chains, sums, read);
    for (size_t first = 0; first < sums.size(); first += chains) {
      totals.push_back(sums[first]);
      for (int64_t chain = 1; chain < chains; ++chain)
        totals.back() = arith::AddFOp::create(builder, loc, totals.back(), sums[first + chain]);
    }
    return totals;
  }

  //===--------------------------------------------------------------------===//
  // Many rows
  //===--------------------------------------------------------------------===//

  /// A product of many rows is cut into parts, blocks of rows and panels: a task each.
  Cut cutManyRows(OpBuilder &builder) {
    Cut cut;
    cut.tiles = divideUp(builder, rows, constant(builder, tileRows));
    Value few = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, cut.tiles,
                                      constant(builder, heed::cost::kFewTiles));
    cut.panelsOfPart = arith::SelectOp::create(builder, loc, few, constant(builder, fewPanels),
                                               constant(builder, partPanels));
    cut.panelBlocks = divideUp(builder, constant(builder, panels), cut.panelsOfPart);
    // As many blocks of rows as make enough parts, but blocks neither too low nor too high.
    Value wanted = divideUp(builder, constant(builder, llvm::divideCeil(heed::cost::kParts, heads)),
                            cut.panelBlocks);
    Value most =
        isUnpacked ? divideUp(builder, cut.tiles, constant(builder, kUnpackTiles)) : cut.tiles;
    Value least = divideUp(builder, cut.tiles, constant(builder, heed::cost::partTiles(tileRows)));
    Value blocks = arith::MaxUIOp::create(
        builder, loc, arith::MinUIOp::create(builder, loc, wanted, most), least);
    cut.rowBlocks = arith::SelectOp::create(builder, loc, few, constant(builder, 1), blocks);
    int64_t ofSection =
        heed::cost::sectionBlocks(tileRows, cols * element.getIntOrFloatBitWidth() / 8);
    Value sections = arith::DivUIOp::create(
        builder, loc, add(builder, cut.rowBlocks, ofSection / 2), constant(builder, ofSection));
    cut.sections = arith::MaxUIOp::create(builder, loc, sections, constant(builder, 1));
    return cut;
  }

  /// Part `number` of them. Blocks of rows come in sections, which stay in the last cache while all
  /// weights are read; in a section those of a block of panels follow each other.
  Part partOf(OpBuilder &builder, const Cut &cut, Value number) {
    // As many blocks as these parts would make, and the section that the next of them is in.
    Value passed = arith::DivUIOp::create(builder, loc, number, cut.panelBlocks);
    Value ending = arith::MulIOp::create(builder, loc, add(builder, passed, 1), cut.sections);
    Value section = arith::DivUIOp::create(builder, loc, add(builder, ending, -1), cut.rowBlocks);
    Value firstBlock = shareOf(builder, cut.rowBlocks, section, cut.sections);
    Value nextBlock = shareOf(builder, cut.rowBlocks, add(builder, section, 1), cut.sections);
    Value blocks = arith::SubIOp::create(builder, loc, nextBlock, firstBlock);
    Value inSection = arith::SubIOp::create(
        builder, loc, number, arith::MulIOp::create(builder, loc, firstBlock, cut.panelBlocks));
    Value panelBlock = arith::DivUIOp::create(builder, loc, inSection, blocks);
    Value rowBlock = arith::AddIOp::create(builder, loc, firstBlock,
                                           arith::RemUIOp::create(builder, loc, inSection, blocks));
    auto rowOf = [&](Value block) -> Value {
      Value tile = shareOf(builder, cut.tiles, block, cut.rowBlocks);
      return arith::MinUIOp::create(builder, loc, multiply(builder, tile, tileRows), rows);
    };
    Part part;
    part.beginRow = rowOf(rowBlock);
    part.endRow = rowOf(add(builder, rowBlock, 1));
    part.beginPanel = arith::MulIOp::create(builder, loc, panelBlock, cut.panelsOfPart);
    part.endPanel = arith::MinUIOp::create(
        builder, loc, arith::AddIOp::create(builder, loc, part.beginPanel, cut.panelsOfPart),
        constant(builder, panels));
    return part;
  }
  /// Where share `number` of `all` begins, of `shares` nearly equal ones.
  Value shareOf(OpBuilder &builder, Value all, Value number, Value shares) {
    return arith::DivUIOp::create(builder, loc, arith::MulIOp::create(builder, loc, number, all),
                                  shares);
  }

  /// Stores what becomes of [rows][weights][panels] sums of rows from `firstRow` and panels from
  /// `firstPanel` on.
  void storeSums(OpBuilder &builder, ValueRange sums, Value firstRow, Value firstPanel,
                 int64_t count) {
    auto storeAs = [&](OpBuilder &body, bool isPartial) {
      storeTile(body, sums, firstRow, Panels{this, firstPanel, count, isPartial});
    };
    // Of panels that don't fill a tile, the last ones come one by one.
    bool maybeLast = count == 1 || panels % tilePanels == 0;
    if (features % kLanes == 0 || !maybeLast)
      return storeAs(builder, false);
    Value isLast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, firstPanel,
                                         constant(builder, panels - count));
    auto branch = scf::IfOp::create(builder, loc, isLast, /*withElseRegion=*/true);
    OpBuilder inLast = branch.getThenBodyBuilder(), inOthers = branch.getElseBodyBuilder();
    storeAs(inLast, true);
    storeAs(inOthers, false);
  }

  /// Builds a tile of rows from `firstRow` on.
  using BuildTile =
      function_ref<void(OpBuilder &, Value firstRow, int64_t height, const Panels &panels)>;

  void forEachTileOf(OpBuilder &builder, const Part &part, BuildTile build) {
    Value width = constant(builder, tilePanels), one = constant(builder, 1);
    Value count = arith::SubIOp::create(builder, loc, part.endPanel, part.beginPanel);
    Value wholeEnd = arith::SubIOp::create(builder, loc, part.endPanel,
                                           arith::RemUIOp::create(builder, loc, count, width));
    forEachTile(builder, part.beginRow, part.endRow, {tileRows, 4, 2, 1},
                [&](OpBuilder &inTile, Value firstRow, int64_t height) {
                  auto buildPanels = [&](Value begin, Value end, Value step, int64_t count) {
                    auto loop = scf::ForOp::create(inTile, loc, begin, end, step);
                    OpBuilder body = OpBuilder::atBlockTerminator(loop.getBody());
                    build(body, firstRow, height, {this, loop.getInductionVar(), count, false});
                  };
                  buildPanels(part.beginPanel, wholeEnd, width, tilePanels);
                  if (panels % tilePanels != 0)
                    buildPanels(wholeEnd, part.endPanel, one, 1);
                });
  }

  void buildPart(OpBuilder &builder, Part part) {
    if (isUnpacked)
      part.unpacked = unpack(builder, part);
    int64_t units = part.unpacked ? (cols % 4 == 0 ? 4 : 1) : reader.columnsPerStep() / unit;
    int64_t rounds = cols / (units * unit);
    int64_t roundsOfBlock = llvm::divideCeil(
        rounds, heed::cost::columnBlocks(cols * element.getIntOrFloatBitWidth() / 8));
    Value zero = constant(builder, 0), end = constant(builder, rounds);
    if (roundsOfBlock == rounds)
      return forEachTileOf(
          builder, part,
          [&](OpBuilder &body, Value firstRow, int64_t height, const Panels &panels) {
            SmallVector<Value> sums(height * weights * panels.count, zeros(body));
            sums = addTile(body, part, {zero, end, units}, firstRow, height, panels, sums);
            storeSums(body, sums, firstRow, panels.first, panels.count);
          });

    // Sums wait in memory while a block of columns is multiplied with the whole part.
    auto type =
        MemRefType::get({heed::cost::partTiles(tileRows) * tileRows, weights * partPanels, kLanes},
                        builder.getF32Type());
    part.sums = memref::AllocOp::create(builder, loc, type, builder.getI64IntegerAttr(64));
    forEachTileOf(builder, part,
                  [&](OpBuilder &body, Value firstRow, int64_t height, const Panels &panels) {
                    SmallVector<Value> sums(height * weights * panels.count, zeros(body));
                    keepSums(body, part, firstRow, height, panels, sums);
                  });
    Value step = constant(builder, roundsOfBlock);
    auto blocks = scf::ForOp::create(builder, loc, zero, end, step);
    OpBuilder inBlock = OpBuilder::atBlockTerminator(blocks.getBody());
    Value first = blocks.getInductionVar();
    Value last =
        arith::MinUIOp::create(inBlock, loc, arith::AddIOp::create(inBlock, loc, first, step), end);
    forEachTileOf(
        inBlock, part, [&](OpBuilder &body, Value firstRow, int64_t height, const Panels &panels) {
          SmallVector<Value> sums = keptSums(body, part, firstRow, height, panels);
          sums = addTile(body, part, {first, last, units}, firstRow, height, panels, sums);
          keepSums(body, part, firstRow, height, panels, sums);
        });
    forEachTileOf(builder, part,
                  [&](OpBuilder &body, Value firstRow, int64_t height, const Panels &panels) {
                    storeSums(body, keptSums(body, part, firstRow, height, panels), firstRow,
                              panels.first, panels.count);
                  });
  }

  /// The numbers that a tile's panels have among those of a part, the weights' one after the other.
  SmallVector<Value> placesInPart(OpBuilder &builder, const Part &part, const Panels &panels) {
    Value first = arith::SubIOp::create(builder, loc, panels.first, part.beginPanel);
    SmallVector<Value> places;
    for (int64_t weight = 0; weight < weights; ++weight)
      for (int64_t panel = 0; panel < panels.count; ++panel)
        places.push_back(add(builder, first, weight * partPanels + panel));
    return places;
  }

  /// Where the sums of each row and panel of a tile wait.
  SmallVector<SmallVector<Value>> placesOfSums(OpBuilder &builder, const Part &part, Value firstRow,
                                               int64_t height, const Panels &panels) {
    Value row = arith::SubIOp::create(builder, loc, firstRow, part.beginRow);
    SmallVector<Value> inPart = placesInPart(builder, part, panels);
    SmallVector<SmallVector<Value>> places;
    for (int64_t at = 0; at < height; ++at)
      for (Value panel : inPart)
        places.push_back({add(builder, row, at), panel, constant(builder, 0)});
    return places;
  }
  SmallVector<Value> keptSums(OpBuilder &builder, const Part &part, Value firstRow, int64_t height,
                              const Panels &panels) {
    SmallVector<Value> sums;
    for (ArrayRef<Value> place : placesOfSums(builder, part, firstRow, height, panels))
      sums.push_back(vector::LoadOp::create(builder, loc, lanes, part.sums, place));
    return sums;
  }
  void keepSums(OpBuilder &builder, const Part &part, Value firstRow, int64_t height,
                const Panels &panels, ValueRange sums) {
    auto places = placesOfSums(builder, part, firstRow, height, panels);
    for (auto [sum, place] : llvm::zip_equal(sums, places))
      vector::StoreOp::create(builder, loc, sum, part.sums, place);
  }

  /// A part's panels in f32, [panels of all weights, columns, lanes].
  Value unpack(OpBuilder &builder, const Part &part) {
    auto type = MemRefType::get({weights * partPanels, cols, kLanes}, builder.getF32Type());
    Value unpacked = memref::AllocOp::create(builder, loc, type, builder.getI64IntegerAttr(64));
    Value zero = constant(builder, 0), one = constant(builder, 1);
    auto panelLoop = scf::ForOp::create(builder, loc, part.beginPanel, part.endPanel, one);
    OpBuilder inPanel = OpBuilder::atBlockTerminator(panelLoop.getBody());
    Panels panel{this, panelLoop.getInductionVar(), 1, false};
    Value place = arith::SubIOp::create(inPanel, loc, panel.first, part.beginPanel);
    auto unpackStep = [&](OpBuilder &body, Value step, int64_t count) {
      Value first = multiply(body, step, reader.columnsPerStep());
      for (auto [number, each] : llvm::enumerate(readers)) {
        Value ofWeight = add(body, place, number * partPanels);
        each.forEachColumn(body, each.address(body, panel.at(body, 0), step), count,
                           [&](int64_t column, Value weight) {
                             vector::StoreOp::create(
                                 body, loc, weight, unpacked,
                                 ValueRange{ofWeight, add(body, first, column), zero});
                           });
      }
    };
    Value steps = constant(inPanel, reader.steps());
    auto stepLoop = scf::ForOp::create(inPanel, loc, zero, steps, one);
    OpBuilder inStep = OpBuilder::atBlockTerminator(stepLoop.getBody());
    unpackStep(inStep, stepLoop.getInductionVar(), reader.columnsPerStep());
    if (reader.tailColumns() != 0)
      unpackStep(inPanel, steps, reader.tailColumns());
    return unpacked;
  }

  /// Adds what `rounds` of columns bring to the sums of a tile, [rows][weights][panels].
  SmallVector<Value> addTile(OpBuilder &builder, const Part &part, Rounds rounds, Value firstRow,
                             int64_t height, const Panels &panels, ValueRange sums) {
    SmallVector<Value> inPart = placesInPart(builder, part, panels);
    auto read = [&](OpBuilder &body, Value round, int64_t, Use use) {
      if (!part.unpacked)
        return readPacked(body, addressesOf(body, panels, round), rounds.units, use);
      Value first = multiply(body, round, rounds.units), zero = constant(body, 0);
      for (int64_t at = 0; at < rounds.units; ++at) {
        SmallVector<Value> vectors;
        for (Value panel : inPart) {
          SmallVector<Value> place{panel, add(body, first, at), zero};
          vectors.push_back(vector::LoadOp::create(body, loc, lanes, part.unpacked, place));
        }
        use(at, 0, vectors);
      }
    };
    return addProducts(builder, placesOf(builder, firstRow, height), rounds, /*tail=*/0,
                       weights * panels.count, /*chains=*/1, sums, read);
  }

  Value x;
  KernelShape shape;
  Type element;
  /// Whether two bf16 columns make a unit of what is multiplied at once, else one column.
  bool isPaired;
  int64_t unit;
  /// Whether many rows want weights unpacked before.
  bool isUnpacked;
  int64_t streams; ///< of a lone row; quantised weights need the registers
  int64_t tileRows;
  int64_t tilePanels, partPanels; ///< of each weight in a tile, and in a part
  int64_t panels;                 ///< of a weight
  int64_t fewPanels;              ///< of a part where rows make a few tiles only
  VectorType lanes;
};

} // namespace

LogicalResult heed::attn::lowerProject(OpBuilder &builder, ProjectOp op, const KernelShape &shape) {
  int64_t contracted = op.getContracted();
  FailureOr<Value> x = asMatrix(builder, op, op.getX(), contracted);
  FailureOr<ProjectResult> result = ProjectResult::of(builder, op);
  if (failed(x) || failed(result))
    return failure();
  return ProjectKernel(builder, op, *x, std::move(*result), shape).build(builder);
}
