//===- AttnWeightOps.cpp - what weights, embeddings, projections mean -----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnShapes.h"
#include "Views.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

static LogicalResult getWeight(Step &step) {
  int64_t layer = 0;
  if (!step.instruction.operands.empty()) {
    FailureOr<int64_t> given = step.integer(0);
    if (failed(given))
      return failure();
    layer = *given;
  }
  step.set(WeightHandle{step.instruction.op, layer});
  return success();
}

/// Elements of the weight that is operand `operand`.
static FailureOr<Array> denseOperand(Step &step, unsigned operand) {
  return step.machine.dense(step.instruction.op, std::get<WeightHandle>(step.value(operand)));
}

static LogicalResult dequantize(Step &step) {
  FailureOr<Array> weight = denseOperand(step, 0);
  if (failed(weight))
    return failure();
  step.set(std::move(*weight));
  return success();
}

/// Computes nothing, but what it announces must be there.
static LogicalResult announce(Step &step) {
  FailureOr<Bytes> packed =
      step.machine.packed(step.instruction.op, std::get<WeightHandle>(step.value(0)));
  FailureOr<int64_t> offset = step.integer(1);
  if (failed(packed) || failed(offset))
    return failure();
  int64_t size = packed->memory.size(), bytes = step.op<attn::AnnounceOp>().getBytes();
  if (*offset < 0 || bytes > size - *offset)
    return step.fail("announces " + llvm::Twine(bytes) + " bytes at byte " + llvm::Twine(*offset) +
                     " of a weight of " + llvm::Twine(size));
  return success();
}

static LogicalResult embed(Step &step) {
  FailureOr<Array> table = denseOperand(step, 1);
  if (failed(table))
    return failure();
  int64_t rows = table->shape.front(), width = rows == 0 ? 0 : table->numElements() / rows;
  std::vector<double> elements = table->toFloats(), values;
  SmallVector<int64_t> shape(step.array(0).shape);
  shape.append(table->shape.begin() + 1, table->shape.end());
  for (Scalar id : step.array(0).toScalars()) {
    if (id.isPoison())
      return step.fail("an id is a number that nothing wrote");
    // The nearest row.
    int64_t row = std::clamp<int64_t>(id.asInt(), 0, rows - 1);
    values.insert(values.end(), elements.begin() + row * width,
                  elements.begin() + (row + 1) * width);
  }
  if (failed(step.machine.spend(step.instruction.op, values.size())))
    return failure();
  return writeFloats(step, 2, shape, values);
}

/// Gives one of several results: writes the elements of memref operand `into`, or sets result
/// `number`.
static LogicalResult give(Step &step, unsigned into, unsigned number, ArrayRef<int64_t> shape,
                          const std::vector<Scalar> &values) {
  const Array &target = step.array(into);
  if (target.shape != shape)
    return step.fail("makes " + listText(shape) + " and has a destination of " +
                     listText(target.shape));
  if (step.instruction.results.empty()) {
    size_t next = 0;
    forEachElement(target, [&](Scalar &element) { element = values[next++]; });
    return success();
  }
  Array made = Array::uninitialised(target.element, shape);
  *made.storage = values;
  step.set(std::move(made), number);
  return success();
}

namespace {
/// What `attn.quantize` gives of its blocks, in their order.
class QuantizedBlocks {
public:
  explicit QuantizedBlocks(Step &step)
      : step(step), op(step.op<attn::QuantizeOp>()), format(step.instruction.operandFormat),
        bf16(Format::of(BFloat16Type::get(op.getContext()))), isScaled(step.array(3).isFloat()) {}

