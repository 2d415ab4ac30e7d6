//===- ProductTuning.cpp - measures which tiles are fastest here ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A processor's speed drifts by more than tiles differ. So they are timed in turns,
// and compared within a round. The fastest of many has had luck too: whether it is
// faster than the model's tile is decided by rounds of these two alone.
//
//===----------------------------------------------------------------------===//

#include "heed/Tuning/ProductTuning.h"

#include "KernelWeights.h"

#include "heed/Benchmark/Statistics.h"
#include "heed/Dialect/Attn/Transforms/ProductKind.h"
#include "heed/Pipelines/Compiler.h"
#include "heed/Runtime/Model.h"
#include "heed/Verification/LoadedProgram.h"

#include "llvm/ADT/StringSet.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>

using namespace heed;
using namespace heed::tuning;

/// A sample is of as many calls as take so long.
constexpr double kSampleNs = 2e6;

/// Of tiles with the same rows and panels so many are measured.
constexpr int kPartsOfTile = 3;

/// Weights take at least so much, more than a second cache level: as in a model, each comes from
/// further away.
constexpr int64_t kWeightBytes = 16 << 20;
constexpr int64_t kMostLayers = 512;

namespace {

/// What all candidates share, beside threads, since weights of their own would lie elsewhere.
struct Shared {
  PackedWeights weights;
  int64_t layers;
  std::vector<float> x, y;
};

/// A product for each of some layers, compiled with one tile.
class Candidate {
public:
  static ErrorOr<Candidate> compile(const Product &product, const cost::ProjectTile &tile,
                                    const KernelWeights &weights, int64_t layers,
                                    const std::shared_ptr<Pool> &pool,
                                    const TuningOptions &options);

  const heed_artifact &artifact() const { return code->artifact(); }
  /// Nanoseconds of a product.
  ErrorOr<double> time(Shared &shared);

  cost::ProjectTile tile;

private:
  std::unique_ptr<verification::LoadedProgram> code;
  std::unique_ptr<heed_model> model;
  int64_t rows = 0;
};

} // namespace

ErrorOr<Candidate> Candidate::compile(const Product &product, const cost::ProjectTile &tile,
                                      const KernelWeights &weights, int64_t layers,
                                      const std::shared_ptr<Pool> &pool,
                                      const TuningOptions &options) {
  CompilerOptions compilerOptions;
  compilerOptions.sets = {options.set};
  compilerOptions.precise = options.precise;
  compilerOptions.tiles[options.set->name] = {product.kind + "=" + attn::printTile(tile)};
  // Weights beside each other meet in a product of their sums.
  std::string declared, sums;
  for (int64_t number = 0; number < product.projection.weights; ++number) {
    declared += fmt::format("  weight W{} : [n, k] = \"W.{{l}}\"\n", number);
    sums += fmt::format("{}(sum[c] W{}[l][j, c] * X[i, c])", number == 0 ? "" : " * ", number);
  }
  std::string text =
      fmt::format("size layers = {}, k = {}, n = {}, m\n"
                  "per layer l {{\n{}}}\n"
                  "fn product(X: [m, k], Start: [m, n]) -> [m, n] {{\n"
                  "  Y = Start\n"
                  "  for l in layers {{ Y[i, j] += {} }}\n"
                  "  return Y\n"
                  "}}\n",
                  layers, product.projection.columns, product.projection.features, declared, sums);
  Compiler compiler("product.heed", text, compilerOptions);
  auto noFile = [](const std::string &path) -> ErrorOr<std::string> {
    return makeError("the product uses no file, but '" + path + "' was asked for");
  };
  if (!compiler.check(&weights, noFile))
    return makeError("a product of the kind " + product.kind + " can't be compiled alone");
  auto object = compiler.code(CodeFormat::Object, ArtifactUse::Library);
  if (!object)
    return object.error();
  auto loaded = verification::LoadedProgram::load(*object);
  if (!loaded)
    return loaded.error();
  Candidate candidate;
  candidate.tile = tile;
  candidate.rows = options.rows;
  candidate.code = std::move(*loaded);
  candidate.model = std::make_unique<heed_model>();
  candidate.model->artifact = &candidate.artifact();
  candidate.model->variant = candidate.artifact().variants;
  candidate.model->pool = pool;
  return candidate;
}

ErrorOr<double> Candidate::time(Shared &shared) {
  const void *params[] = {shared.x.data(), shared.y.data()};
  void *results[] = {shared.y.data()};
  std::swap(model->weights, shared.weights);
  Status status;
  double nanoseconds = 0;
  int64_t products = 0;
  auto start = std::chrono::steady_clock::now();
  for (; status.ok() && nanoseconds < kSampleNs; products += shared.layers) {
    status = model->call(0, &rows, params, results);
    std::chrono::duration<double, std::nano> since = std::chrono::steady_clock::now() - start;
    nanoseconds = since.count();
  }
  std::swap(model->weights, shared.weights);
  if (!status.ok())
    return makeError(status.message);
  return nanoseconds / static_cast<double>(products);
}

