//===- AttnFusedOps.cpp - what fused attention and one tile of it mean ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The mask is asked first: a score that it hides is neither computed nor
// modified, so that modifiers read their tables for visible elements only.
//
//===----------------------------------------------------------------------===//

#include "AttnShapes.h"
#include "Views.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace heed;
using namespace heed::reference;

namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

/// The regions of both ops, for one element.
class ScoreAndMask {
public:
  ScoreAndMask(Step &step, Region &score, Region &mask)
      : step(step), score(step.instruction.bodies[score.getRegionNumber()]),
        mask(step.instruction.bodies[mask.getRegionNumber()]) {}

  FailureOr<bool> isVisible(ArrayRef<int64_t> indices) const {
    if (!mask.terminator)
      return true;
    SmallVector<reference::Value, 4> arguments(indices.begin(), indices.end());
    FailureOr<Scalar> visible = step.machine.runPerElement(mask, step.frame, arguments);
    if (failed(visible))
      return failure();
    if (visible->isPoison())
      return step.fail("its mask yields what nothing wrote");
    return visible->asInt() != 0;
  }

  FailureOr<double> modified(double value, ArrayRef<int64_t> indices) const {
    if (!score.terminator)
      return value;
    SmallVector<reference::Value, 5> arguments = {value};
    arguments.append(indices.begin(), indices.end());
    FailureOr<Scalar> result = step.machine.runPerElement(score, step.frame, arguments);
    if (failed(result))
      return failure();
    if (result->isPoison())
      return step.fail("its score yields what nothing wrote");
    return result->asFloat();
  }

private:
  Step &step;
  const Body &score, &mask;
};

constexpr double kLog2E = 1.4426950408889634;

/// Rounds in every precision, as other conversions to a narrow format do.
void roundAll(std::vector<double> &numbers, Format format) {
  for (double &number : numbers)
    number = format.rounded(number);
}

/// Indices as the regions are given them: batch if there is one, head, and room for row and column.
SmallVector<int64_t> regionIndices(ArrayRef<int64_t> outer) {
  SmallVector<int64_t> indices(outer);
  if (indices.empty())
    indices.push_back(0); // without heads, h is 0
  indices.append({0, 0});
  return indices;
}

