//===- HeaderTest.cpp - the C header of an artefact ------------------------ ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Header.h"

#include "SmallProgram.h"
#include "heed/Target/CPU/Link.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace heed;

namespace {

// HEED_UPDATE_GOLDEN=1 in the environment writes the file anew; read the difference.
TEST(Header, IsTheGoldenOne) {
  constexpr const char *kGolden = HEED_TEST_SOURCE_DIR "/unit/Target/Inputs/tiny_1.h";
  auto header = makeHeader(test::smallProgram());
  ASSERT_TRUE(header) << header.message();
  if (std::getenv("HEED_UPDATE_GOLDEN")) {
    ASSERT_TRUE(writeFile(kGolden, *header));
  }
  auto golden = llvm::MemoryBuffer::getFile(kGolden);
  ASSERT_TRUE(golden);
  EXPECT_EQ(*header, (*golden)->getBuffer().str());
}

TEST(Header, CompilesAsCAndAsCxx) {
  auto compiler = llvm::sys::findProgramByName("clang-22");
  if (!compiler)
    compiler = llvm::sys::findProgramByName("cc");
  if (!compiler)
    GTEST_SKIP() << "there is no C compiler";
  auto header = makeHeader(test::smallProgram());
  ASSERT_TRUE(header);
  llvm::SmallString<128> file;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("heed-header", "h", file));
  ASSERT_TRUE(writeFile(file, *header));
  for (auto [language, standard] : {std::pair("c", "-std=c99"), {"c++", "-std=c++98"}}) {
    int status = llvm::sys::ExecuteAndWait(
        *compiler, {*compiler, "-x", language, standard, "-Wall", "-Wextra", "-pedantic", "-Werror",
                    "-Wno-long-long", "-Wno-c++11-long-long", "-fsyntax-only", file});
    EXPECT_EQ(status, 0) << language;
  }
  llvm::sys::fs::remove(file);
}

TEST(Header, ParameterNamesAreIdentifiersAndDiffer) {
  ArtifactInfo info = test::plainProgram();
  info.functions[0].params.push_back({"float", 0, {2}});
  info.functions[0].results[0].name = "x";
  auto header = makeHeader(info);
  ASSERT_TRUE(header);
  EXPECT_NE(header->find("int64_t n, const float *x, const float *float_, float *x_)"),
            std::string::npos)
      << *header;
}

} // namespace