/// Times all candidates in turns: `rounds` numbers for each.
static ErrorOr<std::vector<std::vector<double>>>
timeInTurns(const std::vector<Candidate *> &candidates, int rounds, Shared &shared) {
  std::vector<std::vector<double>> times(candidates.size());
  for (int round = -1; round < rounds; ++round) // the first warms up
    for (size_t at = 0; at < candidates.size(); ++at) {
      auto time = candidates[at]->time(shared);
      if (!time)
        return time.error();
      if (round >= 0)
        times[at].push_back(*time);
    }
  return times;
}

std::vector<Product> heed::tuning::productsOf(mlir::ModuleOp module) {
  std::vector<Product> products;
  llvm::StringSet<> known;
  module.walk([&](attn::ProjectOp op) {
    Product product{attn::kindOf(op), attn::costOf(op)};
    if (!known.insert(product.kind).second)
      return;
    auto bits = static_cast<uint32_t>(op.getWeight().getType().getStorage());
    StorageSet set = *StorageSet::fromBits(bits);
    product.storage = *std::ranges::find_if(allStorageTypes,
                                            [&](StorageType type) { return set.contains(type); });
    products.push_back(std::move(product));
  });
  return products;
}

/// The tile that the compiler chooses, then those that the model holds to be the cheapest for so
/// many rows, but few that differ in their parts alone.
static std::vector<cost::ProjectTile> candidatesOf(cost::Projection projection,
                                                   const TuningOptions &options) {
  auto processor = cost::Processor::withLanes(options.set->vectorBits / 32);
  std::vector<cost::ProjectTile> tiles = {cost::tilesOf(projection, processor).front()};
  std::map<std::pair<int64_t, int64_t>, int> partsOf;
  projection.rows = options.rows;
  for (const cost::ProjectTile &tile : cost::tilesOf(projection, processor))
    if (tile != tiles.front() && partsOf[{tile.rows, tile.panels}]++ < kPartsOfTile)
      tiles.push_back(tile);
  tiles.resize(std::min<size_t>(tiles.size(), std::max(1, options.candidates)));
  return tiles;
}

ErrorOr<Tuned> heed::tuning::tune(const Product &product, const TuningOptions &options) {
  const cost::Projection &projection = product.projection;
  StorageInfo storage = storageInfo(product.storage);
  int64_t bytes =
      projection.features * projection.columns / storage.blockElements * storage.blockBytes;
  int64_t layers = std::clamp<int64_t>(kWeightBytes / std::max<int64_t>(1, bytes), 1, kMostLayers);
  auto weights =
      KernelWeights::make(product.storage, projection.features, projection.columns, layers);
  if (!weights)
    return weights.error();
  auto pool = Pool::create(options.threads); // one, so that all run on the same processors
  if (!pool)
    return pool.error();
  std::vector<cost::ProjectTile> tiles = candidatesOf(projection, options);
  Shared shared{{}, layers, {}, {}}; // outlives the models, which wait for threads that look here
  std::vector<Candidate> candidates;
  for (const cost::ProjectTile &tile : tiles) {
    auto candidate = Candidate::compile(product, tile, **weights, layers, *pool, options);
    if (!candidate)
      return candidate.error();
    candidates.push_back(std::move(*candidate));
  }
  shared.x.resize(options.rows * projection.columns, 0.5f);
  shared.y.resize(options.rows * projection.features);
  Status loaded = shared.weights.load(candidates.front().artifact(), &(*weights)->file(), **pool);
  if (!loaded.ok())
    return makeError(loaded.message);
  std::vector<Candidate *> all;
  for (Candidate &candidate : candidates)
    all.push_back(&candidate);
  auto times = timeInTurns(all, options.rounds, shared);
  if (!times)
    return times.error();
  auto fastest =
      std::ranges::min_element(*times, {}, [](const auto &ofTile) { return median(ofTile); });
  Candidate &best = candidates[fastest - times->begin()];

  Tuned tuned;
  tuned.model = tuned.best = tiles.front();
  for (size_t at = 0; at < tiles.size(); ++at)
    tuned.all.emplace_back(tiles[at], median((*times)[at]) / 1e6);
  tuned.milliseconds = median(times->front()) / 1e6;
  if (best.tile == tuned.model)
    return tuned;
  times = timeInTurns({all.front(), &best}, options.rounds, shared);
  if (!times)
    return times.error();
  std::vector<double> ratios;
  for (size_t round = 0; round < times->front().size(); ++round)
    ratios.push_back((*times)[0][round] / (*times)[1][round]);
  double least = bootstrapInterval(ratios, median).low;
  if (least <= 1)
    return tuned;
  tuned.best = best.tile;
  tuned.gain = median(ratios);
  tuned.gainAtLeast = least;
  tuned.milliseconds = median((*times)[1]) / 1e6;
  return tuned;
}
