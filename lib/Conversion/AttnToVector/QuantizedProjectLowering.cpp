//===- QuantizedProjectLowering.cpp - rows of integers times packed quants -===//
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
// Rows that are centred leave room in a byte, and columns of tiles are multiplied in
// pairs, by the inner product of S. Winograd (A New Algorithm for Inner Product, 1968):
//
//   x w + y v = (x + v) (y + w) - x y - w v
//
// Half the products become additions, which other units do. What is taken off again
// is known of a weight, and is what the dot product starts from, and of a row, to be
// added when products are scaled.
//
//   few rows (decoding)   a group's quants are unpacked in registers.
//   many rows (prompts)   a block of panels is unpacked to bytes once, then
//                         multiplied with tiles of rows.
//
// Where nothing multiplies fours, pairs of bytes are multiplied and added up in words of 16
// bits, which have room for eight fours of weights of four bits, or four of five, before they
// come to 32 bits: vpmaddubsw and an addition, and vpmaddwd at the end. Weights of eight bits,
// whose products exceed that, become words when they are unpacked, and meet rows of words: vpmaddwd
// and an addition, of half as many columns.
//
// Both add the groups of a row in the same order, so that a row's result doesn't
// depend on how many come with it. A task is a block of panels, of one head where
// each has a matrix of its own, whatever the thread count. Of weights beside each
// other, the same panels are multiplied as if they were those of one.
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "PanelTasks.h"
#include "QuantGroups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <limits>

using namespace mlir;
using namespace heed::attn;

namespace {

/// From this many rows on, unpacking a block of panels first is cheaper.
constexpr int64_t kManyRows = 4;
/// Columns of a round of the loop over products, of several rows and of one.
constexpr int64_t kColumnsOfRound = 8, kLoneColumnsOfRound = 16;
/// How much of the next panels is asked for with each row of these: they come from memory while 512
/// rows are multiplied, and unpacking doesn't wait for them.
constexpr int64_t kNextBytesOfRow = 128;

class QuantizedProjectKernel : PanelTasks {
public:
  /// What belongs to the rows: quants, and for their blocks scales and sums, of centred ones also
  /// centres and crosses.
  struct Rows {
    Value quants, scales, sums, centres, crosses;
  };

  QuantizedProjectKernel(OpBuilder &builder, ProjectOp op, const Rows &x, ProjectResult result,
                         const KernelShape &shape)
      : PanelTasks(builder, op, x.quants, std::move(result),
                   op.getTileAttr().getPanels() / static_cast<int64_t>(op.getWeights().size())),
        tileRows(op.getTileAttr().getRows()), x(x), form(formOf(x)), groups(loc, reader, form),
        multipliesFours(shape.multipliesFours && form != RowForm::Words),
        aheadBytes(shape.aheadBytes), streams(shape.streams),
        floats(VectorType::get({kLanes}, builder.getF32Type())),
        ints(VectorType::get({kLanes}, builder.getI32Type())),
        words(VectorType::get({2 * kLanes}, builder.getI16Type())),
        bytes(VectorType::get({4 * kLanes}, builder.getI8Type())) {}

  /// Whether the instruction set multiplies the weight's bytes by the rows'.
  bool hasProducts() const {
    return multipliesFours || form == RowForm::Words ||
           (form == RowForm::Bytes && foursOfWord() > 0);
  }

