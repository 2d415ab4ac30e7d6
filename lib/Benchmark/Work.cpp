//===- Work.cpp - what a model has to do at least -------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Benchmark/Work.h"

#include "heed/Runtime/PackedWeights.h"
#include "heed/Weights/PanelLayout.h"
#include "heed/Weights/WeightsFile.h"

#include <algorithm>
#include <map>
#include <tuple>

using namespace heed;

Arithmetic Operations::mostly() const {
  return static_cast<Arithmetic>(std::max_element(of.begin(), of.end()) - of.begin());
}

LimitKind heed::limitOf(Arithmetic arithmetic, const Rooflines &rooflines) {
  LimitKind kind = arithmetic == Arithmetic::Int8    ? LimitKind::DotInt8
                   : arithmetic == Arithmetic::Int16 ? LimitKind::DotInt16
                   : arithmetic == Arithmetic::Bf16  ? LimitKind::DotBf16
                                                     : LimitKind::FmaF32;
  return rooflines[kind].samples.empty() ? LimitKind::FmaF32 : kind;
}

double Operations::leastNs(const Rooflines &rooflines) const {
  double ns = 0;
  for (Arithmetic kind : {Arithmetic::F32, Arithmetic::Bf16, Arithmetic::Int8, Arithmetic::Int16}) {
    double count = of[static_cast<int>(kind)];
    double perNs = rooflines[limitOf(kind, rooflines)].value();
    if (count > 0 && perNs <= 0)
      return 0;
    if (count > 0)
      ns += count / perNs;
  }
  return ns;
}

namespace {

/// One packed matrix, however many weights share it.
struct Matrix {
  int64_t bytes = 0;
  double operations = 0;
  Arithmetic arithmetic = Arithmetic::F32;
  bool isVocabulary = false;
};

Arithmetic arithmeticOf(const PanelLayout &layout, uint64_t instructions, bool precise) {
  if (precise)
    return Arithmetic::F32;
  if (layout.isQuantised())
    return layout.meetsBytes(instructions & (HEED_AVX512_VNNI | HEED_AVX_VNNI)) ? Arithmetic::Int8
                                                                                : Arithmetic::Int16;
  if (layout.quant == PanelLayout::Quant::BF16 && (instructions & HEED_AVX512_BF16))
    return Arithmetic::Bf16;
  return Arithmetic::F32;
}

/// The tensor that layer `layer` of `weight` was packed from, as PackedWeights finds it.
std::string tensorOf(const heed_weight &weight, int64_t layer, const WeightsFile *file) {
  std::string name = tensorName(weight.tensor, layer);
  bool isMissing = file && !file->find(name);
  return isMissing && weight.fallback ? tensorName(weight.fallback, layer) : name;
}

} // namespace

WeightWork heed::weightWork(const heed_artifact &artifact, const heed_function &function,
                            const WeightsFile *file, uint64_t instructions, bool precise) {
  bool isStep = function.kind == HEED_STEP && function.n_results == 1;
  int64_t vocabulary = isStep ? function.results[0].dims[1] : 0;
  using Key = std::tuple<std::string, uint32_t, int64_t, int64_t, int64_t, int32_t>;
  std::map<Key, Matrix> matrices;
  for (int64_t w = 0; w < artifact.n_weights; ++w) {
    const heed_weight &weight = artifact.weights[w];
    std::optional<StorageSet> storages = StorageSet::fromBits(weight.storages);
    if (weight.layout != HEED_LAYOUT_PANELS || !storages || weight.matrices < 1)
      continue;
    PanelLayout layout = panelLayout(*storages);
    Matrix matrix;
    matrix.bytes = weight.matrices * panelBytes(layout, weight.rows / weight.matrices, weight.cols);
    matrix.operations = 2.0 * static_cast<double>(weight.rows) * static_cast<double>(weight.cols);
    matrix.arithmetic = arithmeticOf(layout, instructions, precise);
    matrix.isVocabulary = isStep && weight.layers == 1 && weight.rows == vocabulary;
    for (int64_t layer = 0; layer < weight.layers; ++layer)
      matrices.try_emplace({tensorOf(weight, layer, file), weight.storages, weight.rows,
                            weight.cols, weight.matrices, weight.rank},
                           matrix);
  }

  WeightWork work;
  // Of two matrices with a row for each token one is looked up and the other multiplied.
  const Matrix *head = nullptr;
  for (const auto &[key, matrix] : matrices) {
    if (matrix.isVocabulary) {
      if (!head || matrix.bytes > head->bytes)
        head = &matrix;
      continue;
    }
    work.bytes += matrix.bytes;
    work.ofToken.of[static_cast<int>(matrix.arithmetic)] += matrix.operations;
  }
  if (head) {
    work.bytes += head->bytes;
    work.ofLogitsRow.of[static_cast<int>(head->arithmetic)] += head->operations;
  }
  return work;
}

int64_t heed::cacheBytesRead(const heed_function &function, int64_t rows) {
  int64_t bytes = 0;
  for (int32_t c = 0; c < function.n_caches; ++c) {
    const heed_cache &cache = function.caches[c];
    int64_t element = cache.element == HEED_I8                                  ? 1
                      : cache.element == HEED_F16 || cache.element == HEED_BF16 ? 2
                                                                                : 4;
    int64_t seen = cache.window > 0 ? std::min(rows, cache.window) : rows;
    bytes += cache.layers * cache.heads * cache.width * element * seen;
  }
  return bytes;
}