/// Operands: q, k, v, and the sink if there is one.
LogicalResult attention(Step &step) {
  auto op = step.op<attn::AttentionOp>();
  const Array &q = step.array(0), &k = step.array(1), &v = step.array(2);
  FailureOr<SharedHeads> heads = sharedHeads(step, q, k);
  FailureOr<std::vector<double>> queries = readFloats(step, 0), keys = readFloats(step, 1),
                                 values = readFloats(step, 2);
  if (failed(heads) || failed(queries) || failed(keys) || failed(values))
    return failure();
  int64_t outer = q.rank() - 2, rows = q.shape[outer], columns = k.shape[outer],
          depth = q.shape.back(), width = v.shape.back();
  if (k.shape.back() != depth || ArrayRef(k.shape).drop_back() != ArrayRef(v.shape).drop_back())
    return step.fail("q is " + listText(q.shape) + ", k " + listText(k.shape) + " and v " +
                     listText(v.shape));
  std::vector<double> sinks;
  if (step.instruction.operands.size() > 3) {
    FailureOr<std::vector<double>> read = readFloats(step, 3);
    if (failed(read))
      return failure();
    sinks = std::move(*read);
    if (sinks.size() != heads->of.size() * rows)
      return step.fail("has sinks " + listText(step.array(3).shape) + " for queries " +
                       listText(q.shape));
  }
  if (failed(step.machine.spend(op, heads->of.size() * rows * columns * (depth + width))))
    return failure();

  ScoreAndMask regions(step, op.getScore(), op.getMask());
  Format format = step.instruction.operandFormat;
  auto rounded = [&](double value) { return step.machine.rounded(format, value); };
  std::optional<Format> narrow;
  if (op.getBf16()) {
    narrow = Format::of(BFloat16Type::get(op.getContext()));
    double factor = op.getScale().convertToDouble() * (op.getScore().empty() ? kLog2E : 1);
    for (double &query : *queries)
      query = narrow->rounded(query * factor) / factor;
    for (std::vector<double> *factors : {&*keys, &*values})
      roundAll(*factors, *narrow);
  }
  double scale = rounded(op.getScale().convertToDouble());
  std::vector<double> results(heads->of.size() * rows * width);
  for (auto [head, shared] : llvm::enumerate(heads->of)) {
    SmallVector<int64_t> indices = regionIndices(heads->indices[head]);
    for (int64_t i = 0; i < rows; ++i) {
      const double *query = queries->data() + (head * rows + i) * depth;
      std::vector<double> scores(columns, kNothing);
      indices[indices.size() - 2] = i;
      for (int64_t j = 0; j < columns; ++j) {
        indices.back() = j;
        FailureOr<bool> visible = regions.isVisible(indices);
        if (failed(visible))
          return failure();
        if (!*visible)
          continue;
        const double *key = keys->data() + (shared * columns + j) * depth;
        double sum = 0;
        for (int64_t c = 0; c < depth; ++c)
          sum = rounded(sum + rounded(query[c] * key[c]));
        FailureOr<double> score = regions.modified(rounded(scale * sum), indices);
        if (failed(score))
          return failure();
        scores[j] = *score;
      }
      normalise(step.machine, format, scores, sinks.empty() ? kNothing : sinks[head * rows + i],
                narrow);
      double *result = results.data() + (head * rows + i) * width;
      for (int64_t j = 0; j < columns; ++j) {
        // Hidden rows may hold anything.
        if (scores[j] == 0)
          continue;
        for (int64_t c = 0; c < width; ++c)
          result[c] = rounded(result[c] +
                              rounded(scores[j] * (*values)[(shared * columns + j) * width + c]));
      }
    }
  }
  SmallVector<int64_t> shape(ArrayRef(q.shape).drop_back());
  shape.push_back(width);
  Array made = Array::floats(q.element, shape, results);
  if (op.getRowsFirst()) {
    std::swap(made.shape[outer - 1], made.shape[outer]);
    std::swap(made.strides[outer - 1], made.strides[outer]);
    made = made.clone();
  }
  step.set(std::move(made));
  return success();
}

/// The tile of keys and values that is folded in, as the description of the op names its parts.
class Tile {
public:
  Tile(Step &step, attn::OnlineAttentionOp op)
      : step(step), op(op), regions(step, op.getScore(), op.getMask()),
        format(Format::of(op.getAcc().getType())) {}

