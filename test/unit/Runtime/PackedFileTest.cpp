//===- PackedFileTest.cpp - packed weights kept for the next time ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Runtime/Heed.h"
#include "heed/Runtime/PackedWeights.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

using namespace heed;
namespace fs = std::filesystem;

namespace {

constexpr int64_t kRows = 4100, kCols = 64; // above what is worth a file

std::string tensorBytes(float first) {
  std::string bytes;
  for (int64_t e = 0; e < kRows * kCols; ++e) {
    float value = first + static_cast<float>(e);
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
  }
  return bytes;
}

class PackedFileTest : public testing::Test {
protected:
  PackedFileTest() {
    std::string pattern = (fs::temp_directory_path() / "heed-XXXXXX").string();
    scratch = ::mkdtemp(pattern.data());
    weightsPath = scratch + "/w.gguf";
    folder = scratch + "/a/packed";
    writeWeights(1);
  }
  ~PackedFileTest() override { fs::remove_all(scratch); }

  void writeWeights(float first) const {
    tiny::Tensor tensor{"t", {kCols, kRows}, 0, tensorBytes(first)};
    std::ofstream(weightsPath, std::ios::binary) << tiny::ggufBytes({tensor});
  }

  static heed_weight describe(heed_layout layout) {
    bool dense = layout == HEED_LAYOUT_DENSE_F32;
    return {"w",
            "t",
            nullptr,
            StorageSet(StorageType::F32).bits(),
            layout,
            1,
            dense ? kRows * kCols : kRows,
            dense ? 1 : kCols,
            1,
            0,
            {},
            {}};
  }

  /// Loads, checks that the last weight is that of a file written with `first`, and says whether
  /// it was mapped.
  bool load(float first, heed_layout layout = HEED_LAYOUT_DENSE_F32) const {
    heed_weight weight = describe(layout);
    heed_artifact artifact{HEED_ABI_VERSION, "m", 1, 0, 0, &weight, nullptr, nullptr};
    auto file = WeightsFile::open(weightsPath);
    auto pool = Pool::create(2);
    EXPECT_TRUE(file && pool);
    PackedWeights weights;
    Status status = weights.load(artifact, file->get(), **pool, folder);
    EXPECT_TRUE(status.ok()) << status.message;
    auto *values = static_cast<const float *>(weights.addresses()[0]);
    // The last of row 15, which is the last of the first panel.
    EXPECT_EQ(values[16 * kCols - 1], first + 16 * kCols - 1);
    return weights.isMapped();
  }

  /// The only file of the folder.
  std::string packedPath() const {
    std::vector<std::string> found;
    for (const auto &entry : fs::directory_iterator(folder))
      found.push_back(entry.path());
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? "" : found[0];
  }

