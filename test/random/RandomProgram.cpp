//===- RandomProgram.cpp - attention programs drawn at random -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomProgram.h"

#include <fmt/format.h>

using namespace heed::random_programs;

using Form = RandomProgram::Form;

std::string Predicate::print() const {
  switch (op) {
  case Op::Atom:
    return text;
  case Op::Not:
    return "!(" + operands[0].print() + ")";
  case Op::And:
  case Op::Or:
    break;
  }
  std::string joined;
  for (const Predicate &operand : operands)
    joined += (joined.empty() ? "(" : op == Op::And ? ") && (" : ") || (") + operand.print();
  return joined + ")";
}

//===----------------------------------------------------------------------===//
// Drawing
//===----------------------------------------------------------------------===//

/// A comparison of indices.
static std::string drawAtom(Dice &dice, const RandomProgram &program) {
  int64_t few = dice.between(0, 9), some = dice.between(1, 70), small = dice.between(2, 9);
  std::vector<std::string> atoms = {
      "j <= i",
      "j < i",
      "j >= i",
      fmt::format("i - j < {}", some),
      fmt::format("j - i <= {}", few),
      fmt::format("j < {}", few),
      fmt::format("j >= {}", few),
      fmt::format("(i - j) % {} == 0", small),
      fmt::format("i / {} == j / {}", some, some),
      fmt::format("j / {} < i / {}", small, small),
      fmt::format("i + j < {}", some * 2),
      "2 * j <= i",
      "j != i",
      fmt::format("j % {} != 1", small),
      fmt::format("abs(i - j) < {}", some),
      fmt::format("max(j - {}, 0) <= i", few),
  };
  if (program.form == Form::Step) {
    atoms.push_back("l % 2 == 1");
    atoms.push_back("l > 0");
  } else {
    atoms.push_back("j < prefix");
    atoms.push_back(program.form == Form::Batch ? "j < length[b]" : "j < length");
    atoms.push_back("keep[j] > 0");
    atoms.push_back("ask[i] == keep[j]");
  }
  if (program.form != Form::Step && program.form != Form::Cross)
    atoms.push_back("segment[i] == segment[j]");
  if (program.hasHeads()) {
    atoms.push_back("h % 2 == 0");
    atoms.push_back("i - j <= 5 * h");
  }
  return dice.pick(atoms);
}

static Predicate drawPredicate(Dice &dice, const RandomProgram &program, int levels) {
  if (levels == 0 || dice.percent(35))
    return {Predicate::Op::Atom, drawAtom(dice, program), {}};
  if (dice.percent(15))
    return {Predicate::Op::Not, "", {drawPredicate(dice, program, levels - 1)}};
  Predicate both{dice.percent(60) ? Predicate::Op::And : Predicate::Op::Or, "", {}};
  for (int operand = 0; operand < 2; ++operand)
    both.operands.push_back(drawPredicate(dice, program, levels - 1));
  return both;
}

static Predicate drawMask(Dice &dice, const RandomProgram &program) {
  Predicate any = drawPredicate(dice, program, static_cast<int>(dice.between(0, 3)));
  // Without this no cache could be derived.
  Predicate causal{Predicate::Op::Atom, "j <= i", {}};
  if (program.form != Form::Step && dice.percent(50)) {
    // A mask without the softmax's own index is refused, since it says nothing of keys.
    if (any.print().find('j') != std::string::npos)
      return any;
    return {Predicate::Op::Or, "", {any, causal}};
  }
  return dice.percent(40) ? causal : Predicate{Predicate::Op::And, "", {causal, any}};
}

static std::string drawModifier(Dice &dice, const RandomProgram &program) {
  std::vector<std::string> modifiers = {
      "20.0 * tanh(S / 20.0)",
      "softcap(S, 5.0)",
      "S - 0.125 * float(i - j)",
      "if j % 3 == 0 then S else 0.5 * S",
      "abs(S)",
      "exp(min(S, 3.0) * 0.25)",
      "S * S * 0.1",
      "max(S, -1.0)",
      "S / (1.0 + abs(S))",
      "S + log(1.0 + float(abs(i - j)))",
      "sigmoid(S)",
  };
  if (program.form != Form::Step) {
    modifiers.push_back("S + col[j]");
    modifiers.push_back("S * row[i]");
    modifiers.push_back("if keep[j] > 0 then S else S - 2.0");
  }
  if (program.hasHeads()) {
    modifiers.push_back("S * temperature[h]");
    modifiers.push_back("S + 2.0 ** (-float(h + 1)) * float(j - i)");
    modifiers.push_back("S + bias[h, min(abs(i - j), 7)]");
    modifiers.push_back("S + bias[h, min(max(j - i + 4, 0), 7)]");
  }
  return dice.pick(modifiers);
}

/// Sizes that are no multiples of tiles, and those that are.
static int64_t drawLength(Dice &dice) {
  return dice.pick<int64_t>({1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 70, 100, 129});
}

