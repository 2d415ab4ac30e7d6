//===- WeightsFile.cpp - tensors and metadata of a weights file -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/WeightsFile.h"

#include "FileContents.h"
#include "PrintableName.h"
#include "ShardIndex.h"
#include "heed/Weights/JsonEntries.h"
#include "heed/Weights/MappedFile.h"

#include <fmt/format.h>

#include <cstring>
#include <sys/stat.h>
#include <unordered_map>

namespace heed {

namespace {

constexpr std::string_view indexSuffix = ".safetensors.index.json";
constexpr size_t longestIndex = size_t{64} << 20;

/// What lies beside safetensors files and says what GGUF has among its metadata. A key that several
/// have is taken from the first.
constexpr std::string_view besideSafetensors[] = {"config.json", "sentence_bert_config.json"};

Error inFile(const std::string &path, const Error &error) {
  return makeError(fmt::format("{}: {}", path, error.message));
}

bool beginsWith(std::span<const std::byte> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

/// GGUF says what it is; a safetensors file begins with a length, then JSON.
ErrorOr<WeightsFile::Format> formatOf(std::span<const std::byte> bytes) {
  if (beginsWith(bytes, "GGUF"))
    return WeightsFile::Format::Gguf;
  if (bytes.size() > 8 && bytes[8] == std::byte{'{'})
    return WeightsFile::Format::Safetensors;
  const char *found = "something else";
  if (beginsWith(bytes, "PK"))
    found = "a zip archive, perhaps a PyTorch checkpoint";
  else if (beginsWith(bytes, "lmgg") || beginsWith(bytes, "tjgg") || beginsWith(bytes, "fmgg"))
    found = "a GGML file from before GGUF";
  else if (beginsWith(bytes, "version https://git-lfs"))
    found = "a Git LFS pointer without its contents";
  return makeError(fmt::format("this is {}, expected GGUF or safetensors; convert or download the "
                               "model in one of these",
                               found));
}

ErrorOr<FileContents> parse(WeightsFile::Format format, std::span<const std::byte> bytes) {
  return format == WeightsFile::Format::Gguf ? parseGguf(bytes) : parseSafetensors(bytes);
}

bool isFolder(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool exists(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

} // namespace

int64_t TensorInfo::elements() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

ErrorOr<StorageType> supportedStorage(const TensorInfo &tensor) {
  if (tensor.storage)
    return *tensor.storage;
  return makeError(
      fmt::format("tensor {} is stored as {}, expected F32, F16, BF16, Q4_0, Q4_1, "
                  "Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K; convert the model to one of these",
                  printableName(tensor.name), tensor.storedAs));
}

WeightsFile::WeightsFile(std::string path, Format format)
    : filePath(std::move(path)), fileFormat(format) {}

WeightsFile::~WeightsFile() = default;

ErrorOr<std::unique_ptr<WeightsFile>> WeightsFile::open(const std::string &path) {
  if (isFolder(path)) {
    const std::string single = path + "/model.safetensors";
    const std::string index = path + "/model.safetensors.index.json";
    if (exists(single))
      return open(single);
    if (exists(index))
      return fromIndex(index);
    return makeError(fmt::format("{}: the folder holds neither model.safetensors nor "
                                 "model.safetensors.index.json; name the weights file itself",
                                 path));
  }
  if (path.ends_with(indexSuffix))
    return fromIndex(path);
  ErrorOr<std::unique_ptr<MappedFile>> mapping = MappedFile::open(path);
  if (!mapping)
    return mapping.error();
  ErrorOr<std::unique_ptr<WeightsFile>> file = fromMapping(std::move(*mapping));
  if (file && (*file)->format() == Format::Safetensors)
    if (ErrorOr<void> added = (*file)->addFilesBeside(); !added)
      return added.error();
  return file;
}

ErrorOr<std::unique_ptr<WeightsFile>> WeightsFile::fromBytes(std::span<const std::byte> bytes,
                                                             const std::string &name) {
  return fromMapping(MappedFile::fromBytes(bytes, name));
}

ErrorOr<std::unique_ptr<WeightsFile>>
WeightsFile::fromMapping(std::unique_ptr<MappedFile> mapping) {
  ErrorOr<Format> format = formatOf(mapping->bytes());
  if (!format)
    return inFile(mapping->path(), format.error());
  ErrorOr<FileContents> contents = parse(*format, mapping->bytes());
  if (!contents)
    return inFile(mapping->path(), contents.error());
  std::unique_ptr<WeightsFile> file(new WeightsFile(mapping->path(), *format));
  file->shards.push_back(std::move(mapping));
  file->setTensors(std::move(contents->tensors));
  file->metaValues = std::move(contents->metadata);
  return file;
}

ErrorOr<std::unique_ptr<WeightsFile>> WeightsFile::fromIndex(const std::string &path) {
  ErrorOr<std::unique_ptr<MappedFile>> mapping = MappedFile::open(path);
  if (!mapping)
    return mapping.error();
  std::span<const std::byte> json = (*mapping)->bytes();
  if (json.size() > longestIndex)
    return makeError(fmt::format("{}: the index has {} bytes, expected at most {}", path,
                                 json.size(), longestIndex));
  ErrorOr<ShardIndex> index =
      parseShardIndex({reinterpret_cast<const char *>(json.data()), json.size()});
  if (!index)
    return inFile(path, index.error());

  std::unique_ptr<WeightsFile> file(new WeightsFile(path, Format::Safetensors));
  const std::string folder = file->folder();
  std::vector<std::unordered_map<std::string, TensorInfo>> found;
  for (const std::string &name : index->shards) {
    ErrorOr<std::unique_ptr<MappedFile>> shard = MappedFile::open(folder + name);
    if (!shard)
      return shard.error();
    ErrorOr<FileContents> contents = parseSafetensors((*shard)->bytes());
    if (!contents)
      return inFile(folder + name, contents.error());
    auto &byName = found.emplace_back();
    for (TensorInfo &tensor : contents->tensors) {
      tensor.shard = static_cast<uint32_t>(file->shards.size());
      std::string key = tensor.name;
      byName.emplace(std::move(key), std::move(tensor));
    }
    for (auto &[key, value] : contents->metadata)
      file->metaValues.try_emplace(key, std::move(value));
    file->shards.push_back(std::move(*shard));
  }

  std::vector<TensorInfo> tensors;
  for (const ShardIndex::Entry &entry : index->entries) {
    auto tensor = found[entry.shard].find(entry.tensor);
    if (tensor == found[entry.shard].end())
      return makeError(fmt::format("{}: tensor {} is said to lie in {}, which lacks it", path,
                                   printableName(entry.tensor),
                                   printableName(index->shards[entry.shard])));
    tensors.push_back(std::move(tensor->second));
  }
  file->setTensors(std::move(tensors));
  if (ErrorOr<void> added = file->addFilesBeside(); !added)
    return added.error();
  return file;
}

ErrorOr<void> WeightsFile::addFilesBeside() {
  for (std::string_view name : besideSafetensors) {
    ErrorOr<JsonEntries> entries = readJsonFile(folder() + std::string(name));
    if (!entries)
      return entries.error();
    for (auto &[key, value] : *entries)
      metaValues.try_emplace(key, std::move(value));
  }
  return {};
}

std::string WeightsFile::folder() const { return filePath.substr(0, filePath.rfind('/') + 1); }

void WeightsFile::setTensors(std::vector<TensorInfo> tensors) {
  tensorList = std::move(tensors);
  for (size_t i = 0; i < tensorList.size(); ++i)
    tensorByName.emplace(tensorList[i].name, i);
}

const TensorInfo *WeightsFile::find(std::string_view name) const {
  auto found = tensorByName.find(name);
  return found == tensorByName.end() ? nullptr : &tensorList[found->second];
}

ErrorOr<std::span<const std::byte>> WeightsFile::data(const TensorInfo &tensor) const {
  const MappedFile &shard = *shards[tensor.shard];
  if (ErrorOr<void> size = shard.checkSize(); !size)
    return size.error();
  return shard.bytes().subspan(tensor.offset, tensor.bytes);
}

void WeightsFile::releasePages() const {
  for (const auto &shard : shards)
    shard->releasePages();
}

std::string WeightsFile::identity() const {
  std::string all;
  for (const auto &shard : shards) {
    std::string one = shard->identity();
    if (one.empty())
      return {};
    all += one + '\n';
  }
  return all;
}

const MetaValue *WeightsFile::meta(std::string_view key) const {
  auto found = metaValues.find(key);
  return found == metaValues.end() ? nullptr : &found->second;
}

} // namespace heed