  LogicalResult build(OpBuilder &builder) {
    Division ofMany = divisionInto(panelsOfTask), ofFew = divisionOfFewRows(streamsOfRow());
    if (ofMany.blocks == ofFew.blocks) {
      buildLoop(builder, builder.getIndexAttr(ofMany.blocks), [&](OpBuilder &body, Value number) {
        buildBlock(body, ofMany, number, [&](OpBuilder &at, const Panels &panels) {
          auto [many, few] = branch(at);
          buildManyRows(many, panels);
          buildFewRows(few, panels);
        });
      });
      return status();
    }
    Value tasks =
        arith::SelectOp::create(builder, loc, areMany(builder), constant(builder, ofMany.blocks),
                                constant(builder, ofFew.blocks));
    buildLoop(builder, tasks, [&](OpBuilder &body, Value number) {
      auto [many, few] = branch(body);
      buildBlock(many, ofMany, number,
                 [&](OpBuilder &at, const Panels &panels) { buildManyRows(at, panels); });
      buildBlock(few, ofFew, number,
                 [&](OpBuilder &at, const Panels &panels) { buildFewRows(at, panels); });
    });
    return status();
  }

private:
  Value areMany(OpBuilder &builder) {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, rows,
                                 constant(builder, kManyRows));
  }
  /// Where code for many rows stands, and where that for few.
  std::pair<OpBuilder, OpBuilder> branch(OpBuilder &builder) {
    auto made = scf::IfOp::create(builder, loc, areMany(builder), /*withElseRegion=*/true);
    return {made.getThenBodyBuilder(), made.getElseBodyBuilder()};
  }

  static RowForm formOf(const Rows &x) {
    Type quant = cast<MemRefType>(x.quants.getType()).getElementType();
    return x.centres             ? RowForm::CentredBytes
           : quant.isInteger(16) ? RowForm::Words
                                 : RowForm::Bytes;
  }

  /// Bundle `first` + `number` of a group of panel `panel`, as i32 lanes. `first` is a constant or
  /// where a round begins.
  using ReadBundle =
      function_ref<Value(OpBuilder &, int64_t panel, OpFoldResult first, int64_t number)>;
  /// All panels' groups but the bundles.
  using ReadGroups = function_ref<SmallVector<QuantGroup>(OpBuilder &)>;

  void buildFewRows(OpBuilder &builder, const Panels &panels) {
    announceFewRows(builder, panels);
    Value zero = constant(builder, 0), one = constant(builder, 1);
    auto rowLoop = scf::ForOp::create(builder, loc, zero, rows, one);
    OpBuilder inRow = OpBuilder::atBlockTerminator(rowLoop.getBody());
    Value row = rowLoop.getInductionVar();
    SmallVector<Value> totals(weights * panels.count);
    // Panel by panel in each stream: memory that is read forward arrives fastest.
    for (ArrayRef<int64_t> numbers : readAtOnce(panels, streamsOfRow())) {
      auto loop = scf::ForOp::create(
          inRow, loc, zero, constant(inRow, reader.steps()), one,
          SmallVector<Value>(numbers.size(), zeros(inRow)),
          [&](OpBuilder &body, Location, Value step, ValueRange carried) {
            SmallVector<Value> next;
            for (auto [number, total] : llvm::zip_equal(numbers, carried)) {
              auto [ofPanel, panel] = sourceOf(panels, number);
              Value place = panels.at(body, panel);
              ofPanel->readAhead(body, place, step, aheadBytes / numbers.size());
              next.push_back(addLoneGroup(body, *ofPanel, place, row, step, total));
            }
            scf::YieldOp::create(body, loc, next);
          });
      for (auto [number, total] : llvm::zip_equal(numbers, loop.getResults()))
        totals[number] = total;
    }
    storeTile(inRow, totals, row, panels);
  }

  /// `total` of a row and the panel at `place` with the products of a group.
  Value addLoneGroup(OpBuilder &builder, const PanelReader &ofPanel, Value place, Value row,
                     Value step, Value total) {
    Value address = ofPanel.address(builder, place, step);
    QuantGroup group = groups.read(builder, ofPanel, address);
    auto bundleOf = [&](OpBuilder &at, int64_t, OpFoldResult first, int64_t bundle) {
      std::optional<int64_t> known = getConstantIntValue(first);
      return known ? group.bundles[*known + bundle]
                   : groups.readBundle(at, ofPanel, address, cast<Value>(first), bundle);
    };
    auto groupsOf = [&](OpBuilder &) { return SmallVector<QuantGroup>{group}; };
    SmallVector<Value> totals{total};
    addGroup(builder, groupsOf, bundleOf, row, 1, step, totals);
    return totals.front();
  }

