//===- CacheTest.cpp - compiled models are found by content ---------------- ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Cache.h"

#include "heed/Target/CPU/Link.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

#include <chrono>
#include <gtest/gtest.h>

using namespace heed;
namespace fs = llvm::sys::fs;

namespace {

class CacheTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_FALSE(fs::createUniqueDirectory("heed-cache", folder)); }
  void TearDown() override { fs::remove_directories(folder); }

  ErrorOr<std::string> store(const ArtifactCache &cache, llvm::StringRef name, size_t bytes) {
    return cache.store(key(name), ".so", [&](llvm::StringRef path) {
      return writeFile(path, std::string(bytes, 'x'));
    });
  }

  static CacheKey key(llvm::StringRef name) {
    CacheKey key;
    key.add("program", name);
    return key;
  }

  /// Makes an entry look unused for `hours`.
  static void age(const std::string &path, int hours) {
    int descriptor = -1;
    ASSERT_FALSE(fs::openFileForReadWrite(path, descriptor, fs::CD_OpenExisting, fs::OF_None));
    auto time = std::chrono::system_clock::now() - std::chrono::hours(hours);
    ASSERT_FALSE(fs::setLastAccessAndModificationTime(descriptor, time));
    fs::file_t handle = fs::convertFDToNativeFile(descriptor);
    fs::closeFile(handle);
  }

  llvm::SmallString<128> folder;
};

TEST_F(CacheTest, KeysTellTheirPartsApart) {
  CacheKey a, b, c;
  a.add("x", "ab").add("y", "c");
  b.add("x", "a").add("y", "bc");
  c.add("x", "ab").add("y", "c");
  EXPECT_NE(a.digest(), b.digest());
  EXPECT_EQ(a.digest(), c.digest());
  EXPECT_EQ(a.digest().size(), 64u);
  std::string before = a.digest();
  EXPECT_EQ(a.digest(), before);
  EXPECT_NE(a.add("level", 3).digest(), before);
}

TEST_F(CacheTest, FindsWhatWasStored) {
  ArtifactCache cache(std::string(folder) + "/new/heed");
  EXPECT_FALSE(cache.lookup(key("a"), ".so"));
  auto stored = store(cache, "a", 10);
  ASSERT_TRUE(stored) << stored.message();
  EXPECT_EQ(cache.lookup(key("a"), ".so"), *stored);
  EXPECT_FALSE(cache.lookup(key("a"), ".h"));
  EXPECT_FALSE(cache.lookup(key("b"), ".so"));
}

TEST_F(CacheTest, KeepsNothingOfAFailure) {
  ArtifactCache cache{std::string(folder)};
  auto stored = cache.store(key("a"), ".so",
                            [](llvm::StringRef) -> ErrorOr<void> { return makeError("no space"); });
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.message(), "no space");
  EXPECT_FALSE(cache.lookup(key("a"), ".so"));
}

TEST_F(CacheTest, RemovesWhatWasUnusedForLongest) {
  ArtifactCache cache(std::string(folder), /*maxBytes=*/250);
  auto a = store(cache, "a", 100), b = store(cache, "b", 100);
  ASSERT_TRUE(a && b);
  age(*a, 3);
  age(*b, 2);
  EXPECT_TRUE(cache.lookup(key("a"), ".so")); // now b is the oldest
  ASSERT_TRUE(store(cache, "c", 100));
  EXPECT_TRUE(cache.lookup(key("a"), ".so"));
  EXPECT_FALSE(cache.lookup(key("b"), ".so"));
  EXPECT_TRUE(cache.lookup(key("c"), ".so"));
}

TEST_F(CacheTest, KeepsTheNewestEvenIfItIsTooLarge) {
  ArtifactCache cache(std::string(folder), /*maxBytes=*/50);
  ASSERT_TRUE(store(cache, "a", 100));
  EXPECT_TRUE(cache.lookup(key("a"), ".so"));
}

} // namespace
