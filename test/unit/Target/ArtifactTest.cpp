//===- ArtifactTest.cpp - compiler and runtime agree on every byte --------- ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Artifact.h"

#include "SmallProgram.h"
#include "heed/Runtime/Artifact.h"
#include "heed/Target/CPU/CodeGen.h"

#include "llvm/IR/DataLayout.h"
#include "llvm/IR/Verifier.h"

#include <cstddef>
#include <gtest/gtest.h>

using namespace heed;

namespace {

/// Where LLVM puts the fields of `type`, and its size last.
std::vector<size_t> offsets(const llvm::Module &module, llvm::StructType *type) {
  const llvm::StructLayout *layout = module.getDataLayout().getStructLayout(type);
  std::vector<size_t> found;
  for (unsigned i = 0; i != type->getNumElements(); ++i)
    found.push_back(layout->getElementOffset(i));
  found.push_back(layout->getSizeInBytes());
  return found;
}

TEST(Artifact, StructsLieAsInC) {
  llvm::LLVMContext context;
  auto module = makeTargetModule(context, "test");
  ArtifactTypes types(context);
  EXPECT_EQ(offsets(*module, types.weight),
            (std::vector<size_t>{offsetof(heed_weight, name), offsetof(heed_weight, tensor),
                                 offsetof(heed_weight, fallback), offsetof(heed_weight, storages),
                                 offsetof(heed_weight, layout), offsetof(heed_weight, layers),
                                 offsetof(heed_weight, rows), offsetof(heed_weight, cols),
                                 offsetof(heed_weight, matrices), offsetof(heed_weight, rank),
                                 offsetof(heed_weight, permutation), offsetof(heed_weight, shape),
                                 sizeof(heed_weight)}));
  EXPECT_EQ(offsets(*module, types.cache),
            (std::vector<size_t>{offsetof(heed_cache, name), offsetof(heed_cache, layers),
                                 offsetof(heed_cache, heads), offsetof(heed_cache, width),
                                 offsetof(heed_cache, element), offsetof(heed_cache, rows),
                                 offsetof(heed_cache, window), sizeof(heed_cache)}));
  EXPECT_EQ(offsets(*module, types.tensor),
            (std::vector<size_t>{offsetof(heed_tensor, name), offsetof(heed_tensor, element),
                                 offsetof(heed_tensor, rank), offsetof(heed_tensor, dims),
                                 sizeof(heed_tensor)}));
  EXPECT_EQ(
      offsets(*module, types.function),
      (std::vector<size_t>{offsetof(heed_function, name), offsetof(heed_function, kind),
                           offsetof(heed_function, n_sizes), offsetof(heed_function, n_params),
                           offsetof(heed_function, n_results), offsetof(heed_function, n_caches),
                           offsetof(heed_function, sizes), offsetof(heed_function, params),
                           offsetof(heed_function, results), offsetof(heed_function, caches),
                           offsetof(heed_function, token_limit), offsetof(heed_function, context),
                           offsetof(heed_function, chunk), offsetof(heed_function, bounds),
                           sizeof(heed_function)}));
  EXPECT_EQ(offsets(*module, types.variant),
            (std::vector<size_t>{offsetof(heed_variant, name), offsetof(heed_variant, features),
                                 offsetof(heed_variant, entries), sizeof(heed_variant)}));
  EXPECT_EQ(
      offsets(*module, types.artifact),
      (std::vector<size_t>{offsetof(heed_artifact, abi_version), offsetof(heed_artifact, name),
                           offsetof(heed_artifact, n_weights), offsetof(heed_artifact, n_functions),
                           offsetof(heed_artifact, n_variants), offsetof(heed_artifact, weights),
                           offsetof(heed_artifact, functions), offsetof(heed_artifact, variants),
                           sizeof(heed_artifact)}));
}

TEST(Artifact, ModuleIsValidForEveryUse) {
  auto sets = parseInstructionSets("all");
  ASSERT_TRUE(sets);
  for (ArtifactUse use : {ArtifactUse::Object, ArtifactUse::Library, ArtifactUse::Executable}) {
    llvm::LLVMContext context;
    auto module = makeTargetModule(context, "test");
    ASSERT_TRUE(addArtifact(*module, test::smallProgram(), *sets, use));
    std::string complaint;
    llvm::raw_string_ostream stream(complaint);
    EXPECT_FALSE(llvm::verifyModule(*module, &stream)) << complaint;
    EXPECT_TRUE(module->getNamedValue("heed_artifact_tiny_1"));
    EXPECT_EQ(module->getNamedValue("heed_artifact_export") != nullptr,
              use == ArtifactUse::Library);
    EXPECT_EQ(module->getNamedValue("heed_artifact_main") != nullptr,
              use == ArtifactUse::Executable);
    EXPECT_EQ(module->getNamedValue("tiny_1_logits_session") != nullptr,
              use != ArtifactUse::Executable);
  }
}

TEST(Artifact, RefusesNamesThatClash) {
  ArtifactInfo info = test::plainProgram();
  info.functions[0].name = "open";
  auto symbols = exportedSymbols(info);
  ASSERT_FALSE(symbols);
  EXPECT_EQ(symbols.message(), "function 'open' would be exported as 'tiny_1_open', which the "
                               "artefact already uses: give it another name");
}

TEST(Artifact, StemIsAnIdentifier) {
  ArtifactInfo info;
  for (auto [name, stem] :
       {std::pair("llama", "llama"), {"my-model.2", "my_model_2"}, {"2b", "m2b"}, {"", "m"}}) {
    info.name = name;
    EXPECT_EQ(info.stem(), stem);
  }
}

TEST(CodeGen, MissingEntryIsAnError) {
  auto sets = parseInstructionSets("avx2");
  ASSERT_TRUE(sets);
  mlir::MLIRContext mlirContext;
  auto module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&mlirContext));
  llvm::LLVMContext context;
  auto variant = compileVariant(module, context, *sets->front(), {"f_entry"});
  module->destroy();
  ASSERT_FALSE(variant);
  EXPECT_EQ(variant.message(), "the compiled program has no function 'f_entry'");
}

} // namespace