  void add(ArrayRef<double> x) {
    double furthest = 0, low = 0, high = 0;
    for (double number : x) {
      double further = std::abs(number) - std::abs(furthest);
      if (further > 0 || (further == 0 && number > 0))
        furthest = number;
      low = std::min(low, number);
      high = std::max(high, number);
    }
    if (!op.getCentres()) {
      round(x, 0, furthest, static_cast<double>(-op.getReach()));
      return;
    }
    double centre = step.machine.rounded(bf16, (low + high) / 2);
    double scale =
        round(x, centre, std::max(rounded(high - centre), rounded(centre - low)), op.getReach());
    int64_t sum = 0, pair = 0;
    ArrayRef<Scalar> ofBlock = ArrayRef(quants).take_back(kBlock);
    for (int64_t c = 0; c < kBlock; ++c)
      sum += ofBlock[c].asInt();
    for (int64_t c = 0; c < kBlock / 2; ++c)
      pair += ofBlock[c + kBlock / 2].asInt() * (ofBlock[c].asInt() + op.kByteReach);
    double total = rounded(scale * static_cast<double>(sum) + kBlock * centre);
    centres.emplace_back(step.machine.rounded(bf16, total));
    centres.emplace_back(centre);
    crosses.emplace_back(rounded(-scale * static_cast<double>(pair)));
    sums.back() = Scalar(sums.back().asInt() + pair);
  }

  std::vector<Scalar> quants, scales, sums, centres, crosses;

private:
  static constexpr int64_t kBlock = attn::QuantizeOp::kBlock;
  double rounded(double value) { return step.machine.rounded(format, value); }

  /// Adds a block of x, less `centre`, of which `furthest` becomes `reach`. Gives its scale.
  double round(ArrayRef<double> x, double centre, double furthest, double reach) {
    double scale = rounded(furthest / reach),
           inverse = furthest == 0 ? 0 : rounded(reach / furthest);
    scales.emplace_back(scale);
    // Of the centred form nothing exceeds its reach.
    double largest = static_cast<double>(op.getCentres() ? op.getReach() : op.getReach() - 1);
    int64_t group = op.getGroup();
    for (; !x.empty(); x = x.drop_front(group)) {
      int64_t sum = 0;
      for (double number : x.take_front(group)) {
        double whole = std::nearbyint(rounded(rounded(number - centre) * inverse));
        auto quant = static_cast<int64_t>(std::min(whole, largest));
        quants.emplace_back(quant);
        sum += quant;
      }
      if (isScaled)
        sums.emplace_back(rounded(scale * static_cast<double>(sum)));
      else
        sums.emplace_back(sum * static_cast<int32_t>(op.getTimes()));
    }
    return scale;
  }

  Step &step;
  attn::QuantizeOp op;
  Format format, bf16;
  bool isScaled;
};
} // namespace

static LogicalResult quantize(Step &step) {
  auto op = step.op<attn::QuantizeOp>();
  FailureOr<std::vector<double>> x = readFloats(step, 0);
  if (failed(x) || failed(step.machine.spend(op, x->size())))
    return failure();
  constexpr int64_t block = attn::QuantizeOp::kBlock;
  QuantizedBlocks blocks(step);
  for (size_t first = 0; first < x->size(); first += block)
    blocks.add(ArrayRef(*x).slice(first, block));
  ArrayRef<int64_t> shape = step.array(0).shape;
  int64_t contracted = op.getContracted();
  auto perColumns = [&](int64_t columns) {
    SmallVector<int64_t> made(shape.drop_back(contracted));
    made.push_back(elementCount(shape.take_back(contracted)) / columns);
    return made;
  };
  if (failed(give(step, 1, 0, SmallVector<int64_t>(shape), blocks.quants)) ||
      failed(give(step, 2, 1, perColumns(block), blocks.scales)) ||
      failed(give(step, 3, 2, perColumns(op.getGroup()), blocks.sums)))
    return failure();
  if (!op.getCentres())
    return success();
  if (failed(give(step, 4, 3, perColumns(block / 2), blocks.centres)))
    return failure();
  return give(step, 5, 4, perColumns(block), blocks.crosses);
}

/// Groups of attn.project's operands, by their numbers.
static constexpr unsigned kBeside = 2, kScales = 3, kCentres = 5, kJoined = 7;