  std::string scratch, weightsPath, folder;
};

TEST_F(PackedFileTest, IsMappedTheNextTime) {
  EXPECT_FALSE(load(1));
  EXPECT_TRUE(load(1));
  struct stat status;
  ASSERT_EQ(::stat(packedPath().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(PackedFileTest, IsMadeAnewWhereWeightsChanged) {
  EXPECT_FALSE(load(1));
  std::string before = packedPath();
  writeWeights(5); // as many bytes
  EXPECT_FALSE(load(5));
  EXPECT_TRUE(load(5));
  EXPECT_EQ(packedPath(), before);
  // A time that is set back hides nothing.
  auto time = fs::last_write_time(weightsPath);
  writeWeights(7);
  fs::last_write_time(weightsPath, time);
  EXPECT_FALSE(load(7));
}

TEST_F(PackedFileTest, IsOfOneLayout) {
  EXPECT_FALSE(load(1));
  EXPECT_FALSE(load(1, HEED_LAYOUT_PANELS));
  EXPECT_TRUE(load(1));
  EXPECT_TRUE(load(1, HEED_LAYOUT_PANELS));
}

TEST_F(PackedFileTest, IsNotUsedWhereDamaged) {
  using Damage = std::function<void(const std::string &path, uint64_t size)>;
  auto change = [](const std::string &path, int64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  };
  const Damage damages[] = {
      [](const std::string &path, uint64_t) { fs::resize_file(path, 0); },
      [](const std::string &path, uint64_t) { fs::resize_file(path, 4096); },
      [](const std::string &path, uint64_t size) { fs::resize_file(path, size - 1); },
      [](const std::string &path, uint64_t size) { fs::resize_file(path, size + 1); },
      [&](const std::string &path, uint64_t size) { change(path, int64_t(size) - 2); },
      [&](const std::string &path, uint64_t) { change(path, (kRows * kCols * 4 + 4095) & -4096); },
      [](const std::string &path, uint64_t) { ::chmod(path.c_str(), 0622); },
      [&](const std::string &path, uint64_t) {
        fs::rename(path, scratch + "/elsewhere");
        fs::create_symlink(scratch + "/elsewhere", path);
      },
      [](const std::string &path, uint64_t) {
        fs::remove(path);
        ::mkfifo(path.c_str(), 0600);
      },
  };
  EXPECT_FALSE(load(1));
  for (const Damage &damage : damages) {
    std::string path = packedPath();
    damage(path, fs::file_size(path));
    EXPECT_FALSE(load(1)) << "damage " << &damage - damages;
    EXPECT_TRUE(load(1)) << "damage " << &damage - damages;
  }
}

TEST_F(PackedFileTest, IsNoErrorWhereItCantBeWritten) {
  std::ofstream(scratch + "/a") << "a file where the folder would be";
  EXPECT_FALSE(load(1));
  EXPECT_FALSE(load(1));
  // A folder that stands where the file would be can't be replaced by it, and nothing is left over.
  fs::remove(scratch + "/a");
  EXPECT_FALSE(load(1));
  std::string path = packedPath();
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_FALSE(load(1));
  EXPECT_FALSE(load(1));
  EXPECT_EQ(packedPath(), path);
}

TEST_F(PackedFileTest, HasManyWritersAndReaders) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 8; ++round) {
        load(1);
        if (round % 3 == 2)
          for (const auto &entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".packed")
              fs::remove(entry.path());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  load(1);
  EXPECT_TRUE(load(1));
  packedPath(); // nothing unfinished beside it
}

TEST_F(PackedFileTest, IsNotMadeOfLittle) {
  tiny::WeightsOnDisk file;
  const std::string here = scratch + "/here";
  heed_options options{sizeof(heed_options), 1, here.c_str(), nullptr};
  heed_model *model = nullptr;
  ASSERT_EQ(heed_model_open(&tiny::artifact, file.path().c_str(), &options, &model), HEED_OK);
  heed_model_close(model);
  EXPECT_FALSE(fs::exists(here));
}

TEST_F(PackedFileTest, IsWhereTheCallerWants) {
  heed_weight weight = describe(HEED_LAYOUT_PANELS);
  heed_artifact artifact = tiny::artifact;
  artifact.n_weights = 1;
  artifact.weights = &weight;
  const std::string here = scratch + "/here";
  heed_options options{sizeof(heed_options), 1, here.c_str(), nullptr};
  // A program that was built against the first version of the struct has no such field.
  for (uint32_t size : {8u, uint32_t(sizeof(heed_options))}) {
    options.size = size;
    heed_model *model = nullptr;
    ASSERT_EQ(heed_model_open(&artifact, weightsPath.c_str(), &options, &model), HEED_OK);
    heed_model_close(model);
    EXPECT_EQ(fs::exists(here), size > 8);
  }
}

TEST(PackedFolder, ObeysTheEnvironment) {
  const char *set = std::getenv("HOME");
  const std::string home = set ? set : "/";
  ::setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(packedFolder("on"), "/x/heed/packed");
  EXPECT_EQ(packedFolder("off"), "");
  EXPECT_EQ(packedFolder("/y"), "/y");
  ::setenv("HEED_PACKED", "off", 1);
  EXPECT_EQ(packedFolder("on"), "");
  ::setenv("HEED_PACKED", "/z", 1);
  EXPECT_EQ(packedFolder("off"), "/z");
  ::setenv("HEED_PACKED", "on", 1);
  ::setenv("XDG_CACHE_HOME", "not-absolute", 1);
  ::setenv("HOME", "/h", 1);
  EXPECT_EQ(packedFolder("off"), "/h/.cache/heed/packed");
  ::unsetenv("HEED_PACKED");
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", home.c_str(), 1);
}

} // namespace
