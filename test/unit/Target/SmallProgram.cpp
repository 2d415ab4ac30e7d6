//===- SmallProgram.cpp - a compiled program that tests write and link ----- ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallProgram.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Target/CPU/CodeGen.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace heed;

// twice: result[i] = 2 * x[i] over n * 2 elements. logits: nothing.
static constexpr const char *kCode = R"(
llvm.func @twice_entry(%context: !llvm.ptr, %ints: !llvm.ptr, %buffers: !llvm.ptr) {
  %c0 = llvm.mlir.constant(0 : i64) : i64
  %c1 = llvm.mlir.constant(1 : i64) : i64
  %n = llvm.load %ints : !llvm.ptr -> i64
  %count = llvm.shl %n, %c1 : i64
  %x = llvm.load %buffers : !llvm.ptr -> !llvm.ptr
  %y_at = llvm.getelementptr %buffers[8] : (!llvm.ptr) -> !llvm.ptr, i8
  %y = llvm.load %y_at : !llvm.ptr -> !llvm.ptr
  llvm.br ^head(%c0 : i64)
^head(%i: i64):
  %more = llvm.icmp "slt" %i, %count : i64
  llvm.cond_br %more, ^body, ^done
^body:
  %from = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %value = llvm.load %from : !llvm.ptr -> f32
  %twice = llvm.call @double(%value) : (f32) -> f32
  %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  llvm.store %twice, %to : f32, !llvm.ptr
  %next = llvm.add %i, %c1 : i64
  llvm.br ^head(%next : i64)
^done:
  llvm.return
}
llvm.func @double(%value: f32) -> f32 {
  %sum = llvm.fadd %value, %value : f32
  llvm.return %sum : f32
}
llvm.func @logits_entry(%context: !llvm.ptr, %ints: !llvm.ptr, %buffers: !llvm.ptr) {
  llvm.return
}
)";

ArtifactInfo test::plainProgram() {
  ArtifactInfo info;
  info.name = "tiny-1";
  FunctionInfo twice;
  twice.name = "twice";
  twice.comment = "Doubles each row.\nA comment */ that tries to end.";
  twice.sizes = {"n"};
  twice.bounds = {16};
  twice.params = {{"x", HEED_F32, {-1, 2}}};
  twice.results = {{"twice", HEED_F32, {-1, 2}}};
  info.functions = {twice};
  return info;
}

ArtifactInfo test::smallProgram() {
  ArtifactInfo info = plainProgram();
  FunctionInfo logits;
  logits.name = "logits";
  logits.comment = "The model.";
  logits.isStep = true;
  logits.sizes = {"n"};
  logits.bounds = {64};
  logits.params = {{"tokens", HEED_I32, {-1}}};
  logits.results = {{"logits", HEED_F32, {-1, 3}}};
  logits.caches = {{"K", 2, 3, 4}, {"V", 2, 3, 5}};
  logits.tokenLimit = 3;
  logits.context = 64;
  info.functions.push_back(logits);
  info.weights = {{"embed", "token_embd.weight", "output.weight", 7, HEED_LAYOUT_PANELS, 1, 3, 32},
                  {"norm", "blk.{l}.norm.weight", "", 0, HEED_LAYOUT_DENSE_F32, 2, 32, 1}};
  return info;
}

std::string test::compileProgram(const ArtifactInfo &info,
                                 llvm::ArrayRef<const InstructionSet *> sets, ArtifactUse use) {
  mlir::MLIRContext mlirContext;
  mlirContext.loadDialect<mlir::LLVM::LLVMDialect>();
  auto code = mlir::parseSourceString<mlir::ModuleOp>(kCode, &mlirContext);
  EXPECT_TRUE(code);
  if (!code)
    return "";
  std::vector<std::string> entries;
  for (const FunctionInfo &function : info.functions)
    entries.push_back(function.entry());

  llvm::LLVMContext context;
  auto module = makeTargetModule(context, "artifact");
  for (const InstructionSet *set : sets) {
    llvm::LLVMContext own; // as a thread would have
    auto variant = compileVariant(*code, own, *set, entries);
    EXPECT_TRUE(variant) << variant.message();
    if (!variant)
      return "";
    auto appended = appendModule(*module, std::move(*variant));
    EXPECT_TRUE(appended) << appended.message();
  }
  auto added = addArtifact(*module, info, sets, use);
  EXPECT_TRUE(added) << added.message();
  auto object = emitCode(*module, CodeFormat::Object);
  EXPECT_TRUE(object) << object.message();
  return object ? std::move(*object) : "";
}