static void drawSizes(Dice &dice, RandomProgram &program) {
  // The oracle is slow: about so many products each.
  constexpr int64_t kMostWork = 200'000;
  int64_t n = 1, m = 1, batch = 1;
  for (int tries = 0; tries < 20; ++tries) {
    n = drawLength(dice);
    m = program.form == Form::Cross ? drawLength(dice) : n;
    batch = program.form == Form::Batch ? dice.between(1, 3) : 1;
    if (n * m * batch * program.heads() * (program.depth + program.width) * program.layers <=
        kMostWork)
      break;
    n = m = batch = 1;
  }
  program.sizes["n"] = n;
  if (program.form == Form::Cross)
    program.sizes["m"] = m;
  if (program.form == Form::Batch)
    program.sizes["batch"] = batch;
}

RandomProgram RandomProgram::draw(Dice &dice) {
  RandomProgram program;
  program.form = dice.pick(
      {Form::Rows, Form::Heads, Form::Heads, Form::Batch, Form::Cross, Form::Step, Form::Step});
  if (program.hasHeads()) {
    program.keyHeads = dice.pick<int64_t>({1, 1, 2, 3});
    program.group = dice.pick<int64_t>({1, 1, 2, 3, 4, 7});
  }
  program.depth = dice.pick<int64_t>({4, 8, 16, 16, 20, 32, 33, 64, 72, 80, 96, 128});
  program.width = dice.percent(60) ? program.depth : dice.pick<int64_t>({1, 8, 16, 24, 48, 65, 96});
  if (program.form == Form::Step) {
    program.layers = dice.pick<int64_t>({1, 2, 3, 4});
    program.rope =
        program.depth % 2 ? Rope::None : dice.pick({Rope::None, Rope::Pairs, Rope::Halves});
    program.normalised = dice.percent(25);
    program.gated = dice.percent(20);
    program.latent = dice.percent(20);
    program.sharedKeys = !program.latent && dice.percent(20);
  }
  program.hasMask = program.form == Form::Step || dice.percent(85);
  if (program.hasMask)
    program.mask = drawMask(dice, program);
  for (int64_t count = dice.pick<int64_t>({0, 0, 0, 1, 1, 2, 3}); count > 0; --count)
    program.modifiers.push_back(drawModifier(dice, program));
  if (dice.percent(25))
    program.sink =
        program.hasHeads() ? dice.pick<std::string>({"sink[h]", "0.5", "sink[h]"}) : "0.5";
  program.scale = dice.pick({1.0f, 1.0f, 0.01f, 6.0f});
  drawSizes(dice, program);
  return program;
}

//===----------------------------------------------------------------------===//
// Simplifying
//===----------------------------------------------------------------------===//

/// Predicates that are simpler than `whole` by one step.
static std::vector<Predicate> simplerPredicates(const Predicate &whole) {
  std::vector<Predicate> simpler(whole.operands);
  for (size_t operand = 0; operand < whole.operands.size(); ++operand)
    for (Predicate &inner : simplerPredicates(whole.operands[operand])) {
      simpler.push_back(whole);
      simpler.back().operands[operand] = std::move(inner);
    }
  return simpler;
}

std::vector<RandomProgram> RandomProgram::simpler() const {
  std::vector<RandomProgram> all;
  auto with = [&](auto change) {
    RandomProgram changed(*this);
    change(changed);
    if (changed.print() != print() || changed.sizes != sizes || changed.scale != scale)
      all.push_back(std::move(changed));
  };
  if (form == Form::Batch || form == Form::Cross)
    with([](RandomProgram &p) {
      p.form = Form::Heads;
      p.sizes.erase("m");
      p.sizes.erase("batch");
    });
  if (form != Form::Step)
    with([](RandomProgram &p) { p.hasMask = false; });
  with([](RandomProgram &p) { p.modifiers.clear(); });
  with([](RandomProgram &p) { p.sink.clear(); });
  with([](RandomProgram &p) { p.layers = 1; });
  with([](RandomProgram &p) { p.rope = Rope::None; });
  for (bool RandomProgram::*flag : {&RandomProgram::normalised, &RandomProgram::gated,
                                    &RandomProgram::sharedKeys, &RandomProgram::latent})
    with([&](RandomProgram &p) { p.*flag = false; });
  for (size_t modifier = 0; modifier < modifiers.size(); ++modifier)
    with([&](RandomProgram &p) { p.modifiers.erase(p.modifiers.begin() + modifier); });
  if (hasMask)
    for (Predicate &less : simplerPredicates(mask))
      // A step keeps a mask that is causal by its looks.
      if (less.print().find(form == Form::Step ? "j <= i" : "j") != std::string::npos)
        with([&](RandomProgram &p) { p.mask = less; });
  with([](RandomProgram &p) { p.scale = 1; });
  with([](RandomProgram &p) { p.keyHeads = 1; });
  with([](RandomProgram &p) { p.group = 1; });
  with([](RandomProgram &p) { p.depth = p.depth > 4 ? 4 : p.depth; });
  with([](RandomProgram &p) { p.width = p.width > 1 ? 1 : p.width; });
  for (const auto &[name, value] : sizes)
    for (int64_t smaller : {int64_t(1), value / 2, value - 1})
      if (smaller >= 1 && smaller < value)
        with([&](RandomProgram &p) { p.sizes[name] = smaller; });
  return all;
}
