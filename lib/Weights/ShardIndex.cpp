//===- ShardIndex.cpp - which safetensors file holds which tensor ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   {"metadata": {…}, "weight_map": {"tensor": "model-00001-of-00002.safetensors", …}}
//
// Only weight_map is read; whatever else the object holds is skipped.
//
//===----------------------------------------------------------------------===//

#include "ShardIndex.h"

#include "PrintableName.h"
#include "heed/Weights/JsonEvents.h"

#include <map>
#include <set>

namespace heed {

namespace {

// Each shard keeps a file open.
constexpr size_t mostShards = 512;

class IndexReader : public JsonEvents {
public:
  ShardIndex index;
  bool hasMap = false;

  bool start_object(size_t) override {
    if (depth == 1 && inMap)
      hasMap = true;
    else if (inMap)
      return unexpected("an object");
    ++depth;
    return true;
  }
  bool end_object() override {
    if (--depth == 1)
      inMap = false;
    return true;
  }
  bool start_array(size_t) override {
    if (inMap || depth == 0)
      return unexpected("an array");
    ++depth;
    return true;
  }
  bool end_array() override {
    --depth;
    return true;
  }
  bool key(std::string &name) override {
    if (depth == 1) {
      inMap = name == "weight_map";
      return !(inMap && hasMap) || fail("the index has weight_map twice");
    }
    if (!inMap)
      return true;
    tensor = name;
    return isTensorName(name) ||
           fail(fmt::format("weight_map has the tensor {}, expected a name of 1 to 1024 bytes "
                            "without control characters",
                            printableName(name)));
  }
  bool string(std::string &value) override {
    if (!inMap)
      return depth > 0 || unexpected("a string");
    return depth == 2 ? addEntry(value) : unexpected("a string");
  }
  bool number_unsigned(Json::number_unsigned_t) override { return otherValue("a number"); }
  bool otherValue(const char *what) override { return (depth > 0 && !inMap) || unexpected(what); }

protected:
  std::string place() const override {
    return inMap ? "in weight_map, expected a file's name for each tensor"
                 : "where the index's object should begin";
  }

private:
  bool addEntry(const std::string &file) {
    if (file.empty() || file == "." || file == ".." ||
        file.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
      return fail(fmt::format("tensor {} is said to lie in {}, expected the plain name of a file "
                              "beside the index",
                              printableName(tensor), printableName(file)));
    auto [position, isNew] = shardByName.try_emplace(file, index.shards.size());
    if (isNew)
      index.shards.push_back(file);
    if (index.shards.size() > mostShards)
      return fail(fmt::format("the index names more than {} files", mostShards));
    if (!tensors.insert(tensor).second)
      return fail(fmt::format("weight_map has the tensor {} twice", printableName(tensor)));
    index.entries.push_back({tensor, position->second});
    return true;
  }

  size_t depth = 0; // of open objects and arrays
  bool inMap = false;
  std::string tensor;
  std::map<std::string, size_t> shardByName;
  std::set<std::string> tensors;
};

} // namespace

ErrorOr<ShardIndex> parseShardIndex(std::string_view json) {
  IndexReader reader;
  if (ErrorOr<void> read = reader.read(json); !read)
    return read.error();
  if (!reader.hasMap)
    return makeError("the index has no weight_map, which says where each tensor lies");
  return std::move(reader.index);
}

} // namespace heed
