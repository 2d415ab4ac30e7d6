//===- Inputs.h - what functions are tried on -------------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_INPUTS_H
#define HEED_VERIFICATION_INPUTS_H

#include "heed/Reference/Value.h"
#include "heed/Verification/ProgramFunction.h"

namespace heed::verification {

/// How the values of an input are chosen.
enum class Fill {
  Random, ///< floats in [-1, 1], any legal integers
  Large,  ///< floats in [-64, 64]: scores whose exponentials pass what a float holds
  Equal,  ///< every number is the same, and so every score
  Edges,  ///< floats -1 and 1, integers the smallest and the largest in turn
};

/// A part of a text that a step is given in one call.
struct Piece {
  int64_t rows;
  int64_t skipped = 0; ///< the first rows, whose results aren't asked for
};
/// A text in parts.
using Split = std::vector<Piece>;

struct Input {
  Fill fill = Fill::Random;
  llvm::SmallVector<int64_t> sizes;     ///< one for each run-time size
  std::vector<reference::Value> params; ///< one for each parameter, arrays or numbers
  /// How the text is given to a step. Functions that aren't steps get it whole, once.
  std::vector<Split> splits;

  /// Rows of the text: the first run-time size, 1 without any.
  int64_t rows() const { return sizes.empty() ? 1 : sizes.front(); }
};

/// Inputs for `function`, the same each time, the most telling and cheapest first: lengths around
/// multiples of tiles, two sizes that differ, large and equal scores, the vocabulary's edges.
std::vector<Input> makeInputs(const ProgramFunction &function);

/// Such as "n = 17, random numbers, as 16 + 1 rows"; `split` is null for a text as a whole.
std::string describe(const ProgramFunction &function, const Input &input, const Split *split);

/// The rows of `whole`, a result for a whole text, that `split` asks for.
reference::Array askedRows(const reference::Array &whole, const Split &split);

/// Rows `begin` to `end` along `axis`, as a copy.
reference::Array slice(const reference::Array &array, int64_t axis, int64_t begin, int64_t end);

/// An input as text, for a function and with the path of the weights that it was found with ("" for
/// random ones).
std::string writeInput(const ProgramFunction &function, const Input &input, const Split *split,
                       llvm::StringRef weights);

/// What `writeInput` wrote.
struct SavedInput {
  std::string function, weights;
  Input input;
};
/// Reads it back for the function that `find` gives for its name.
llvm::Expected<SavedInput>
readInput(llvm::StringRef text,
          llvm::function_ref<const ProgramFunction *(llvm::StringRef name)> find);

} // namespace heed::verification

#endif // HEED_VERIFICATION_INPUTS_H