/// The rows that a projection multiplies: floats, or quants times the scales of their blocks.
static FailureOr<std::vector<double>> rowsOf(Step &step) {
  if (step.array(0).isFloat())
    return readFloats(step, 0);
  auto [number, count] = step.op<attn::ProjectOp>().getODSOperandIndexAndLength(kScales);
  FailureOr<std::vector<double>> scales = readFloats(step, number);
  if (failed(scales))
    return failure();
  std::vector<double> centres(2 * scales->size()); // pairs, of which the second is one
  auto [centred, areThere] = step.op<attn::ProjectOp>().getODSOperandIndexAndLength(kCentres);
  if (areThere) {
    FailureOr<std::vector<double>> given = readFloats(step, centred);
    if (failed(given))
      return failure();
    centres = std::move(*given);
  }
  std::vector<double> values;
  for (Scalar quant : step.array(0).toScalars()) {
    if (quant.isPoison())
      return step.fail("multiplies a number that nothing wrote");
    size_t block = values.size() / attn::QuantizeOp::kBlock;
    values.push_back(static_cast<double>(quant.asInt()) * (*scales)[block] +
                     centres[2 * block + 1]);
  }
  return values;
}

namespace {
/// What a projection makes of its sums.
class Epilogue {
public:
  /// `rows` and `features` are those of the result.
  static FailureOr<Epilogue> of(Step &step, int64_t rows, int64_t features) {
    auto op = step.op<attn::ProjectOp>();
    Epilogue epilogue(step, rows, features);
    auto [first, count] = op.getODSOperandIndexAndLength(kJoined);
    for (unsigned number = 0; number < count; ++number) {
      FailureOr<std::vector<double>> values = readFloats(step, first + number);
      if (failed(values))
        return failure();
      AffineMap map = op.getMap(number);
      bool hasAll = map == op.getWholeMap(), hasFeatures = map == op.getFeatureMap();
      if (static_cast<int64_t>(values->size()) != (hasAll        ? rows * features
                                                   : hasFeatures ? features
                                                                 : rows))
        return step.fail("joins " + listText(step.array(first + number).shape) + " to " +
                         llvm::Twine(rows) + " rows of " + llvm::Twine(features) + " features");
      epilogue.joined.push_back({std::move(*values), hasAll, hasFeatures});
    }
    return epilogue;
  }

  /// Where the result has a feature of a row.
  int64_t placeOf(int64_t row, int64_t feature) {
    if (!op.getHeadsFirst())
      return row * features + feature;
    int64_t width = op.getWeight().getType().getShape()[1];
    return (feature / width * rows + row) * width + feature % width;
  }

  /// Takes a sum of each weight.
  FailureOr<double> operator()(ArrayRef<double> sums, int64_t row, int64_t feature) {
    if (op.getEpilogue().empty())
      return sums.front();
    SmallVector<reference::Value, 4> arguments(sums.begin(), sums.end());
    for (const Joined &each : joined)
      arguments.push_back(each.values[each.hasAll        ? placeOf(row, feature)
                                      : each.hasFeatures ? feature
                                                         : row]);
    FailureOr<Scalar> made =
        step.machine.runPerElement(step.instruction.bodies.front(), step.frame, arguments);
    if (failed(made))
      return failure();
    if (made->isPoison())
      return step.fail("its epilogue yields what nothing wrote");
    return made->asFloat();
  }

private:
  struct Joined {
    std::vector<double> values;
    bool hasAll, hasFeatures;
  };
  Epilogue(Step &step, int64_t rows, int64_t features)
      : step(step), op(step.op<attn::ProjectOp>()), rows(rows), features(features) {}

  Step &step;
  attn::ProjectOp op;
  int64_t rows, features;
  std::vector<Joined> joined;
};
} // namespace

