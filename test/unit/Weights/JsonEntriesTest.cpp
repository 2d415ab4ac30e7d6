//===- JsonEntriesTest.cpp - what JSON files beside weights say -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/JsonEntries.h"

#include "FileBytes.h"
#include "ScratchFolder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace heed {
namespace {

void expectRefusedJson(std::string_view json, std::string_view part) {
  ErrorOr<JsonEntries> entries = readJsonEntries(json);
  ASSERT_FALSE(entries) << "expected an error with: " << part;
  EXPECT_NE(entries.message().find(part), std::string::npos) << entries.message();
}

TEST(JsonEntries, ReadsPlainValues) {
  ErrorOr<JsonEntries> entries = readJsonEntries(
      R"({"size": 384, "eps": 1e-12, "least": -3, "cache": true, "act": "gelu", "none": null,
          "rope": {"factor": 8.0, "inner": {"a": 1}, "b": 2}, "list": [1, {"size": 2}, [3, null]],
          "empty": {}, "last": 18446744073709551615})");
  ASSERT_TRUE(entries) << entries.message();
  JsonEntries expected = {{"size", uint64_t(384)},       {"eps", 1e-12},
                          {"least", int64_t(-3)},        {"cache", true},
                          {"act", std::string("gelu")},  {"rope.factor", 8.0},
                          {"rope.inner.a", uint64_t(1)}, {"rope.b", uint64_t(2)},
                          {"last", UINT64_MAX}};
  EXPECT_EQ(*entries, expected);
}

TEST(JsonEntries, RefusesOtherDocuments) {
  for (const char *json : {"", "{", "{\"a\":}", "{\"a\":1e999}", "{\"a\":NaN}", "{} x"})
    expectRefusedJson(json, "is not valid JSON");
  expectRefusedJson("[1]", "unexpected an array where an object should begin");
  expectRefusedJson("null", "unexpected null where");
  expectRefusedJson("3", "unexpected a number where");
  expectRefusedJson("\"x\"", "unexpected a string where");
  expectRefusedJson("true", "unexpected a boolean where");
  expectRefusedJson(R"({"a": 1, "a": 2})", "the key 'a' is there twice");
  expectRefusedJson(R"({"a.b": 1, "a": {"b": 2}})", "the key 'a.b' is there twice");
}

TEST(JsonEntries, BoundsNesting) {
  std::string arrays = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  ErrorOr<JsonEntries> entries = readJsonEntries(arrays);
  ASSERT_TRUE(entries) << entries.message();
  EXPECT_TRUE(entries->empty());
  std::string objects;
  for (int i = 0; i < 100000; ++i)
    objects += "{\"a\":";
  expectRefusedJson(objects, "more than 16 objects are in one another");
  expectRefusedJson("{\"" + std::string(200, 'k') + "\":{\"" + std::string(60, 'k') + "\":1}}",
                    "has 261 bytes with those around it, expected at most 256");
}

class FilesBesideTest : public testing::Test {
protected:
  ScratchFolder folder;
  std::string weights =
      folder.write("model.safetensors",
                   safetensorsBytes(R"({"__metadata__":{"size":"own"},)"
                                    R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                    4));

  std::string errorOf() const {
    auto file = WeightsFile::open(weights);
    return file ? "no error" : file.message();
  }
};

TEST_F(FilesBesideTest, BecomeMetadata) {
  EXPECT_EQ(errorOf(), "no error");
  folder.write("config.json", R"({"size": 3, "hidden_size": 384, "both": 1})");
  folder.write("sentence_bert_config.json", R"({"max_seq_length": 256, "both": 2})");
  for (const std::string &path : {weights, folder.path()}) {
    auto file = WeightsFile::open(path);
    ASSERT_TRUE(file) << file.message();
    EXPECT_EQ(metaInteger(*(*file)->meta("hidden_size")), 384);
    EXPECT_EQ(metaInteger(*(*file)->meta("max_seq_length")), 256);
    EXPECT_EQ(metaInteger(*(*file)->meta("both")), 1);
    EXPECT_EQ(std::get<std::string>(*(*file)->meta("size")), "own");
  }
}

TEST_F(FilesBesideTest, AreUntrusted) {
  std::string config = folder.write("config.json", R"({"a": )");
  EXPECT_EQ(errorOf(), config + ": byte 7 is not valid JSON");
  folder.write("config.json", "{\"a\": \"" + std::string(1 << 20, 'x') + "\"}");
  EXPECT_EQ(errorOf(), config + ": the file has 1048585 bytes, expected at most 1048576");
  ASSERT_EQ(std::remove(config.c_str()), 0);
  ASSERT_EQ(::mkfifo(config.c_str(), 0600), 0);
  EXPECT_NE(errorOf().find("this is a pipe, expected a regular file"), std::string::npos);
}

} // namespace
} // namespace heed
