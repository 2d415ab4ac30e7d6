//===- LinkTest.cpp - linked models run and need nothing but libc ---------- ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Link.h"

#include "SmallProgram.h"
#include "heed/Runtime/Artifact.h"
#include "heed/Runtime/Heed.h"
#include "heed/Target/CPU/CodeGen.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heed;
namespace fs = llvm::sys::fs;

namespace {

class LinkTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(fs::createUniqueDirectory("heed-link", folder));
    auto runtime = findRuntimeFolder();
    ASSERT_TRUE(runtime) << runtime.message();
    input.runtimeFolder = *runtime;
    auto chosen = parseInstructionSets("all");
    ASSERT_TRUE(chosen);
    sets = *chosen;
  }
  void TearDown() override { fs::remove_directories(folder); }

  std::string file(const char *name) { return std::string(folder) + "/" + name; }

  static std::vector<std::string> symbols(const ArtifactInfo &info) {
    auto names = libraryExports(info);
    EXPECT_TRUE(names);
    return *names;
  }

  llvm::SmallString<128> folder;
  LinkInput input;
  std::vector<const InstructionSet *> sets;
};

TEST_F(LinkTest, LibraryRuns) {
  ArtifactInfo info = test::plainProgram();
  input.objects = {test::compileProgram(info, sets, ArtifactUse::Library)};
  auto linked = linkLibrary(input, symbols(info), file("tiny.so"));
  ASSERT_TRUE(linked) << linked.message();

  void *library = dlopen(file("tiny.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(library) << dlerror();
  auto find = [&](const char *name) { return dlsym(library, name); };
  EXPECT_FALSE(find("heed_model_open"));
  auto *artifact = static_cast<const heed_artifact *>(find("heed_artifact_export"));
  ASSERT_TRUE(artifact);
  EXPECT_EQ(artifact->abi_version, unsigned{HEED_ABI_VERSION});
  EXPECT_STREQ(artifact->name, "tiny-1");
  EXPECT_EQ(artifact->n_weights, 0);
  ASSERT_EQ(artifact->n_functions, 1);
  EXPECT_STREQ(artifact->functions[0].name, "twice");
  EXPECT_EQ(artifact->functions[0].params[0].dims[0], -1);
  EXPECT_EQ(artifact->functions[0].params[0].dims[1], 2);
  ASSERT_EQ(artifact->n_variants, int64_t(sets.size()));
  EXPECT_STREQ(artifact->variants[0].name, sets[0]->name);

  // A GGUF file of no tensors and no metadata.
  ASSERT_TRUE(writeFile(file("none.gguf"),
                        llvm::StringRef("GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24)));
  auto open = reinterpret_cast<int32_t (*)(const char *, const heed_options *, heed_model **)>(
      find("tiny_1_open"));
  auto twice = reinterpret_cast<int32_t (*)(heed_model *, int64_t, const float *, float *)>(
      find("tiny_1_twice"));
  auto close = reinterpret_cast<void (*)(heed_model *)>(find("tiny_1_close"));
  auto lastError = reinterpret_cast<const char *(*)()>(find("tiny_1_last_error"));
  ASSERT_TRUE(open && twice && close && lastError);
  heed_model *model = nullptr;
  EXPECT_EQ(open(file("absent.gguf").c_str(), nullptr, &model), HEED_ERROR_INPUT);
  EXPECT_STRNE(lastError(), "");
  ASSERT_EQ(open(file("none.gguf").c_str(), nullptr, &model), HEED_OK) << lastError();
  const float x[] = {1, 2, 3, 4, 5, 6};
  float y[6] = {};
  EXPECT_EQ(twice(model, 3, x, y), HEED_OK) << lastError();
  for (int i = 0; i != 6; ++i)
    EXPECT_EQ(y[i], 2 * x[i]);
  EXPECT_EQ(twice(model, -1, x, y), HEED_ERROR_INPUT);
  close(model);
  dlclose(library);
}

TEST_F(LinkTest, ExecutableRuns) {
  ArtifactInfo info = test::smallProgram();
  input.objects = {test::compileProgram(info, sets, ArtifactUse::Executable)};
  auto linked = linkExecutable(input, file("tiny"));
  ASSERT_TRUE(linked) << linked.message();
  std::optional<llvm::StringRef> quiet[] = {std::nullopt, llvm::StringRef(""), std::nullopt};
  EXPECT_EQ(llvm::sys::ExecuteAndWait(file("tiny"), {file("tiny"), "--help"}, std::nullopt, quiet),
            0);
}

TEST_F(LinkTest, MissingSymbolIsAnError) {
  ArtifactInfo info = test::plainProgram();
  // The artefact asks for the code of an instruction set that was not compiled for.
  llvm::LLVMContext context;
  auto module = makeTargetModule(context, "test");
  ASSERT_TRUE(addArtifact(*module, info, sets, ArtifactUse::Library));
  auto object = emitCode(*module, CodeFormat::Object);
  ASSERT_TRUE(object) << object.message();
  input.objects = {*object};
  auto linked = linkLibrary(input, symbols(info), file("tiny.so"));
  ASSERT_FALSE(linked);
  EXPECT_NE(linked.message().find("twice_entry"), std::string::npos) << linked.message();
  EXPECT_FALSE(fs::exists(file("tiny.so")));
}

// A rename would put a file in the place of /dev/null; a pipe shows it without such harm.
TEST_F(LinkTest, SpecialFileIsWrittenTo) {
  std::string pipe = file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE(writeFile(pipe, "text"));
  char text[8] = {};
  EXPECT_EQ(read(reader, text, sizeof(text)), 4);
  close(reader);
  EXPECT_STREQ(text, "text");
  EXPECT_TRUE(isSpecialFile(pipe));
}

TEST_F(LinkTest, UnwritableFolderIsAnError) {
  auto written = writeFile(file("absent/x.o"), "");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.message(),
            "can't write '" + file("absent/x.o") + "': No such file or directory");
}

} // namespace