  LogicalResult read() {
    auto number = [](OpOperand &operand) { return operand.getOperandNumber(); };
    unsigned ofQ = number(op.getQMutable()), ofK = number(op.getKMutable()),
             ofV = number(op.getVMutable()), ofAcc = number(op.getAccMutable()),
             ofMax = number(op.getMaxMutable()), ofSum = number(op.getSumMutable());
    const Array &qArray = step.array(ofQ), &kArray = step.array(ofK), &vArray = step.array(ofV),
                &accArray = step.array(ofAcc);
    lanesFirst = op.getLanesFirst();
    depth = qArray.shape[lanesFirst ? 1 : 0], lanes = qArray.shape[lanesFirst ? 0 : 1];
    if (op.isPaired()) {
      narrow = Format::of(BFloat16Type::get(op.getContext()));
      depth *= 2;
      lanes /= 2;
    }
    rows = kArray.shape[0], width = vArray.shape[1];
    int64_t valueRows = rows;
    if (narrow) {
      valueRows = (rows + 1) / 2;
      width /= 2;
    }
    if (kArray.shape[1] != depth || vArray.shape[0] != valueRows ||
        accArray.shape[lanesFirst ? 1 : 0] != width || accArray.shape[lanesFirst ? 0 : 1] != lanes)
      return step.fail("q is " + listText(qArray.shape) + ", k " + listText(kArray.shape) + ", v " +
                       listText(vArray.shape) + " and acc " + listText(accArray.shape));
    if (rows > static_cast<int64_t>(op.getKeyTile()))
      return step.fail("a tile has " + llvm::Twine(rows) + " rows, expected at most " +
                       llvm::Twine(op.getKeyTile()));
    FailureOr<std::vector<double>> read[] = {readFloats(step, ofQ),   readFloats(step, ofK),
                                             readFloats(step, ofV),   readFloats(step, ofAcc),
                                             readFloats(step, ofMax), readFloats(step, ofSum)};
    std::vector<double> *parts[] = {&q, &k, &v, &acc, &max, &sum};
    for (auto [from, to] : llvm::zip_equal(read, parts)) {
      if (failed(from))
        return failure();
      *to = std::move(*from);
    }
    heads = step.array(number(op.getHeadsMutable())).toIntegers();
    rowOf = step.array(number(op.getRowsMutable())).toIntegers();
    FailureOr<int64_t> first = step.integer(number(op.getStartMutable()));
    if (failed(first))
      return failure();
    start = *first;
    return step.machine.spend(op, rows * lanes * (depth + width));
  }

  LogicalResult fold(int64_t lane) {
    double scale = rounded(op.getScale().convertToDouble());
    std::vector<double> scores(rows, kNothing);
    double greatest = max[lane];
    for (int64_t t = 0; t < rows; ++t) {
      int64_t indices[] = {heads[lane], rowOf[lane], start + t};
      FailureOr<bool> visible = regions.isVisible(indices);
      if (failed(visible))
        return failure();
      if (!*visible)
        continue;
      double dot = 0;
      for (int64_t c = 0; c < depth; ++c)
        dot = rounded(dot + rounded(q[atQuery(c, lane)] * k[t * depth + c]));
      FailureOr<double> score = regions.modified(rounded(scale * dot), indices);
      if (failed(score))
        return failure();
      scores[t] = rounded(*score * rounded(kLog2E));
      greatest = std::isnan(scores[t]) ? scores[t] : std::max(greatest, scores[t]);
    }
    if (greatest == kNothing)
      return success(); // nothing is visible yet
    double keeps = rounded(std::exp2(rounded(max[lane] - greatest)));
    sum[lane] = rounded(sum[lane] * keeps);
    for (int64_t c = 0; c < width; ++c)
      acc[at(c, lane, width)] = rounded(acc[at(c, lane, width)] * keeps);
    for (int64_t t = 0; t < rows; ++t) {
      if (scores[t] == kNothing)
        continue;
      double weight = rounded(std::exp2(rounded(scores[t] - greatest)));
      if (narrow)
        weight = narrow->rounded(weight);
      sum[lane] = rounded(sum[lane] + weight);
      for (int64_t c = 0; c < width; ++c) {
        double &target = acc[at(c, lane, width)];
        target = rounded(target + rounded(weight * v[atValue(t, c)]));
      }
    }
    max[lane] = greatest;
    return success();
  }

  void write() {
    OpOperand *places[] = {&op.getAccMutable(), &op.getMaxMutable(), &op.getSumMutable()};
    const std::vector<double> *parts[] = {&acc, &max, &sum};
    bool isTensor = !step.instruction.results.empty();
    for (unsigned part = 0; part != 3; ++part) {
      const Array &target = step.array(places[part]->getOperandNumber());
      Array made = Array::floats(target.element, target.shape, *parts[part]);
      if (isTensor)
        step.set(std::move(made), part);
      else
        copyElements(made, target);
    }
  }

