//===- WeightsHeader.cpp - a weights file as the front end sees it -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightsHeader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace heed;

ErrorOr<std::unique_ptr<WeightsHeader>> WeightsHeader::open(const std::string &path) {
  auto file = WeightsFile::open(path);
  if (!file)
    return file.error();
  auto header = std::make_unique<WeightsHeader>();
  header->file = std::move(*file);
  return header;
}

ErrorOr<std::unique_ptr<WeightsHeader>> WeightsHeader::openIfNamed(const std::string &path) {
  if (path.empty())
    return std::unique_ptr<WeightsHeader>();
  return open(path);
}

std::optional<TensorHeader> WeightsHeader::tensor(std::string_view name) const {
  const TensorInfo *info = file->find(name);
  if (!info)
    return std::nullopt;
  std::string storage =
      info->storage ? std::string(storageInfo(*info->storage).name) : info->storedAs;
  return TensorHeader{info->shape, storage};
}

std::optional<ModelHeader::Value> WeightsHeader::meta(std::string_view key) const {
  const MetaValue *value = file->meta(key);
  if (!value)
    return std::nullopt;
  if (auto integer = metaInteger(*value))
    return Value(*integer);
  if (auto number = metaNumber(*value))
    return Value(*number);
  if (auto *text = std::get_if<std::string>(value))
    return Value(*text);
  return std::nullopt;
}

std::vector<std::string> WeightsHeader::names() const {
  std::vector<std::string> names;
  for (const TensorInfo &tensor : file->tensors())
    names.push_back(tensor.name);
  return names;
}

std::vector<std::string> WeightsHeader::keys() const {
  std::vector<std::string> keys;
  for (const auto &entry : file->metadata())
    keys.push_back(entry.first);
  return keys;
}

std::string WeightsHeader::path() const { return file->path(); }

std::string WeightsHeader::facts() const {
  std::string facts;
  for (const TensorInfo &tensor : file->tensors())
    facts += fmt::format("{} {} {}\n", tensor.name, tensor.storedAs, fmt::join(tensor.shape, "x"));
  for (const std::string &key : keys())
    if (std::optional<Value> value = meta(key))
      std::visit([&](const auto &plain) { facts += fmt::format("{} = {}\n", key, plain); }, *value);
  return facts;
}
