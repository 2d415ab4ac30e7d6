//===- FileWeights.cpp - a weights file for the evaluator -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/FileWeights.h"

#include "heed/Weights/Dequantize.h"
#include "heed/Weights/WeightsFile.h"

#include "llvm/Support/JSON.h"

#include <span>

using namespace heed;
using namespace heed::verification;

namespace {

class FileWeights : public reference::WeightSource {
public:
  explicit FileWeights(std::unique_ptr<WeightsFile> file) : file(std::move(file)) {}

  llvm::Expected<llvm::ArrayRef<double>> dense(attn::WeightOp weight, int64_t layer) override {
    auto tensor = find(weight, layer);
    if (!tensor)
      return tensor.takeError();
    std::vector<double> &values = dequantized[(*tensor)->name];
    if (!values.empty())
      return llvm::ArrayRef<double>(values);
    auto bytes = stored(weight, layer);
    if (!bytes)
      return bytes.takeError();
    std::vector<float> floats((*tensor)->elements());
    dequantize(bytes->storage, bytes->bytes.data(), (*tensor)->elements(), floats.data());
    values.assign(floats.begin(), floats.end());
    return llvm::ArrayRef<double>(values);
  }

  llvm::Expected<reference::StoredWeight> stored(attn::WeightOp weight, int64_t layer) override {
    auto tensor = find(weight, layer);
    if (!tensor)
      return tensor.takeError();
    auto bytes = file->data(**tensor);
    if (!bytes)
      return llvm::createStringError(bytes.message());
    return reference::StoredWeight{*(*tensor)->storage, {bytes->data(), bytes->size()}};
  }

private:
  llvm::Expected<const TensorInfo *> find(attn::WeightOp weight, int64_t layer) {
    const TensorInfo *tensor = file->find(nameOf(weight.getTensor(), layer));
    if (!tensor && weight.getFallback())
      tensor = file->find(nameOf(*weight.getFallback(), layer));
    if (!tensor)
      return llvm::createStringError("'" + file->path() + "' has no tensor '" +
                                     nameOf(weight.getTensor(), layer) + "'");
    if (auto storage = supportedStorage(*tensor); !storage)
      return llvm::createStringError(storage.message());
    int64_t elements = 1;
    for (int64_t size : weight.getWeightType().getShape())
      elements *= size;
    if (elements != tensor->elements())
      return llvm::createStringError("tensor '" + tensor->name + "' has " +
                                     llvm::Twine(tensor->elements()) + " elements, expected " +
                                     llvm::Twine(elements));
    return tensor;
  }

  static std::string nameOf(llvm::StringRef pattern, int64_t layer) {
    auto [before, after] = pattern.split("{l}");
    if (before.size() == pattern.size())
      return pattern.str();
    return (before + llvm::Twine(layer) + after).str();
  }

  std::unique_ptr<WeightsFile> file;
  std::map<std::string, std::vector<double>> dequantized;
};

} // namespace

llvm::Expected<std::unique_ptr<reference::WeightSource>>
verification::openWeights(const std::string &path) {
  if (path.empty())
    return std::make_unique<reference::RandomWeights>();
  auto file = WeightsFile::open(path);
  if (!file)
    return llvm::createStringError(file.message());
  return std::make_unique<FileWeights>(std::move(*file));
}

std::string verification::savedWeightsPath(llvm::StringRef savedInput) {
  auto parsed = llvm::json::parse(savedInput);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return {};
  }
  const llvm::json::Object *all = parsed->getAsObject();
  return all ? all->getString("weights").value_or("").str() : std::string();
}
