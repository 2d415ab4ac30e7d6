//===- WeightNames.cpp - the names of stored tensors ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightNames.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::sema;

namespace {

constexpr std::string_view kLayer = "{l}";

std::vector<std::string_view> splitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' '))
      part.remove_prefix(1);
    while (part.ends_with(' '))
      part.remove_suffix(1);
    parts.push_back(part);
    if (comma == std::string_view::npos)
      return parts;
    text.remove_prefix(comma + 1);
  }
}

} // namespace

bool sema::fillPattern(Module &module, const ast::Weight &list, size_t position,
                       const std::string &variable, bool needsLayer, std::string &tensor) {
  auto fail = [&](std::string message) {
    module.report(DiagId::E0405, list.patternRange, std::move(message));
    return false;
  };
  const std::string &name = list.names[position].text;
  bool perLayer = !variable.empty();
  if (list.pattern.empty()) {
    tensor = perLayer ? fmt::format("{}.{}", kLayer, name) : name;
    return true;
  }
  bool hasLayer = false;
  std::string_view rest = list.pattern;
  tensor.clear();
  while (!rest.empty()) {
    size_t open = rest.find('{');
    tensor += rest.substr(0, open);
    if (open == std::string_view::npos)
      break;
    size_t close = rest.find('}', open);
    if (close == std::string_view::npos)
      return fail("a `{` in the pattern has no `}`");
    std::string_view hole = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
    if (hole == "name") {
      tensor += name;
    } else if (perLayer && hole == variable) {
      tensor += kLayer;
      hasLayer = true;
    } else if (hole.find(',') != std::string_view::npos) {
      std::vector<std::string_view> alternatives = splitAtCommas(hole);
      if (alternatives.size() != list.names.size())
        return fail(fmt::format("`{{{}}}` has {} alternatives for {} weight{}", hole,
                                alternatives.size(), list.names.size(),
                                list.names.size() == 1 ? "" : "s"));
      tensor += alternatives[position];
    } else {
      return fail(fmt::format("`{{{}}}` means nothing here; expected `{{name}}`{}, or alternatives "
                              "as in `{{a,b}}`",
                              hole, perLayer ? fmt::format(", `{{{}}}`", variable) : ""));
    }
  }
  if (needsLayer && !hasLayer)
    return fail(fmt::format("the pattern names the same tensor for every layer; expected `{{{}}}` "
                            "in it",
                            variable));
  return true;
}

std::string sema::tensorOfLayer(std::string_view tensor, int64_t layer) {
  std::string name;
  while (true) {
    size_t hole = tensor.find(kLayer);
    name += tensor.substr(0, hole);
    if (hole == std::string_view::npos)
      return name;
    name += std::to_string(layer);
    tensor.remove_prefix(hole + kLayer.size());
  }
}
