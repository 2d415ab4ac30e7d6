//===- Declarations.cpp - sizes, constants, weights -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"
#include "WeightNames.h"

#include "../Suggestion.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::sema;

namespace {

/// More layers than any model has; the header of each is looked up.
constexpr int64_t kMostLayers = 65536;
/// Elements of one weight.
constexpr int64_t kMostElements = int64_t(1) << 48;

std::string spellShape(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Whether `declared` is `stored` with axes split in order.
bool splits(const std::vector<int64_t> &declared, const std::vector<int64_t> &stored) {
  size_t at = 0;
  for (int64_t extent : stored) {
    int64_t product = 1;
    while (at < declared.size() && product < extent)
      if (__builtin_mul_overflow(product, declared[at++], &product))
        return false;
    if (product != extent)
      return false;
  }
  while (at < declared.size() && declared[at] == 1)
    ++at;
  return at == declared.size();
}

/// Declares what stands outside functions, in order.
class Declarer {
public:
  Declarer(Module &module, Unit &unit) : module(module), unit(unit) {}

  void declare(const ast::Use &) {}
  void declare(const ast::Function &) {}
  void declare(const ast::Assert &) {} // once functions are checked
  void declare(const ast::Size &size);
  void declare(const ast::Const &constant);
  void declare(const ast::Weight &weight) { declareWeights(weight, 0, ""); }
  void declare(const ast::PerLayer &layers);

private:
  ExprPtr evaluate(const ast::Expr &expr) {
    program::Function scratch;
    return FunctionSema(module, scratch).evaluateGlobal(unit, expr);
  }
  std::optional<int64_t> evaluateSize(const ast::Expr &expr) {
    program::Function scratch;
    std::optional<Dim> dim = FunctionSema(module, scratch).evaluateDim(unit, expr, false);
    return dim ? std::optional(dim->extent.fixed) : std::nullopt;
  }
  void add(const ast::Name &name, Global global);
  void declareWeights(const ast::Weight &list, int64_t layers, const std::string &variable);
  bool matchHeader(program::Weight &weight, const ast::Weight &list);
  /// The stored tensor for one layer, the substitute where the first is missing; reports.
  std::optional<TensorHeader> findTensor(const program::Weight &weight, int64_t layer);

  Module &module;
  Unit &unit;
};

} // namespace

void Declarer::add(const ast::Name &name, Global global) {
  global.range = name.range;
  auto [place, isNew] = unit.globals.emplace(name.text, global);
  if (isNew)
    return;
  if (module.report(DiagId::E0301, name.range, fmt::format("`{}` is declared already", name.text)))
    module.note(place->second.range, "first declared here");
}

void Declarer::declare(const ast::Size &size) {
  Global global;
  if (size.value) {
    if (std::optional<int64_t> value = evaluateSize(*size.value)) {
      global.kind = Global::Size;
      global.integer = *value;
    }
  } else {
    program::RuntimeSize runtime{size.name.text, 0, size.name.range};
    std::optional<int64_t> bound =
        size.bound ? evaluateSize(*size.bound) : std::optional(int64_t(0));
    if (bound) {
      runtime.bound = *bound;
      global.kind = Global::RuntimeSize;
      global.index = static_cast<int32_t>(module.sizes.size());
      module.sizes.push_back(std::move(runtime));
    }
  }
  add(size.name, global);
}

void Declarer::declare(const ast::Const &constant) {
  Global global;
  if (ExprPtr value = evaluate(*constant.value)) {
    if (std::optional<int64_t> integer = constantInteger(*value)) {
      global.kind = Global::Int;
      global.integer = *integer;
    } else {
      global.kind = Global::Float;
      global.number = *constantNumber(*value);
    }
  }
  add(constant.name, global);
}

void Declarer::declare(const ast::PerLayer &layers) {
  std::optional<int64_t> count;
  if (layers.count) {
    count = evaluateSize(*layers.count);
  } else {
    const Global *size = unit.findGlobal("layers");
    if (size && size->kind == Global::Size)
      count = size->integer;
    else if (!size || size->kind != Global::Poison)
      module.report(DiagId::E0308, layers.variable.range,
                    fmt::format("the number of layers is unknown; declare `size layers = …`, or "
                                "write `per layer {} in COUNT`",
                                layers.variable.text));
  }
  if (count && *count > kMostLayers) {
    module.report(DiagId::E0309, layers.variable.range,
                  fmt::format("found {} layers; there may be {}", *count, kMostLayers));
    count.reset();
  }
  for (const ast::Weight &weight : layers.weights)
    declareWeights(weight, count.value_or(-1), layers.variable.text);
}

void Declarer::declareWeights(const ast::Weight &list, int64_t layers,
                              const std::string &variable) {
  std::vector<Dim> dims;
  std::vector<int64_t> shape;
  bool good = layers >= 0;
  int64_t elements = 1;
  for (const ast::ExprPtr &expr : list.shape) {
    program::Function scratch;
    std::optional<Dim> dim = FunctionSema(module, scratch).evaluateDim(unit, *expr, false);
    good &= dim.has_value();
    if (!dim)
      continue;
    if (elements > 0 && (__builtin_mul_overflow(elements, dim->extent.fixed, &elements) ||
                         elements > kMostElements)) {
      module.report(DiagId::E0309, list.shapeRange,
                    "the weight is too large; a tensor may have 2^48 elements");
      good = false;
      elements = 0;
    }
    shape.push_back(dim->extent.fixed);
    dims.push_back(std::move(*dim));
  }
  for (size_t position = 0; position < list.names.size(); ++position) {
    const ast::Name &name = list.names[position];
    program::Weight weight;
    weight.name = name.text;
    weight.storages = StorageType::F32;
    weight.shape = shape;
    weight.layers = std::max<int64_t>(layers, 0);
    weight.range = name.range;
    bool named =
        good && fillPattern(module, list, position, variable, !variable.empty(), weight.tensor);
    if (named && list.otherWeight) {
      const Global *other = unit.findGlobal(list.otherWeight->text);
      int64_t otherLayers =
          other && other->kind == Global::Weight ? module.program.weights[other->index].layers : 0;
      if (otherLayers != 0 && otherLayers != layers) {
        module.report(DiagId::E0407, list.otherRange,
                      fmt::format("`{}` is a weight of each of {} layers, this one isn't",
                                  list.otherWeight->text, otherLayers));
        named = false;
      } else if (other && other->kind == Global::Weight) {
        weight.fallback = module.program.weights[other->index].tensor;
        if (module.program.weights[other->index].shape != shape) {
          if (module.report(DiagId::E0404, list.otherRange,
                            fmt::format("the substitute `{}` is {}, expected {}",
                                        list.otherWeight->text,
                                        spellShape(module.program.weights[other->index].shape),
                                        spellShape(shape))))
            module.note(other->range, "declared here");
          named = false;
        }
      } else {
        if (!other || other->kind != Global::Poison)
          module.report(
              DiagId::E0302, list.otherRange,
              fmt::format("`{}` is no weight that is declared above", list.otherWeight->text));
        named = false;
      }
    } else if (named && !list.otherTensor.empty()) {
      ast::Weight other;
      other.pattern = list.otherTensor;
      other.patternRange = list.otherRange;
      other.names = list.names;
      named = fillPattern(module, other, position, variable, false, weight.fallback);
    }
    Global global;
    if (named && (!module.header || matchHeader(weight, list))) {
      global.kind = Global::Weight;
      global.index = static_cast<int32_t>(module.program.weights.size());
      module.program.weights.push_back(std::move(weight));
      module.weightDims.push_back(dims);
    }
    add(name, global);
  }
}

std::optional<TensorHeader> Declarer::findTensor(const program::Weight &weight, int64_t layer) {
  std::string name = tensorOfLayer(weight.tensor, layer);
  if (std::optional<TensorHeader> tensor = module.header->tensor(name))
    return tensor;
  std::string fallback = tensorOfLayer(weight.fallback, layer);
  if (!fallback.empty())
    if (std::optional<TensorHeader> tensor = module.header->tensor(fallback))
      return tensor;
  module.report(DiagId::E0403, weight.range,
                fallback.empty()
                    ? fmt::format("{} has no tensor `{}` of shape {}{}", module.header->path(),
                                  name, spellShape(weight.shape),
                                  suggestion(name, module.header->names()))
                    : fmt::format("{} has neither a tensor `{}` nor `{}`, of shape {}",
                                  module.header->path(), name, fallback, spellShape(weight.shape)));
  return std::nullopt;
}

bool Declarer::matchHeader(program::Weight &weight, const ast::Weight &list) {
  for (int64_t layer = 0; layer < std::max<int64_t>(weight.layers, 1); ++layer) {
    std::optional<TensorHeader> tensor = findTensor(weight, layer);
    if (!tensor)
      return false;
    std::string name = tensorOfLayer(weight.tensor, layer);
    if (!splits(weight.shape, tensor->shape)) {
      module.report(DiagId::E0404, weight.range,
                    fmt::format("`{}` is declared as {}, but the tensor `{}` is {}", weight.name,
                                spellShape(weight.shape), name, spellShape(tensor->shape)));
      return false;
    }
    std::optional<StorageType> storage = parseStorageType(tensor->storage);
    if (!storage) {
      module.report(DiagId::E0406, weight.range,
                    fmt::format("the tensor `{}` is stored as {}, which can't be computed with; "
                                "convert the file to one that stores it as Q8_0 or F16",
                                name, tensor->storage));
      return false;
    }
    if (layer == 0)
      weight.storages = *storage;
    weight.storages.insert(*storage);
  }
  return true;
}

void Module::declareGlobals(Unit &unit) {
  Declarer declarer(*this, unit);
  for (const ast::Declaration &declaration : unit.tree.declarations)
    std::visit([&](const auto &node) { declarer.declare(node); }, declaration);
}
