//===- ArtifactInfoTest.cpp - what is read off a module -------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/ArtifactInfo.h"

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Runtime/Artifact.h"
#include "heed/Support/ErrorOr.h"
#include "heed/Weights/StorageType.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace heed;

namespace {

class ArtifactInfoTest : public testing::Test {
protected:
  ArtifactInfoTest() {
    context.loadDialect<attn::AttnDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                        mlir::memref::MemRefDialect>();
  }

  /// The module's description, or what was complained of.
  ErrorOr<ArtifactInfo> collect(const char *source) {
    auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
    EXPECT_TRUE(module);
    if (!module)
      return makeError("does not parse");
    std::string complaint;
    mlir::ScopedDiagnosticHandler handler(
        &context, [&](mlir::Diagnostic &diagnostic) { complaint = diagnostic.str(); });
    auto info = collectArtifactInfo(*module, "m");
    if (mlir::failed(info))
      return makeError(complaint);
    return *info;
  }

  mlir::MLIRContext context;
};

TEST_F(ArtifactInfoTest, ReadsAStep) {
  auto info = collect(R"(
attn.weight @embed : !attn.weight<100x64, q8_0> tensor "token_embd.weight" else "output.weight"
attn.weight @W : !attn.weight<2x4x64, q4_1> tensor "blk.{l}.w" layers 5
    {heed.layout = 1 : i64, heed.rows = 8 : i64, heed.cols = 64 : i64, heed.matrices = 2 : i64}
func.func @logits(%tokens: memref<?xi32> {heed.arg = "param", heed.name = "tokens"},
                  %past: index {heed.arg = "past"}, %first: index {heed.arg = "first"},
                  %K: memref<5x3x?x64xf32> {heed.arg = "cache", heed.name = "K"},
                  %V: memref<1x?x7xf32> {heed.arg = "cache"},
                  %out: memref<?x64xf32> {heed.arg = "result"})
    attributes {heed.kind = "step", heed.sizes = ["n"], heed.bounds = array<i64: 32>,
                heed.comment = "The model."} {
  %table = attn.get_weight @embed : !attn.weight<100x64, q8_0>
  attn.embed %tokens, %table into %out : memref<?xi32>, !attn.weight<100x64, q8_0>
    into memref<?x64xf32>
  return
}
)");
  ASSERT_TRUE(info) << info.message();
  ASSERT_EQ(info->weights.size(), 2u);
  const WeightInfo &embed = info->weights[0], &w = info->weights[1];
  EXPECT_EQ(embed.fallback, "output.weight");
  EXPECT_EQ(embed.storages, StorageSet(StorageType::Q8_0).bits());
  EXPECT_EQ(embed.layout, HEED_LAYOUT_DENSE_F32);
  EXPECT_EQ(embed.layers, 1);
  EXPECT_EQ(embed.rows, 6400);
  EXPECT_EQ(embed.cols, 1);
  EXPECT_EQ(w.layout, HEED_LAYOUT_PANELS);
  EXPECT_EQ(w.layers, 5);
  EXPECT_EQ(w.rows, 8);
  EXPECT_EQ(w.cols, 64);
  EXPECT_EQ(w.matrices, 2);
  EXPECT_EQ(embed.matrices, 1);

  ASSERT_EQ(info->functions.size(), 1u);
  const FunctionInfo &logits = info->functions[0];
  EXPECT_TRUE(logits.isStep);
  EXPECT_EQ(logits.comment, "The model.");
  EXPECT_EQ(logits.context, 32);
  EXPECT_EQ(logits.tokenLimit, 100);
  ASSERT_EQ(logits.params.size(), 1u);
  EXPECT_EQ(logits.params[0].element, HEED_I32);
  EXPECT_EQ(logits.params[0].dims, std::vector<int64_t>{-1});
  ASSERT_EQ(logits.caches.size(), 2u);
  EXPECT_EQ(logits.caches[0].name, "K");
  EXPECT_EQ(logits.caches[0].layers, 5);
  EXPECT_EQ(logits.caches[0].heads, 3);
  EXPECT_EQ(logits.caches[0].width, 64);
  EXPECT_EQ(logits.caches[1].heads, 1);
  EXPECT_EQ(logits.caches[1].width, 7);
  EXPECT_EQ(logits.caches[1].rows, 0);
  ASSERT_EQ(logits.results.size(), 1u);
  EXPECT_EQ(logits.results[0].dims, (std::vector<int64_t>{-1, 64}));
}

TEST_F(ArtifactInfoTest, FindsTheLimitOfPlainIndexing) {
  auto info = collect(R"(
func.func @pick(%which: memref<1xi32> {heed.arg = "param"},
                %table: memref<9x?xf32> {heed.arg = "param"},
                %out: memref<1xf32> {heed.arg = "result"}) attributes {heed.sizes = ["n"]} {
  %c0 = arith.constant 0 : index
  %id = memref.load %which[%c0] : memref<1xi32>
  %row = arith.index_cast %id : i32 to index
  %value = memref.load %table[%row, %c0] : memref<9x?xf32>
  memref.store %value, %out[%c0] : memref<1xf32>
  return
}
)");
  ASSERT_TRUE(info) << info.message();
  EXPECT_EQ(info->functions[0].tokenLimit, 9);
  EXPECT_FALSE(info->functions[0].isStep);
}

TEST_F(ArtifactInfoTest, RefusesWhatCCannotPass) {
  auto info = collect(R"(
func.func @f(%x: memref<4xf64> {heed.arg = "param", heed.name = "x"}) {
  return
}
)");
  ASSERT_FALSE(info);
  EXPECT_EQ(info.message(), "'x' must hold f32 or i32 to be passed from C, found 'f64'");
}

TEST_F(ArtifactInfoTest, RefusesAProgramThatExportsNothing) {
  auto info = collect("func.func private @f()");
  ASSERT_FALSE(info);
  EXPECT_EQ(info.message(), "the program exports no function");
}

/// A program whose one weight has these attributes.
std::string programOf(const char *type, const char *attributes) {
  return std::string("attn.weight @W : !attn.weight<") + type + "> tensor \"W\" {" + attributes +
         R"(}
func.func @f(%x: memref<4xf32> {heed.arg = "param"}, %y: memref<4xf32> {heed.arg = "result"})
    attributes {heed.kind = "plain"} {
  return
}
)";
}