  void buildManyRows(OpBuilder &builder, const Panels &panels) {
    unpack(builder, panels);
    int64_t bytes = kNextBytesOfRow / weights;
    forEachTile(builder, constant(builder, 0), rows, {tileRows, 2, 1},
                [&](OpBuilder &inTile, Value firstRow, int64_t height) {
                  Value asked =
                      arith::MulIOp::create(inTile, loc, firstRow, constant(inTile, bytes));
                  for (const PanelReader &each : readers)
                    each.readNext(inTile, panels.at(inTile, panels.count), panels.count, asked,
                                  height * bytes);
                  buildTile(inTile, panels, firstRow, height);
                });
  }

  /// Keeps the groups of a block of panels in memory.
  void unpack(OpBuilder &builder, const Panels &panels) {
    groups.allocate(builder, weights * panels.count);
    auto loop = scf::ForOp::create(builder, loc, constant(builder, 0),
                                   constant(builder, reader.steps()), constant(builder, 1));
    OpBuilder body = OpBuilder::atBlockTerminator(loop.getBody());
    Value step = loop.getInductionVar();
    for (int64_t number = 0; number < weights * panels.count; ++number) {
      auto [ofPanel, panel] = sourceOf(panels, number);
      Value address = ofPanel->address(body, panels.at(body, panel), step);
      groups.keep(body, groups.read(body, *ofPanel, address), number, step);
    }
  }

