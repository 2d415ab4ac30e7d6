//===- Inputs.cpp - what functions are tried on ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/Inputs.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace heed;
using namespace heed::verification;
using reference::Array;

namespace {

/// Numbers that are the same on every machine.
class RandomBits {
public:
  explicit RandomBits(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15 + 1) {}
  uint64_t next() {
    uint64_t bits = state += 0x9E3779B97F4A7C15;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
    return bits ^ bits >> 31;
  }
  /// In [-1, 1), a float exactly.
  double number() { return static_cast<double>(static_cast<int64_t>(next()) >> 40) * 0x1p-23; }

private:
  uint64_t state;
};

/// Lengths of one run-time size and what to fill the input with. Around 16, 32 and 64 lie the
/// edges of panels and tiles.
struct Plan {
  Fill fill;
  int64_t first, others;
};
constexpr Plan kPlans[] = {
    {Fill::Random, 1, 3}, {Fill::Random, 5, 1},   {Fill::Equal, 3, 7},    {Fill::Random, 17, 5},
    {Fill::Edges, 6, 6},  {Fill::Large, 16, 4},   {Fill::Random, 2, 17},  {Fill::Random, 16, 33},
    {Fill::Random, 0, 2}, {Fill::Random, 33, 15}, {Fill::Random, 15, 16}, {Fill::Random, 65, 2},
    {Fill::Large, 65, 3}, {Fill::Random, 63, 18}, {Fill::Random, 64, 65}, {Fill::Random, 130, 1}};

} // namespace

static double floatOf(Fill fill, int64_t position, RandomBits &random) {
  switch (fill) {
  case Fill::Random:
    return random.number();
  case Fill::Large:
    return random.number() * 64;
  case Fill::Equal:
    return 0.5;
  case Fill::Edges:
    return position % 2 ? 1 : -1;
  }
  return 0;
}

/// Without a limit, few different integers, so that some are equal.
static int64_t integerOf(Fill fill, int64_t limit, int64_t position, RandomBits &random) {
  int64_t last = limit > 0 ? limit - 1 : 3;
  switch (fill) {
  case Fill::Random:
  case Fill::Large:
    return static_cast<int64_t>(random.next() % static_cast<uint64_t>(last + 1));
  case Fill::Equal:
    return 0;
  case Fill::Edges:
    return position % 2 ? last : 0;
  }
  return 0;
}

static reference::Value makeParam(const ProgramFunction &function, const ProgramTensor &tensor,
                                  Fill fill, ArrayRef<int64_t> sizes, RandomBits &random) {
  SmallVector<int64_t> shape = ProgramFunction::shape(tensor, sizes);
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  if (isa<FloatType>(tensor.element)) {
    std::vector<double> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = floatOf(fill, i, random);
    return Array::floats(tensor.element, shape, values);
  }
  int64_t limit = tensor.element.isInteger(1) ? 2 : function.tokenLimit;
  std::vector<int64_t> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = integerOf(fill, limit, i, random);
  return Array::integers(tensor.element, shape, values);
}

/// Whole; in two parts, of which the second asks for its last row; one row after the other.
static std::vector<Split> makeSplits(int64_t rows) {
  std::vector<Split> splits{{{rows}}};
  if (rows >= 2 && rows <= 6)
    splits.emplace_back(rows, Piece{1});
  if (rows >= 3 && rows <= 33)
    splits.push_back({{rows / 3}, {rows - rows / 3, rows - rows / 3 - 1}});
  if (rows >= 8)
    splits.push_back({{rows - 1}, {1}});
  return splits;
}

std::vector<Input> verification::makeInputs(const ProgramFunction &function) {
  std::vector<Input> inputs;
  for (const Plan &plan : kPlans) {
    Input input;
    input.fill = plan.fill;
    for (size_t size = 0; size != function.sizes.size(); ++size) {
      int64_t length = size == 0 ? plan.first : plan.others + 2 * int64_t(size - 1);
      if (int64_t bound = function.bounds[size]; bound > 0)
        length = std::min(length, bound);
      input.sizes.push_back(length);
    }
    // Without run-time sizes only the fill makes a difference, and bounds may make lengths equal.
    bool isKnown = llvm::any_of(inputs, [&](const Input &other) {
      return other.fill == input.fill && other.sizes == input.sizes;
    });
    if (isKnown)
      continue;
    RandomBits random(inputs.size());
    for (const ProgramTensor &param : function.params)
      input.params.push_back(makeParam(function, param, input.fill, input.sizes, random));
    input.splits = makeSplits(input.rows());
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::string verification::describe(const ProgramFunction &function, const Input &input,
                                   const Split *split) {
  static constexpr const char *kFills[] = {"random numbers", "large numbers", "equal numbers",
                                           "numbers at the edges"};
  std::string text;
  for (auto [name, size] : llvm::zip(function.sizes, input.sizes))
    text += llvm::formatv("{0} = {1}, ", name, size);
  text += kFills[int(input.fill)];
  if (!split || (split->size() == 1 && split->front().skipped == 0))
    return text;
  if (split->size() > 3)
    return text + ", row by row";
  text += ", as " +
          llvm::join(
              llvm::map_range(*split, [](const Piece &piece) { return llvm::utostr(piece.rows); }),
              " + ");
  return text + " rows";
}

Array verification::slice(const Array &array, int64_t axis, int64_t begin, int64_t end) {
  Array view = array;
  view.offset += begin * view.strides[axis];
  view.shape[axis] = end - begin;
  return view.clone();
}

Array verification::askedRows(const Array &whole, const Split &split) {
  std::vector<reference::Scalar> elements;
  int64_t row = 0, rows = 0;
  for (const Piece &piece : split) {
    int64_t begin = row + piece.skipped;
    row += piece.rows;
    rows += row - begin;
    for (reference::Scalar scalar : slice(whole, 0, begin, row).toScalars())
      elements.push_back(scalar);
  }
  Array asked = whole;
  asked.shape[0] = rows;
  asked = Array::uninitialised(whole.element, asked.shape);
  *asked.storage = std::move(elements);
  return asked;
}
