//===- RandomProgram.h - attention programs drawn at random -*- C++ -*-----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_RANDOM_RANDOMPROGRAM_H
#define HEED_TEST_RANDOM_RANDOMPROGRAM_H

#include "Dice.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace heed::random_programs {

/// A mask: `text` over the indices h, i and j, or operands joined by `op`.
struct Predicate {
  enum class Op { Atom, And, Or, Not };
  Op op = Op::Atom;
  std::string text;
  std::vector<Predicate> operands;

  std::string print() const;
};

/// What a program is, before it is text: small enough to be made smaller when it fails.
struct RandomProgram {
  enum class Form {
    Rows,  ///< q, k, v: [n, …]
    Heads, ///< q: [heads, n, …], k, v: [heads / group, n, …]
    Batch, ///< one axis more in front, of a size known at run time
    Cross, ///< as Heads, with keys of another length
    Step   ///< tokens in, logits out, layers and a derived cache
  };
  enum class Rope { None, Pairs, Halves };

  Form form = Form::Rows;
  int64_t keyHeads = 1, group = 1, depth = 16, width = 16;
  bool hasMask = false;
  Predicate mask;
  /// Each a formula that uses the score so far as `S`.
  std::vector<std::string> modifiers;
  std::string sink; ///< an extra logit, or ""
  float scale = 1;  ///< of the random queries and keys

  // Steps alone.
  int64_t layers = 1;
  Rope rope = Rope::None;
  bool normalised = false; ///< queries and keys, by rms_norm
  bool gated = false;      ///< the weighed values, by a sigmoid
  bool sharedKeys = false; ///< keys and values of all layers are the first one's
  bool latent = false;     ///< keys and values are made from a narrow vector

  /// The run-time sizes of one call: n, and m and batch where there are such axes.
  std::map<std::string, int64_t> sizes;

  static RandomProgram draw(Dice &dice);
  /// The program's text.
  std::string print() const;
  /// Programs that are simpler by one thing, the boldest first.
  std::vector<RandomProgram> simpler() const;

  bool hasHeads() const { return form != Form::Rows; }
  int64_t heads() const { return keyHeads * group; }

private:
  std::string printStep() const;
  std::string printPlain() const;
  std::string printPattern(const std::string &indent) const;
};

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_RANDOMPROGRAM_H