  void buildTile(OpBuilder &builder, const Panels &panels, Value firstRow, int64_t height) {
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
          auto groupsOf = [&](OpBuilder &at) {
            SmallVector<QuantGroup> kept;
            for (int64_t panel = 0; panel < weights * panels.count; ++panel)
              kept.push_back(groups.load(at, panel, step));
            return kept;
          };
          auto bundleOf = [&](OpBuilder &at, int64_t panel, OpFoldResult first, int64_t number) {
            return groups.loadBundle(at, panel, step, bundleAt(at, first, number));
          };
          addGroup(body, groupsOf, bundleOf, firstRow, height, step, next);
          scf::YieldOp::create(body, loc, next);
        });
    storeTile(builder, loop.getResults(), firstRow, panels);
  }

  /// Adds a group's products to the totals of `height` rows from `firstRow` on:
  /// totals[row * panels + panel].
  void addGroup(OpBuilder &builder, ReadGroups groupsOf, ReadBundle bundleOf, Value firstRow,
                int64_t height, Value step, SmallVectorImpl<Value> &totals) {
    int64_t parts = reader.scalesPerStep(), panels = static_cast<int64_t>(totals.size()) / height;
    SmallVector<QuantGroup> weights;
    SmallVector<Value> places, ofRow;
    auto readScales = [&] {
      weights = groupsOf(builder);
      for (Value row : places)
        ofRow.push_back(broadcast(builder, x.scales, row, step));
    };
    for (int64_t row = 0; row < height; ++row)
      places.push_back(placeOf(builder, add(builder, firstRow, row)));
    if (multipliesFours)
      readScales();
    Value firstPart = arith::MulIOp::create(builder, loc, step, constant(builder, parts));
    for (int64_t part = 0; part < parts; ++part) {
      Value place = add(builder, firstPart, part);
      SmallVector<Value> dots =
          form == RowForm::Bytes && !multipliesFours
              ? dotsOfWords(builder, panels, bundleOf, places, step, part, place)
          : form == RowForm::CentredBytes && weights.front().cross
              ? dotsInPairs(builder, weights, bundleOf, places, step)
              : dotsOfPart(builder, panels, bundleOf, places, step, part, place);
      if (weights.empty()) // after a loop that needs the registers
        readScales();
      for (int64_t row = 0; row < height; ++row)
        for (auto [panel, group] : llvm::enumerate(weights)) {
          Value &total = totals[row * panels + panel];
          Value product = arith::SIToFPOp::create(builder, loc, floats, dots[row * panels + panel]);
          total =
              x.centres
                  ? addCentred(builder, total, product, group, ofRow[row], places[row], step)
                  : addScaled(builder, total, product, group, part, ofRow[row], places[row], place);
        }
    }
  }

  /// The products of a part's columns, [rows][panels].
  SmallVector<Value> dotsOfPart(OpBuilder &builder, int64_t panels, ReadBundle bundleOf,
                                ArrayRef<Value> places, Value step, int64_t part, Value place) {
    return sumsOf(builder, panels, bundleOf, places, step, part * bundlesOfPart(),
                  (part + 1) * bundlesOfPart(), startsOf(builder, panels, places, place));
  }
  int64_t bundlesOfPart() const {
    return reader.columnsPerStep() / groups.columnsOfBundle() / reader.scalesPerStep();
  }

  /// Adds the products of bundle `first` + `number` to `sums`, [rows][panels] of either kind.
  void addBundle(OpBuilder &builder, int64_t panels, ReadBundle bundleOf, ArrayRef<Value> places,
                 Value step, OpFoldResult first, int64_t number, MutableArrayRef<Value> sums) {
    SmallVector<Value> weights;
    for (int64_t panel = 0; panel < panels; ++panel)
      weights.push_back(asFactors(builder, bundleOf(builder, panel, first, number)));
    for (auto [row, place] : llvm::enumerate(places)) {
      Value quants = broadcastBundle(builder, place, step, bundleAt(builder, first, number));
      for (auto [panel, weight] : llvm::enumerate(weights)) {
        Value &sum = sums[row * panels + panel];
        sum = dotProduct(builder, sum, weight, quants);
      }
    }
  }

  OpFoldResult bundleAt(OpBuilder &builder, OpFoldResult first, int64_t number) {
    if (std::optional<int64_t> known = getConstantIntValue(first))
      return builder.getIndexAttr(*known + number);
    return add(builder, cast<Value>(first), number);
  }

  /// How many fours add up in 16 bits.
  int64_t foursOfWord() const {
    int64_t largest = 2 * QuantizeOp::kByteReach * ((1 << reader.bits()) - 1);
    return std::numeric_limits<int16_t>::max() / largest;
  }

  /// The same as `dotsOfPart`, added up in words.
  SmallVector<Value> dotsOfWords(OpBuilder &builder, int64_t panels, ReadBundle bundleOf,
                                 ArrayRef<Value> places, Value step, int64_t part, Value place) {
    SmallVector<Value> dots;
    Value none = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(words));
    Value ones = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(words, int16_t{1}));
    int64_t end = (part + 1) * bundlesOfPart(), room = foursOfWord();
    for (int64_t first = part * bundlesOfPart(); first < end; first += room) {
      SmallVector<Value> sums =
          sumsOf(builder, panels, bundleOf, places, step, first, std::min(first + room, end),
                 SmallVector<Value>(places.size() * panels, none));
      if (dots.empty())
        dots = startsOf(builder, panels, places, place);
      for (auto [dot, sum] : llvm::zip_equal(dots, sums))
        dot = DotWordsOp::create(builder, loc, dot, sum, ones);
    }
    return dots;
  }

  /// Whether products of so many rows are added up in a loop: in one block LLVM takes row by row,
  /// or one half of the lanes after the other, for which registers don't suffice where each product
  /// is an addition more. From panel to panel they would have to keep a lone row's numbers, too.
  bool addsUpInLoop(int64_t height) const {
    if (form == RowForm::Words)
      return true;
    return !multipliesFours && (height > 1 || (streams > 1 && groups.hasHalves()));
  }
  /// As many panels of a lone row as are read at once.
  int64_t streamsOfRow() const { return addsUpInLoop(1) ? streams : 1; }

  /// `sums`, [rows][panels], and the products of bundles `first` … `end`-1.
  SmallVector<Value> sumsOf(OpBuilder &builder, int64_t panels, ReadBundle bundleOf,
                            ArrayRef<Value> places, Value step, int64_t first, int64_t end,
                            SmallVector<Value> sums) {
    if (!addsUpInLoop(static_cast<int64_t>(places.size()))) {
      for (int64_t bundle = first; bundle < end; ++bundle)
        addBundle(builder, panels, bundleOf, places, step, builder.getIndexAttr(bundle), 0, sums);
      return sums;
    }
    bool isLone = places.size() == 1;
    int64_t columns = isLone ? kLoneColumnsOfRound : kColumnsOfRound;
    int64_t together = columns / groups.columnsOfBundle();
    assert((end - first) % together == 0 && "parts and words have room for so many, or a multiple");
    // A lone row's nibbles come from where both halves of the columns have them.
    int64_t halves = isLone && groups.hasHalves() ? 2 : 1, half = (end - first) / halves;
    auto loop =
        scf::ForOp::create(builder, loc, constant(builder, first), constant(builder, first + half),
                           constant(builder, together / halves), sums,
                           [&](OpBuilder &body, Location, Value bundle, ValueRange carried) {
                             SmallVector<Value> next(carried);
                             for (int64_t number = 0; number < together; ++number)
                               addBundle(body, panels, bundleOf, places, step, bundle,
                                         number / halves + number % halves * half, next);
                             scf::YieldOp::create(body, loc, next);
                           });
    keepAsLoop(loop);
    return SmallVector<Value>(loop.getResults());
  }

  /// The same of a whole group of centred rows: a four of the first half of the columns and one of
  /// the second together.
  SmallVector<Value> dotsInPairs(OpBuilder &builder, ArrayRef<QuantGroup> weights,
                                 ReadBundle bundleOf, ArrayRef<Value> places, Value step) {
    SmallVector<Value> dots;
    for (size_t row = 0; row < places.size(); ++row)
      for (const QuantGroup &group : weights)
        dots.push_back(group.cross);
    int64_t half = reader.columnsPerStep() / 8; // fours
    for (int64_t four = 0; four < half; ++four) {
      SmallVector<Value> low, high;
      for (size_t panel = 0; panel < weights.size(); ++panel) {
        low.push_back(asFactors(builder, bundleOf(builder, panel, builder.getIndexAttr(four), 0)));
        high.push_back(
            asFactors(builder, bundleOf(builder, panel, builder.getIndexAttr(half), four)));
      }
      for (auto [row, place] : llvm::enumerate(places)) {
        Value first = broadcastBundle(builder, place, step, builder.getIndexAttr(four));
        Value second = broadcastBundle(builder, place, step, builder.getIndexAttr(half + four));
        for (size_t panel = 0; panel < weights.size(); ++panel) {
          Value &dot = dots[row * weights.size() + panel];
          dot = dotProduct(builder, dot, arith::AddIOp::create(builder, loc, first, high[panel]),
                           arith::AddIOp::create(builder, loc, second, low[panel]));
        }
      }
    }
    return dots;
  }

  /// `total` with the product of a part's columns, and of what its min adds to all of them.
  Value addScaled(OpBuilder &builder, Value total, Value product, const QuantGroup &group,
                  int64_t part, Value scaleOfRow, Value row, Value place) {
    Value scale = arith::MulFOp::create(builder, loc, group.scales[part], scaleOfRow);
    total = vector::FMAOp::create(builder, loc, product, scale, total);
    if (group.offsets.empty())
      return total;
    return vector::FMAOp::create(builder, loc, group.offsets[part],
                                 broadcast(builder, x.sums, row, place), total);
  }

  /// The same of a centred row, whose centre is multiplied by what all columns add up to.
  Value addCentred(OpBuilder &builder, Value total, Value product, const QuantGroup &group,
                   Value scaleOfRow, Value row, Value step) {
    Value pair = broadcastWord(builder, x.centres, row,
                               arith::MulIOp::create(builder, loc, step, constant(builder, 2)));
    Value offset = group.offsets.front();
    pair = vector::BitCastOp::create(builder, loc, offset.getType(), pair);
    product = vector::FMAOp::create(builder, loc, product, scaleOfRow,
                                    broadcast(builder, x.crosses, row, step));
    product = DotPairsOp::create(builder, loc, product, offset, pair);
    return vector::FMAOp::create(builder, loc, product, group.scales.front(), total);
  }

  /// What the dot products of rows start from, [rows][panels].
  SmallVector<Value> startsOf(OpBuilder &builder, int64_t panels, ArrayRef<Value> places,
                              Value part) {
    SmallVector<Value> starts;
    for (Value row : places)
      starts.append(panels, startOf(builder, row, part));
    return starts;
  }
  /// What a dot product starts from: 0, or what takes the bias of stored quants back.
  Value startOf(OpBuilder &builder, Value row, Value part) {
    if (!x.centres && (reader.hasMin() || reader.bias() == 0))
      return arith::ConstantOp::create(builder, loc, builder.getZeroAttr(ints));
    return broadcast(builder, x.sums, row, part);
  }
  /// Bundle `bundle` of step `step` of a row, in all lanes.
  Value broadcastBundle(OpBuilder &builder, Value row, Value step, OpFoldResult bundle) {
    Value column =
        arith::MulIOp::create(builder, loc, step, constant(builder, reader.columnsPerStep()));
    int64_t columns = groups.columnsOfBundle();
    if (std::optional<int64_t> known = getConstantIntValue(bundle)) {
      column = add(builder, column, columns * *known);
    } else {
      Value ofBundle =
          arith::MulIOp::create(builder, loc, cast<Value>(bundle), constant(builder, columns));
      column = arith::AddIOp::create(builder, loc, column, ofBundle);
    }
    return asFactors(builder, broadcastWord(builder, x.quants, row, column));
  }
  Value broadcast(OpBuilder &builder, Value memref, Value row, Value column) {
    Value scalar = memref::LoadOp::create(builder, loc, memref, ValueRange{row, column});
    return vector::BroadcastOp::create(builder, loc, VectorType::get({kLanes}, scalar.getType()),
                                       scalar);
  }
  /// The numbers of a bundle.
  Value asFactors(OpBuilder &builder, Value bundle) {
    return vector::BitCastOp::create(builder, loc, form == RowForm::Words ? words : bytes, bundle);
  }
  /// `sum` plus products of a weight's numbers and a row's, all that lanes have or two in each
  /// word.
  Value dotProduct(OpBuilder &builder, Value sum, Value weight, Value quants) {
    if (form == RowForm::Words)
      return DotWordsOp::create(builder, loc, sum, weight, quants);
    return DotBytesOp::create(builder, loc, sum, weight, quants);
  }

  int64_t tileRows;
  Rows x;
  RowForm form;
  QuantGroups groups;
  bool multipliesFours;
  int64_t aheadBytes, streams;
  VectorType floats, ints, words, bytes;
};

} // namespace

LogicalResult heed::attn::lowerQuantizedProject(OpBuilder &builder, ProjectOp op,
                                                const KernelShape &shape) {
  QuantizedProjectKernel::Rows rows;
  auto view = [&](Value memref, int64_t columns, Value &matrix) -> LogicalResult {
    if (!memref)
      return success();
    FailureOr<Value> made = asMatrix(builder, op, memref, columns);
    if (succeeded(made))
      matrix = *made;
    return made;
  };
  FailureOr<ProjectResult> result = ProjectResult::of(builder, op);
  if (failed(view(op.getX(), op.getContracted(), rows.quants)) ||
      failed(view(op.getScales(), 1, rows.scales)) || failed(view(op.getSums(), 1, rows.sums)) ||
      failed(view(op.getCentres(), 1, rows.centres)) ||
      failed(view(op.getCrosses(), 1, rows.crosses)) || failed(result))
    return failure();
  QuantizedProjectKernel kernel(builder, op, rows, std::move(*result), shape);
  if (!kernel.hasProducts())
    return op.emitOpError() << "multiplies " << (rows.centres ? "centred rows" : "bytes") << " by "
                            << op.getWeight().getType()
                            << ", which exceeds words of 16 bits; it needs vnni";
  return kernel.build(builder);
}
