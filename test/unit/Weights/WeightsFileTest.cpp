//===- WeightsFileTest.cpp - paths that are and aren't weights files ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/WeightsFile.h"

#include "FileBytes.h"
#include "ScratchFolder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace heed {
namespace {

const std::string oneTensor =
    safetensorsBytes(R"({"a":{"dtype":"F32","shape":[2048],"data_offsets":[0,8192]}})", 8192);

class WeightsFileTest : public testing::Test {
protected:
  ScratchFolder folder;

  void expectPathRefused(const std::string &path, std::string_view part) {
    auto file = WeightsFile::open(path);
    ASSERT_FALSE(file) << "expected an error with: " << part;
    EXPECT_TRUE(file.message().starts_with(path)) << file.message();
    EXPECT_NE(file.message().find(part), std::string::npos) << file.message();
  }
};

TEST_F(WeightsFileTest, OpensFilesAndFolders) {
  std::string path = folder.write("model.safetensors", oneTensor);
  for (const std::string &name : {path, folder.path()}) {
    auto file = WeightsFile::open(name);
    ASSERT_TRUE(file) << file.message();
    auto data = (*file)->data(*(*file)->find("a"));
    ASSERT_TRUE(data) << data.message();
    EXPECT_EQ(data->size(), 8192u);
    EXPECT_EQ(data->back(), std::byte{1});
  }
}

TEST_F(WeightsFileTest, RefusesWhatIsNoFile) {
  expectPathRefused(folder.path(), "the folder holds neither model.safetensors nor");
  expectPathRefused(folder.path("absent.gguf"), "cannot open the file");
  expectPathRefused("/dev/zero", "this is a device, expected a regular file");
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  expectPathRefused(folder.path("pipe"), "this is a pipe, expected a regular file");
  expectPathRefused(folder.write("empty.gguf", ""), "the file is empty");
}

TEST_F(WeightsFileTest, RefusesWhatIsNoWeights) {
  expectPathRefused(folder.write("text", "hello, world"), "this is something else, expected GGUF");
  expectPathRefused(folder.write("zip", "PK\3\4 and so on"), "a zip archive");
  expectPathRefused(folder.write("old", "lmggxxxxxxxx"), "a GGML file from before GGUF");
  expectPathRefused(folder.write("lfs", "version https://git-lfs.github.com/spec/v1"), "Git LFS");
  expectPathRefused(folder.write("x", "x"), "this is something else");
}

TEST_F(WeightsFileTest, SaysThatAFileShrank) {
  std::string path = folder.write("model.safetensors", oneTensor);
  auto file = WeightsFile::open(path);
  ASSERT_TRUE(file) << file.message();
  ASSERT_EQ(::truncate(path.c_str(), 100), 0);
  auto data = (*file)->data(*(*file)->find("a"));
  ASSERT_FALSE(data);
  EXPECT_NE(data.message().find("has shrunk"), std::string::npos) << data.message();
}

// The fuzzers' seeds say in their names whether they are right: good-… opens, bad-… is refused.
TEST(WeightsSeeds, EndAsTheirNamesSay) {
  int seeds = 0;
  for (const char *kind : {"gguf", "safetensors"})
    for (const auto &entry : std::filesystem::directory_iterator(
             std::string(HEED_TEST_SOURCE_DIR "/fuzz/seeds/") + kind)) {
      const std::string name = entry.path().filename().string();
      std::ifstream stream(entry.path(), std::ios::binary);
      std::string bytes{std::istreambuf_iterator<char>(stream), {}};
      EXPECT_LT(bytes.size(), 4096u) << name;
      if (name.starts_with("index-"))
        continue; // an index, for the same fuzzer
      auto file = openBytes(bytes);
      EXPECT_EQ(static_cast<bool>(file), name.starts_with("good-"))
          << name << (file ? "" : ": " + file.message());
      ++seeds;
    }
  EXPECT_GT(seeds, 30);
}

} // namespace
} // namespace heed