/// x is [rows, heads, columns] and the weight [heads, features, columns], all axes of a kind taken
/// together; there is one head without `per_head`.
static LogicalResult project(Step &step) {
  auto op = step.op<attn::ProjectOp>();
  unsigned into = step.instruction.operands.size() - 1;
  FailureOr<std::vector<double>> x = rowsOf(step);
  FailureOr<Array> weight = denseOperand(step, 1);
  if (failed(x) || failed(weight))
    return failure();
  ArrayRef<int64_t> ofX = step.array(0).shape, ofWeight = weight->shape;
  int64_t contracted = op.getContracted();
  bool isPerHead = op->hasAttr("per_head");
  ArrayRef<int64_t> columnAxes = ofWeight.take_back(contracted);
  if (columnAxes != ofX.take_back(contracted) ||
      (isPerHead && ofX.drop_back(contracted).back() != ofWeight.front()))
    return step.fail("x is " + listText(ofX) + ", and the weight " + listText(ofWeight));
  ArrayRef<int64_t> featureAxes = ofWeight.drop_back(contracted).drop_front(isPerHead);
  SmallVector<int64_t> shape(ofX.drop_back(contracted));
  int64_t heads = isPerHead ? ofWeight.front() : 1, columns = elementCount(columnAxes),
          features = elementCount(featureAxes), rowsAndHeads = elementCount(shape);
  shape.append(featureAxes.begin(), featureAxes.end());
  if (op.getHeadsFirst())
    std::swap(shape[0], shape[1]);
  FailureOr<Epilogue> epilogue = Epilogue::of(step, rowsAndHeads, features);
  if (failed(epilogue))
    return failure();

  std::vector<double> values;
  if (op.getAccumulate()) {
    FailureOr<std::vector<double>> before = readFloats(step, into);
    if (failed(before))
      return failure();
    values = std::move(*before);
    if (static_cast<int64_t>(values.size()) != rowsAndHeads * features)
      return step.fail("makes " + listText(shape) + " and adds it to " +
                       listText(step.array(into).shape));
  } else {
    values.resize(rowsAndHeads * features);
  }
  std::vector<std::vector<double>> weights = {weight->toFloats()};
  auto [firstBeside, numBeside] = op.getODSOperandIndexAndLength(kBeside);
  for (unsigned number = 0; number < numBeside; ++number) {
    FailureOr<Array> other = denseOperand(step, firstBeside + number);
    if (failed(other))
      return failure();
    if (other->shape != ofWeight)
      return step.fail("has a weight of " + listText(other->shape) + " beside one of " +
                       listText(ofWeight));
    weights.push_back(other->toFloats());
  }
  if (failed(step.machine.spend(op, rowsAndHeads * features * columns * weights.size())))
    return failure();
  Format format = Format::of(Float32Type::get(op.getContext())); // of the sums, whatever x is
  auto rounded = [&](double value) { return step.machine.rounded(format, value); };
  for (int64_t row = 0; row < rowsAndHeads; ++row) {
    const double *input = x->data() + row * columns;
    for (int64_t feature = 0; feature < features; ++feature) {
      SmallVector<double, 2> sums;
      for (const std::vector<double> &elements : weights) {
        const double *factors = elements.data() + ((row % heads) * features + feature) * columns;
        double sum = 0;
        for (int64_t column = 0; column < columns; ++column)
          sum = rounded(sum + rounded(input[column] * factors[column]));
        sums.push_back(sum);
      }
      FailureOr<double> made = (*epilogue)(sums, row, feature);
      if (failed(made))
        return failure();
      double &value = values[epilogue->placeOf(row, feature)];
      value = op.getAccumulate() ? rounded(value + *made) : *made;
    }
  }
  return writeFloats(step, into, shape, values);
}

void heed::reference::addAttnWeightOps(OpTable &table) {
  table["attn.get_weight"] = {getWeight};
  table["attn.dequantize"] = {dequantize};
  table["attn.announce"] = {announce};
  table["attn.prefetch"] = {[](Step &) { return success(); }};
  table["attn.embed"] = {embed};
  table["attn.quantize"] = {quantize};
  table["attn.project"] = {project};
}