TEST_F(ArtifactInfoTest, ReadsTheOrderOfAxes) {
  auto info =
      collect(programOf("2x3x32, q8_0", "heed.layout = 1 : i64, heed.rows = 3 : i64, "
                                        "heed.cols = 64 : i64, heed.permuted = array<i64: 1, 0, 2>")
                  .c_str());
  ASSERT_TRUE(info) << info.message();
  EXPECT_EQ(info->weights[0].permutation, (std::vector<int64_t>{1, 0, 2}));
  EXPECT_EQ(info->weights[0].shape, (std::vector<int64_t>{2, 3, 32}));

  info = collect(programOf("2x3x32, q8_0", "heed.permuted = array<i64: 0, 1, 2>").c_str());
  ASSERT_TRUE(info) << info.message();
  EXPECT_TRUE(info->weights[0].permutation.empty());
}

TEST_F(ArtifactInfoTest, RefusesOrdersThatBreakBlocksUp) {
  auto info = collect(programOf("2x3x32, q8_0", "heed.permuted = array<i64: 2, 1, 0>").c_str());
  ASSERT_FALSE(info);
  EXPECT_NE(info.message().find("weight 'W' is stored in blocks of 32"), std::string::npos)
      << info.message();
  info = collect(programOf("2x3x32, q8_0", "heed.permuted = array<i64: 0, 2>").c_str());
  ASSERT_FALSE(info);
  EXPECT_NE(info.message().find("is no permutation"), std::string::npos) << info.message();
  info = collect(
      programOf("6x16, q8_0", "heed.layout = 1 : i64, heed.rows = 6 : i64, heed.cols = 16 : i64")
          .c_str());
  ASSERT_FALSE(info);
  EXPECT_NE(info.message().find("rows of 16 elements"), std::string::npos) << info.message();
}

} // namespace