  int64_t lanes = 0;

private:
  double rounded(double value) const { return step.machine.rounded(format, value); }
  int64_t atQuery(int64_t c, int64_t lane) const {
    return narrow ? (c / 2 * lanes + lane) * 2 + c % 2 : at(c, lane, depth);
  }
  int64_t atValue(int64_t t, int64_t c) const {
    return narrow ? (t / 2 * width + c) * 2 + t % 2 : t * width + c;
  }
  /// Where q or acc, of `components`, has component c of a lane.
  int64_t at(int64_t c, int64_t lane, int64_t components) const {
    return lanesFirst ? lane * components + c : c * lanes + lane;
  }

  Step &step;
  attn::OnlineAttentionOp op;
  bool lanesFirst = false;
  ScoreAndMask regions;
  Format format;
  std::optional<Format> narrow; ///< of what is multiplied, if it isn't what sums have
  int64_t depth = 0, rows = 0, width = 0, start = 0;
  std::vector<double> q, k, v, acc, max, sum;
  std::vector<int64_t> heads, rowOf;
};

LogicalResult onlineAttention(Step &step) {
  Tile tile(step, step.op<attn::OnlineAttentionOp>());
  if (failed(tile.read()))
    return failure();
  for (int64_t lane = 0; lane < tile.lanes; ++lane)
    if (failed(tile.fold(lane)))
      return failure();
  tile.write();
  return success();
}

/// Operands: rows and where their pairs go.
LogicalResult pairRows(Step &step) {
  auto op = step.op<attn::PairRowsOp>();
  const Array &rows = step.array(0), &into = step.array(1);
  int64_t count = rows.shape[0], width = rows.shape[1], pairs = (count + 1) / 2;
  if (into.shape[0] != pairs || into.shape[1] != 2 * width)
    return step.fail("rows is " + listText(rows.shape) + " and into " + listText(into.shape));
  FailureOr<std::vector<double>> read = readFloats(step, 0);
  if (failed(read) || failed(step.machine.spend(op, 2 * pairs * width)))
    return failure();
  Format narrow = Format::of(BFloat16Type::get(op.getContext()));
  std::vector<double> made(2 * pairs * width);
  for (int64_t row = 0; row < 2 * pairs; ++row)
    for (int64_t c = 0; c < width; ++c)
      made[(row / 2 * width + c) * 2 + row % 2] =
          narrow.rounded((*read)[std::min(row, count - 1) * width + c]);
  Array result = Array::floats(into.element, into.shape, made);
  if (step.instruction.results.empty())
    copyElements(result, into);
  else
    step.set(std::move(result));
  return success();
}

/// Operands: heads, rows, the first key and how many.
LogicalResult classifyKeys(Step &step) {
  auto op = step.op<attn::ClassifyKeysOp>();
  std::vector<int64_t> heads = step.array(0).toIntegers(), rows = step.array(1).toIntegers();
  FailureOr<int64_t> first = step.integer(2), count = step.integer(3);
  if (failed(first) || failed(count) ||
      failed(step.machine.spend(op, rows.size() * std::max<int64_t>(*count, 0))))
    return failure();
  bool any = false, all = true;
  for (auto [head, row] : llvm::zip_equal(heads, rows))
    for (int64_t j = *first; j < *first + *count; ++j) {
      FailureOr<Scalar> visible =
          step.machine.runPerElement(step.instruction.bodies[0], step.frame, {head, row, j});
      if (failed(visible))
        return failure();
      if (visible->isPoison())
        return step.fail("its mask yields what nothing wrote");
      any |= visible->asInt() != 0;
      all &= visible->asInt() != 0;
    }
  step.set(int64_t(any), 0);
  step.set(int64_t(all), 1);
  return success();
}

} // namespace

void heed::reference::addAttnFusedOps(OpTable &table) {
  table["attn.attention"] = {attention};
  table["attn.online_attention"] = {onlineAttention};
  table["attn.pair_rows"] = {pairRows};
  table["attn.classify_keys"] = {classifyKeys};
}
