//===- ShardIndexTest.cpp - models in several safetensors files -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileBytes.h"
#include "ScratchFolder.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

std::string shard(std::string_view tensor) {
  return safetensorsBytes(
      "{\"" + std::string(tensor) + R"(":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
}

class ShardIndexTest : public testing::Test {
protected:
  ScratchFolder folder;

  void expectIndexRefused(std::string_view index, std::string_view part) {
    folder.write("model.safetensors.index.json", index);
    auto file = WeightsFile::open(folder.path());
    ASSERT_FALSE(file) << "expected an error with: " << part;
    EXPECT_NE(file.message().find(part), std::string::npos)
        << file.message() << "\nexpected: " << part;
  }
};

TEST_F(ShardIndexTest, JoinsShards) {
  folder.write("one.safetensors", shard("a"));
  folder.write("two.safetensors", shard("b"));
  std::string index =
      folder.write("model.safetensors.index.json",
                   R"({"metadata":{"total_size":16,"x":[{"y":null}]},"more":true,)"
                   R"("weight_map":{"b":"two.safetensors","a":"one.safetensors"}})");
  for (const std::string &path : {folder.path(), index}) {
    auto file = WeightsFile::open(path);
    ASSERT_TRUE(file) << file.message();
    ASSERT_EQ((*file)->tensors().size(), 2u);
    EXPECT_EQ((*file)->data(*(*file)->find("a"))->size(), 8u);
    EXPECT_NE((*file)->find("a")->shard, (*file)->find("b")->shard);
  }
}

TEST_F(ShardIndexTest, RefusesFilesElsewhere) {
  for (const char *name :
       {"../x.safetensors", "/etc/passwd", "..", ".", "", "a/b", "a\\\\b", "a\\u0000b"})
    expectIndexRefused(R"({"weight_map":{"a":")" + std::string(name) + "\"}}",
                       "expected the plain name of a file beside the index");
}

TEST_F(ShardIndexTest, RefusesWrongIndexes) {
  expectIndexRefused("", "the file is empty");
  expectIndexRefused("{}", "no weight_map");
  expectIndexRefused("[]", "unexpected an array");
  expectIndexRefused("\"x\"", "unexpected a string");
  expectIndexRefused("3", "unexpected a number");
  expectIndexRefused(R"({"weight_map":3})", "in weight_map");
  expectIndexRefused(R"({"weight_map":"x"})", "in weight_map");
  expectIndexRefused(R"({"weight_map":{"a":["x"]}})", "in weight_map");
  expectIndexRefused(R"({"weight_map":{"a":{}}})", "in weight_map");
  expectIndexRefused(R"({"weight_map":{},"weight_map":{}})", "weight_map twice");
  expectIndexRefused(R"({"weight_map":{"a":"x","a":"x"}})", "the tensor 'a' twice");
  expectIndexRefused(R"({"weight_map":{"a":"x"})", "not valid JSON");
  expectIndexRefused("{\"a\":" + std::string(100000, '['), "not valid JSON");
}

TEST_F(ShardIndexTest, RefusesTooManyShards) {
  std::string index = R"({"weight_map":{"t":"s")";
  for (int i = 0; i < 600; ++i)
    index += ",\"t" + std::to_string(i) + "\":\"s" + std::to_string(i) + "\"";
  expectIndexRefused(index + "}}", "more than 512 files");
}

TEST_F(ShardIndexTest, RefusesMissingShardsAndTensors) {
  expectIndexRefused(R"({"weight_map":{"a":"gone.safetensors"}})", "gone.safetensors: cannot open");
  folder.write("one.safetensors", shard("b"));
  expectIndexRefused(R"({"weight_map":{"a":"one.safetensors"}})",
                     "tensor 'a' is said to lie in 'one.safetensors', which lacks it");
  folder.write("bad.safetensors", "short");
  expectIndexRefused(R"({"weight_map":{"a":"bad.safetensors"}})",
                     "bad.safetensors: the file has 5");
}

} // namespace
} // namespace heed
