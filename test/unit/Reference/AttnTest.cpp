//===- AttnTest.cpp - what the evaluator makes of attention ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numbers>

using namespace heed::reference;

namespace {

void expectNear(const Floats &found, const Floats &expected, double tolerance = 1e-13) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t element = 0; element != found.size(); ++element)
    EXPECT_NEAR(found[element], expected[element], tolerance) << "element " << element;
}

TEST(Attn, StepsOfOneRow) {
  auto module = SmallModule::function(
      "(%q: tensor<1x2xf32>, %k: tensor<3x2xf32>, %v: tensor<3x1xf32>) -> (tensor<1x3xf32>, "
      "tensor<1x1xf32>)",
      R"(%0 = attn.scores %q, %k scale 0.5 : tensor<1x2xf32>, tensor<3x2xf32> -> tensor<1x3xf32>
         %c2 = arith.constant 2 : index
         %1 = attn.mask %0 : tensor<1x3xf32> {
         ^bb0(%i: index, %j: index):
           %s = arith.cmpi slt, %j, %c2 : index
           attn.yield %s : i1
         }
         %2 = attn.softmax %1 dimension 1 : tensor<1x3xf32>
         %3 = attn.weigh %2, %v : tensor<1x3xf32>, tensor<3x1xf32> -> tensor<1x1xf32>
         return %2, %3 : tensor<1x3xf32>, tensor<1x1xf32>)");
  Values results = module.call({module.f32({1, 2}, {2, 4}), module.f32({3, 2}, {1, 0, 0, 1, 9, 9}),
                                module.f32({3, 1}, {10, 20, 1000})});
  double a = 1 / (1 + std::exp(1)), b = 1 - a; // scores 1 and 2
  expectNear(floats(results, 0), {a, b, 0});
  expectNear(floats(results, 1), {10 * a + 20 * b});
}

TEST(Attn, HeadsShareKeysInGroups) {
  auto module = SmallModule::function(
      "(%q: tensor<4x1x1xf32>, %k: tensor<2x1x1xf32>) -> tensor<4x1x1xf32>",
      R"(%0 = attn.scores %q, %k scale 1.0 : tensor<4x1x1xf32>, tensor<2x1x1xf32> -> tensor<4x1x1xf32>
         return %0 : tensor<4x1x1xf32>)");
  expectNear(
      floats(module.call({module.f32({4, 1, 1}, {1, 2, 3, 4}), module.f32({2, 1, 1}, {10, 100})})),
      {10, 20, 300, 400});
}

/// Fused attention over one key head, its tables read where the mask shows them only.
const char *const kFused =
    R"(%0 = attn.attention %q, %k, %v scale 1.0 rows_first : tensor<2x2x1xf32>, tensor<1x2x1xf32>, tensor<1x2x1xf32> -> tensor<2x2x1xf32> score {
         ^bb0(%s: f32, %h: index, %i: index, %j: index):
           %b = tensor.extract %bias[%j] : tensor<?xf32>
           %m = arith.addf %s, %b : f32
           attn.yield %m : f32
         } mask {
         ^bb0(%h: index, %i: index, %j: index):
           %c = arith.cmpi slt, %j, %i : index
           attn.yield %c : i1
         }
         return %0 : tensor<2x2x1xf32>)";

TEST(Attn, FusedAttentionAsksTheMaskFirst) {
  auto module = SmallModule::function(
      "(%q: tensor<2x2x1xf32>, %k: tensor<1x2x1xf32>, %v: tensor<1x2x1xf32>, %bias: "
      "tensor<?xf32>) -> tensor<2x2x1xf32>",
      kFused);
  Array q = module.f32({2, 2, 1}, {1, 2, 3, 4}), k = module.f32({1, 2, 1}, {5, 6}),
        v = module.f32({1, 2, 1}, {7, 8});
  // Row 0 sees nothing; row 1 sees row 0 only, and the table has an entry for that alone.
  expectNear(floats(module.call({q, k, v, module.f32({1}, {0.5})})), {0, 0, 7, 7});
  EXPECT_EQ(module.error({q, k, v, module.f32({0}, {})}),
            "test.mlir:4:17: 'tensor.extract': reads [0] of [0]");
}

/// A whole row in one tile, and in tiles of one.
Floats online(int64_t tile) {
  SmallModule module(R"(
    func.func @f(%q: tensor<1x2xf32>, %k: tensor<4x1xf32>, %v: tensor<4x1xf32>, %n: index,
                 %heads: tensor<2xindex>, %rows: tensor<2xindex>) -> (tensor<1x2xf32>, tensor<2xf32>) {
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %acc = arith.constant dense<0.0> : tensor<1x2xf32>
      %max = arith.constant dense<0xFF800000> : tensor<2xf32>
      %sum = arith.constant dense<0.0> : tensor<2xf32>
      %0:3 = scf.for %t = %c0 to %c4 step %n iter_args(%a = %acc, %m = %max, %s = %sum) -> (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) {
        %kt = tensor.extract_slice %k[%t, 0] [%n, 1] [1, 1] : tensor<4x1xf32> to tensor<?x1xf32>
        %vt = tensor.extract_slice %v[%t, 0] [%n, 1] [1, 1] : tensor<4x1xf32> to tensor<?x1xf32>
        %1:3 = attn.online_attention %q, %kt, %vt lanes %heads, %rows start %t into %a, %m, %s scale 0.5 key_tile 4
          : tensor<1x2xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<2xindex>, tensor<2xindex>, tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32> -> tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32> mask {
        ^bb0(%h: index, %i: index, %j: index):
          %c = arith.cmpi sle, %j, %i : index
          attn.yield %c : i1
        }
        scf.yield %1#0, %1#1, %1#2 : tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>
      }
      return %0#0, %0#2 : tensor<1x2xf32>, tensor<2xf32>
    })");
  Values results = module.call({module.f32({1, 2}, {1, 2}), module.f32({4, 1}, {1, 2, 3, 4}),
                                module.f32({4, 1}, {10, 20, 30, 40}), tile,
                                module.index({2}, {0, 0}), module.index({2}, {1, 2})});
  Floats acc = floats(results, 0), sum = floats(results, 1);
  if (acc.size() != 2 || sum.size() != 2)
    return {};
  return {acc[0] / sum[0], acc[1] / sum[1]};
}

TEST(Attn, TilesAreFoldedIntoARunningSoftmax) {
  double e = std::exp(0.5), f = std::exp(1); // scores 0.5, 1; 1, 2, 3
  Floats expected = {(10 + 20 * e) / (1 + e), (10 + 20 * f + 30 * f * f) / (1 + f + f * f)};
  for (int64_t tile : {1, 2, 4})
    expectNear(online(tile), expected);
}

/// 1 + 2^-8 is no number of eight bits, and rounds to 1; 1 + 3 * 2^-8 rounds to 1 + 2^-6.
constexpr double kBelow = 1 + 0x1p-8, kAbove = 1 + 3 * 0x1p-8, kAboveRounded = 1 + 0x1p-6;

TEST(Attn, FusedAttentionRoundsFactorsAndPowers) {
  auto module = SmallModule::function(
      "(%q: tensor<1x2xf32>, %k: tensor<2x2xf32>, %v: tensor<2x1xf32>) -> tensor<1x1xf32>",
      R"(%0 = attn.attention %q, %k, %v scale 1.0 bf16 : tensor<1x2xf32>, tensor<2x2xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
         return %0 : tensor<1x1xf32>)");
  Values results = module.call({module.f32({1, 2}, {kAbove, 0}), module.f32({2, 2}, {0, 0, 1, 0}),
                                module.f32({2, 1}, {kBelow, 2 * kAbove})});
  // The query times log2(e), 1.459..., rounds to 187 * 2^-7; the first key's power to 186 * 2^-9.
  EXPECT_EQ(std::nearbyint(kAbove * std::numbers::log2e * 128), 187);
  EXPECT_EQ(std::nearbyint(std::exp2(-187.0 / 128) * 512), 186);
  double power = 186.0 / 512;
  expectNear(floats(results), {(power + 2 * kAboveRounded) / (power + 1)});
}

TEST(Attn, TilesOfPairsRoundPowers) {
  SmallModule module(R"(
    func.func @f(%q: tensor<1x2xbf16>, %k: tensor<2x2xbf16>, %v: tensor<1x2xbf16>, %zero: tensor<1xindex>) -> (tensor<1x1xf32>, tensor<1xf32>) {
      %c0 = arith.constant 0 : index
      %acc = arith.constant dense<0.0> : tensor<1x1xf32>
      %max = arith.constant dense<0xFF800000> : tensor<1xf32>
      %sum = arith.constant dense<0.0> : tensor<1xf32>
      %0:3 = attn.online_attention %q, %k, %v lanes %zero, %zero start %c0 into %acc, %max, %sum scale 1.0 key_tile 4
        : tensor<1x2xbf16>, tensor<2x2xbf16>, tensor<1x2xbf16>, tensor<1xindex>, tensor<1xindex>, tensor<1x1xf32>, tensor<1xf32>, tensor<1xf32> -> tensor<1x1xf32>, tensor<1xf32>, tensor<1xf32>
      return %0#0, %0#2 : tensor<1x1xf32>, tensor<1xf32>
    })");
  Values results =
      module.call({module.bf16({1, 2}, {kAboveRounded, 0}), module.bf16({2, 2}, {0, 0, 1, 0}),
                   module.bf16({1, 2}, {1, 2 * kAboveRounded}), module.index({1}, {0})});
  // Scores 0 and 1 + 2^-6; the first one's power of 0.362... is 185 * 2^-9.
  EXPECT_EQ(std::nearbyint(std::exp(-kAboveRounded) * 512), 185);
  double power = 185.0 / 512;
  expectNear(floats(results, 0), {power + 2 * kAboveRounded});
  expectNear(floats(results, 1), {power + 1});
}

TEST(Attn, RowsInPairsAreRounded) {
  auto module = SmallModule::function(
      "(%rows: tensor<?x2xf32>, %into: tensor<?x4xbf16>) -> tensor<?x4xbf16>",
      R"(%0 = attn.pair_rows %rows into %into : tensor<?x2xf32>, tensor<?x4xbf16> -> tensor<?x4xbf16>
         return %0 : tensor<?x4xbf16>)");
  Array into = module.bf16({2, 4}, Floats(8, 0));
  Values results = module.call({module.f32({3, 2}, {kAbove, 2, 3, 4, 5, kBelow}), into});
  EXPECT_EQ(floats(results), (Floats{kAboveRounded, 3, 2, 4, 5, 5, 1, 1}));
}

TEST(Attn, CachesKeepTheirRows) {
  auto module = SmallModule::function(
      "(%rows: tensor<1x?x2xf32>, %c: tensor<2x1x?x2xf32>, %l: index, %past: index, %n: index) -> "
      "(tensor<2x1x?x2xf32>, tensor<1x?x2xf32>)",
      R"(%0 = attn.cache_append %rows into %c layer %l at %past : tensor<1x?x2xf32> into tensor<2x1x?x2xf32>
         %1 = attn.cache_read %0 layer %l length %n : tensor<2x1x?x2xf32> -> tensor<1x?x2xf32>
         return %0, %1 : tensor<2x1x?x2xf32>, tensor<1x?x2xf32>)");
  Array rows = module.f32({1, 1, 2}, {8, 9});
  Array cache = module.f32({2, 1, 3, 2}, {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60});
  Values results = module.call({rows, cache, int64_t{1}, int64_t{1}, int64_t{2}});
  EXPECT_EQ(floats(results, 0), (Floats{1, 2, 3, 4, 5, 6, 10, 20, 8, 9, 50, 60}));
  EXPECT_EQ(floats(results, 1), (Floats{10, 20, 8, 9}));
  EXPECT_EQ(module.error({rows, cache, int64_t{1}, int64_t{3}, int64_t{2}}),
            "test.mlir:2:6: 'attn.cache_append': stores 1 rows behind 3 in a cache for 3");
  EXPECT_EQ(module.error({rows, cache, int64_t{2}, int64_t{0}, int64_t{2}}),
            "test.mlir:2:6: 'attn.cache_append': reads layer 2 of a cache of [2, 1, 3, 2]");
  EXPECT_EQ(module.error({rows, cache, int64_t{0}, int64_t{0}, int64_t{4}}),
            "test.mlir:3:15: 'attn.cache_read': reads 4 rows of a cache for 3");
}

TEST(Attn, ProjectionsAndEmbeddings) {
  SmallModule module(R"(
    attn.weight @W : !attn.weight<3x2, f32> tensor "w.{l}" layers 2
    attn.weight @E : !attn.weight<4x2, f32> tensor "e"
    func.func @dense(%l: index) -> (tensor<3x2xf32>, tensor<2x3xf32>, tensor<4x2xf32>) {
      %w = attn.get_weight @W[%l] : !attn.weight<3x2, f32>
      %0 = attn.dequantize %w : !attn.weight<3x2, f32> -> tensor<3x2xf32>
      %t = attn.get_weight @W[%l] permuted [1, 0] : !attn.weight<2x3, f32>
      %1 = attn.dequantize %t : !attn.weight<2x3, f32> -> tensor<2x3xf32>
      %e = attn.get_weight @E : !attn.weight<4x2, f32>
      %2 = attn.dequantize %e : !attn.weight<4x2, f32> -> tensor<4x2xf32>
      return %0, %1, %2 : tensor<3x2xf32>, tensor<2x3xf32>, tensor<4x2xf32>
    }
    func.func @project(%x: tensor<?x2xf32>, %y: tensor<?x3xf32>, %l: index) -> tensor<?x3xf32> {
      %w = attn.get_weight @W[%l] : !attn.weight<3x2, f32>
      %0 = attn.project linear %x, %w into %y accumulate : tensor<?x2xf32>, !attn.weight<3x2, f32> into tensor<?x3xf32> -> tensor<?x3xf32>
      return %0 : tensor<?x3xf32>
    }
    func.func @embed(%ids: tensor<3xi32>) -> tensor<3x2xf32> {
      %e = attn.get_weight @E : !attn.weight<4x2, f32>
      %0 = attn.embed %ids, %e : tensor<3xi32>, !attn.weight<4x2, f32> -> tensor<3x2xf32>
      return %0 : tensor<3x2xf32>
    })");
  Values dense = module.call({int64_t{1}}, "dense");
  Floats w = floats(dense, 0), table = floats(dense, 2);
  ASSERT_EQ(w.size(), 6u);
  EXPECT_EQ(floats(dense, 1), (Floats{w[0], w[2], w[4], w[1], w[3], w[5]}));
  EXPECT_NE(w, floats(module.call({int64_t{0}}, "dense"), 0));
  EXPECT_EQ(module.error({int64_t{2}}, "dense"),
            "test.mlir:6:12: 'attn.dequantize': reads layer 2 of weight 'W', which has 2");

  Values product = module.call(
      {module.f32({1, 2}, {2, 3}), module.f32({1, 3}, {10, 20, 30}), int64_t{1}}, "project");
  expectNear(floats(product),
             {10 + 2 * w[0] + 3 * w[1], 20 + 2 * w[2] + 3 * w[3], 30 + 2 * w[4] + 3 * w[5]});
  EXPECT_EQ(module.error({module.unwrittenF32({1, 2}), module.f32({1, 3}, {1, 2, 3}), int64_t{1}},
                         "project"),
            "test.mlir:15:12: 'attn.project': operand 0 has 2 elements that nothing wrote");
  // Ids outside of the table read its nearest row.
  EXPECT_EQ(floats(module.call({module.i32({3}, {1, -5, 77})}, "embed")),
            (Floats{table[2], table[3], table[0], table[1], table[6], table[7]}));
}

TEST(Attn, SinksTakeWeight) {
  auto module = SmallModule::function(
      "(%s: tensor<2x2xf32>, %sink: tensor<2xf32>) -> tensor<2x2xf32>",
      R"(%0 = attn.softmax %s sink %sink dimension 1 : tensor<2x2xf32>, tensor<2xf32>
         return %0 : tensor<2x2xf32>)");
  // The second row sees nothing but its sink.
  Array scores = module.f32({2, 2}, {1, 2, -INFINITY, -INFINITY});
  double e = std::exp(1);
  expectNear(floats(module.call({scores, module.f32({2}, {0, 5})})),
             {e / (1 + e + e * e), e * e / (1 + e + e * e), 0, 0});
  expectNear(floats(module.call({scores, module.f32({2}, {-INFINITY, -INFINITY})})),
             {1 / (1 + e), e / (1 + e), 0, 0});
}

TEST(Attn, BatchesShareOrHaveKeys) {
  auto module = SmallModule::function(
      "(%q: tensor<2x1x1x1xf32>, %k: tensor<?x1x2x1xf32>, %v: tensor<?x1x2x1xf32>, %s: "
      "tensor<2x1x1xf32>) -> tensor<2x1x1x1xf32>",
      R"(%0 = attn.attention %q, %k, %v sink %s scale 1.0 : tensor<2x1x1x1xf32>, tensor<?x1x2x1xf32>, tensor<?x1x2x1xf32>, tensor<2x1x1xf32> -> tensor<2x1x1x1xf32>
         mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index):
           %c = arith.cmpi sle, %j, %b : index
           attn.yield %c : i1
         }
         return %0 : tensor<2x1x1x1xf32>)");
  Array q = module.f32({2, 1, 1, 1}, {0, 0}), sink = module.f32({2, 1, 1}, {0, 0});
  // Every score is 0, as the sink is: weights of a half, and of a third.
  Array own = module.f32({2, 1, 2, 1}, {6, 12, 24, 48}), shared = module.f32({1, 1, 2, 1}, {6, 12});
  expectNear(floats(module.call({q, own, own, sink})), {3, 24});
  expectNear(floats(module.call({q, shared, shared, sink})), {3, 6});
  Array three = module.f32({3, 1, 2, 1}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(module.error({q, three, three, sink}),
            "test.mlir:2:6: 'attn.attention': heads of [2, 1, 1, 1] can't share those of [3, 1, 2, "
            "1]");
}

TEST(Attn, RingsOverwriteTheirOldestRows) {
  auto module = SmallModule::function(
      "(%rows: tensor<?x1xf32>, %c: tensor<1x3x1xf16>, %past: index, %n: index) -> "
      "(tensor<1x3x1xf16>, tensor<?x1xf32>)",
      R"(%l = arith.constant 0 : index
         %0 = attn.cache_append %rows into %c layer %l at %past : tensor<?x1xf32> into tensor<1x3x1xf16>
         %1 = attn.cache_read %0 layer %l length %n : tensor<1x3x1xf16> -> tensor<?x1xf32>
         return %0, %1 : tensor<1x3x1xf16>, tensor<?x1xf32>)");
  Array cache = module.f32({1, 3, 1}, {1, 2, 3});
  cache.element = mlir::Float16Type::get(cache.element.getContext());
  double third = 0.333251953125; // as an f16
  Values results = module.call({module.f32({2, 1}, {1.0 / 3, 5}), cache, int64_t{5}, int64_t{7}});
  EXPECT_EQ(floats(results, 0), (Floats{5, 2, third}));
  EXPECT_EQ(floats(results, 1), (Floats{5, 2, third, 5, 2, third, 5}));
  EXPECT_EQ(module.error({module.f32({4, 1}, {1, 2, 3, 4}), cache, int64_t{0}, int64_t{4}}),
            "test.mlir:3:15: 'attn.cache_append': stores 4 rows behind 0 in a cache for 3");
}

TEST(Attn, RowsOfBytesHaveScales) {
  auto module = SmallModule::function(
      "(%rows: tensor<?x2xf32>, %c: tensor<1x?x2xi8>, %s: tensor<1x?x1xf32>) -> "
      "(tensor<1x?x2xi8>, tensor<1x?x1xf32>, tensor<?x2xf32>)",
      R"(%l = arith.constant 0 : index
         %c2 = arith.constant 2 : index
         %0, %1 = attn.cache_append %rows into %c scales %s layer %l at %l : tensor<?x2xf32> into tensor<1x?x2xi8>, tensor<1x?x1xf32>
         %2 = attn.cache_read %0 scales %1 layer %l length %c2 : tensor<1x?x2xi8>, tensor<1x?x1xf32> -> tensor<?x2xf32>
         return %0, %1, %2 : tensor<1x?x2xi8>, tensor<1x?x1xf32>, tensor<?x2xf32>)");
  Array bytes = module.i32({1, 2, 2}, {1, 2, 3, 4}), scales = module.f32({1, 2, 1}, {9, 9});
  bytes.element = mlir::IntegerType::get(bytes.element.getContext(), 8);
  Values results = module.call({module.f32({2, 2}, {-254, 101, 0, 0}), bytes, scales});
  EXPECT_EQ(integers(results, 0), (Integers{-127, 50, 0, 0})); // half to even
  EXPECT_EQ(floats(results, 1), (Floats{2, 0}));
  EXPECT_EQ(floats(results, 2), (Floats{-254, 100, 0, 0}));
}

TEST(Attn, WhatIsFurthestFromZeroFillsEightBits) {
  auto module = SmallModule::function(
      "(%x: tensor<1x32xf32>, %s: tensor<1x1xf32>, %t: tensor<1x1xi32>) -> (tensor<1x32xi8>, "
      "tensor<1x1xf32>, tensor<1x1xi32>)",
      R"(%q = tensor.empty() : tensor<1x32xi8>
         %0:3 = attn.quantize %x times -128 into %q, %s, %t : tensor<1x32xf32>, tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32> -> tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>
         return %0#0, %0#1, %0#2 : tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>)");
  Floats row(32);
  row[3] = -64, row[7] = 64, row[8] = 1;
  Values results =
      module.call({module.f32({1, 32}, row), module.f32({1, 1}, {0}), module.i32({1, 1}, {0})});
  Integers quants(32);
  quants[3] = 127, quants[7] = -128, quants[8] = -2; // 128 is out of reach
  EXPECT_EQ(integers(results), quants);
  EXPECT_EQ(floats(results, 1), (Floats{-0.5}));
  EXPECT_EQ(integers(results, 2), (Integers{3 * 128}));
}

TEST(Attn, QuantizeToWords) {
  auto module = SmallModule::function(
      "(%x: tensor<1x32xf32>, %s: tensor<1x1xf32>, %t: tensor<1x1xi32>) -> (tensor<1x32xi16>, "
      "tensor<1x1xf32>, tensor<1x1xi32>)",
      R"(%q = tensor.empty() : tensor<1x32xi16>
         %0:3 = attn.quantize %x times -128 into %q, %s, %t : tensor<1x32xf32>, tensor<1x32xi16>, tensor<1x1xf32>, tensor<1x1xi32> -> tensor<1x32xi16>, tensor<1x1xf32>, tensor<1x1xi32>
         return %0#0, %0#1, %0#2 : tensor<1x32xi16>, tensor<1x1xf32>, tensor<1x1xi32>)");
  // 64 becomes -32768, and what is as far below 0 one less than its opposite.
  Floats row(32);
  row[3] = 64, row[20] = -64, row[21] = 0.25;
  Values results =
      module.call({module.f32({1, 32}, row), module.f32({1, 1}, {0}), module.i32({1, 1}, {0})});
  Integers quants(32);
  quants[3] = -32768, quants[20] = 32767, quants[21] = -128;
  EXPECT_EQ(integers(results), quants);
  EXPECT_EQ(floats(results, 1), Floats{-64.0 / 32768});
  EXPECT_EQ(integers(results, 2), Integers{-128 * -129});
}

TEST(Attn, QuantizeAboutACentre) {
  auto module = SmallModule::function(
      "(%x: tensor<1x32xf32>, %s: tensor<1x1xf32>, %t: tensor<1x1xi32>) -> (tensor<1x32xi8>, "
      "tensor<1x1xf32>, tensor<1x1xi32>, tensor<1x2xbf16>, tensor<1x1xf32>)",
      R"(%q = tensor.empty() : tensor<1x32xi8>
         %c = tensor.empty() : tensor<1x2xbf16>
         %0:5 = attn.quantize %x times -8 into %q, %s, %t centred %c, %s : tensor<1x32xf32>, tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32> centred tensor<1x2xbf16>, tensor<1x1xf32> -> tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>, tensor<1x2xbf16>, tensor<1x1xf32>
         return %0#0, %0#1, %0#2, %0#3, %0#4 : tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>, tensor<1x2xbf16>, tensor<1x1xf32>)");
  // From -20 to 100: the middle is 40, and 60 from it becomes 120.
  Floats row(32, 40);
  row[3] = -20, row[20] = 100, row[21] = 41;
  Values results =
      module.call({module.f32({1, 32}, row), module.f32({1, 1}, {0}), module.i32({1, 1}, {0})});
  Integers quants(32);
  quants[3] = -120, quants[20] = 120, quants[21] = 2;
  EXPECT_EQ(integers(results), quants);
  EXPECT_EQ(floats(results, 1), Floats{0.5});
  // Those of the second half times 128 more than those of the first, 0.
  int pair = 120 * 128 + 2 * 128;
  EXPECT_EQ(integers(results, 2), Integers{-8 * 2 + pair});
  EXPECT_EQ(floats(results, 3), (Floats{0.5 * 2 + 32 * 40, 40}));
  EXPECT_EQ(floats(results, 4), Floats{-0.5 * pair});
}

TEST(Attn, LanesHaveDotProducts) {
  auto module = SmallModule::function(
      "(%bytes: vector<1xi32>, %pairs: vector<1xf32>, %c: vector<2xbf16>) -> (vector<1xi32>, "
      "vector<1xf32>)",
      R"(%a = arith.constant dense<[-1, 2, 0, 1]> : vector<4xi8>
         %b = arith.constant dense<[-2, 5, 7, 127]> : vector<4xi8>
         %0 = attn.dot_bytes %bytes, %a, %b : vector<1xi32>, vector<4xi8>
         %1 = attn.dot_pairs %pairs, %c, %c : vector<1xf32>, vector<2xbf16>
         return %0, %1 : vector<1xi32>, vector<1xf32>)");
  Values results =
      module.call({module.i32({1}, {1000}), module.f32({1}, {0.5}), module.bf16({2}, {3, -4})});
  EXPECT_EQ(integers(results), (Integers{1000 - 2 * 255 + 10 + 127})); // -1 is read as 255
  expectNear(floats(results, 1), {25.5});
}

TEST(Attn, WordsAddUpPairsOfBytes) {
  auto module =
      SmallModule::function("(%words: vector<2xi16>, %sum: vector<1xi32>) -> (vector<1xi32>)",
                            R"(%a = arith.constant dense<[15, 15, -1, 0]> : vector<4xi8>
         %b = arith.constant dense<[-128, -128, -128, 1]> : vector<4xi8>
         %0 = attn.dot_bytes %words, %a, %b : vector<2xi16>, vector<4xi8>
         %ones = arith.constant dense<1> : vector<2xi16>
         %1 = attn.dot_words %sum, %0, %ones : vector<1xi32>, vector<2xi16>
         return %1 : vector<1xi32>)");
  Values results = module.call({module.i16({2}, {5, -5}), module.i32({1}, {100000})});
  EXPECT_EQ(integers(results), (Integers{100000 - 2 * 15 * 128 - 255 * 128}));
  // What words can't hold is never asked of them.
  EXPECT_NE(module.error({module.i16({2}, {5, -200}), module.i32({1}, {0})})
                .find("adds up -32840 in 16 bits"),
            std::string::npos);
}

TEST(Attn, LanesHaveProductsOfWords) {
  auto module =
      SmallModule::function("(%sum: vector<2xi32>, %a: vector<4xi16>) -> (vector<2xi32>)",
                            R"(%b = arith.constant dense<[255, 255, -1, 3]> : vector<4xi16>
         %0 = attn.dot_words %sum, %a, %b : vector<2xi32>, vector<4xi16>
         return %0 : vector<2xi32>)");
  Values results =
      module.call({module.i32({2}, {7, 2147483647}), module.i16({4}, {-32768, 32767, -1, 1})});
  EXPECT_EQ(integers(results), (Integers{7 - 255, -2147483645})); // the second wraps around
}

TEST(Attn, LanesAreScaledByPowers) {
  auto module = SmallModule::function("(%x: vector<6xf32>) -> (vector<6xf32>, vector<6xf32>)",
                                      R"(%0 = math.floor %x : vector<6xf32>
         %1 = arith.subf %x, %0 : vector<6xf32>
         %2 = attn.scale_by_power %1, %x : vector<6xf32>
         return %1, %2 : vector<6xf32>, vector<6xf32>)");
  double infinity = std::numeric_limits<double>::infinity();
  Values results = module.call({module.f32({6}, {-1.75, -1.5, -0.5, 0, 2.25, -infinity})});
  Floats fractions = floats(results, 0);
  EXPECT_TRUE(std::isnan(fractions.back()));
  fractions.pop_back();
  expectNear(fractions, {0.25, 0.5, 0.5, 0, 0.25});
  expectNear(floats(results, 1), {0.0625, 0.125, 0.25, 0, 1, 0});
}

TEST(Attn, HeadsHaveMatricesOfTheirOwn) {
  SmallModule module(R"(
    attn.weight @W : !attn.weight<2x1x2, f32> tensor "w"
    func.func @f(%x: tensor<1x2x2xf32>) -> (tensor<2x1x2xf32>, tensor<1x2x1xf32>) {
      %w = attn.get_weight @W : !attn.weight<2x1x2, f32>
      %0 = attn.dequantize %w : !attn.weight<2x1x2, f32> -> tensor<2x1x2xf32>
      %1 = attn.project linear %x, %w per_head : tensor<1x2x2xf32>, !attn.weight<2x1x2, f32> -> tensor<1x2x1xf32>
      return %0, %1 : tensor<2x1x2xf32>, tensor<1x2x1xf32>
    })");
  Values results = module.call({module.f32({1, 2, 2}, {1, 2, 3, 4})});
  Floats w = floats(results, 0);
  ASSERT_EQ(w.size(), 4u);
  expectNear(floats(results, 1), {w[0] + 2 * w[1], 3 * w[2] + 4 * w[3]});
}

TEST(Attn, TilesOfKeysAreClassed) {
  auto module = SmallModule::function(
      "(%heads: tensor<2xindex>, %rows: tensor<2xindex>, %first: index, %count: index) -> (i1, i1)",
      R"(%any, %all = attn.classify_keys lanes %heads, %rows keys %first, %count : tensor<2xindex>, tensor<2xindex> mask {
         ^bb0(%h: index, %i: index, %j: index):
           %c = arith.cmpi sle, %j, %i : index
           attn.yield %c : i1
         }
         return %any, %all : i1, i1)");
  auto classed = [&](int64_t first) {
    Values results =
        module.call({module.index({2}, {0, 0}), module.index({2}, {3, 5}), first, int64_t{2}});
    return std::pair(integers(results, 0), integers(results, 1));
  };
  EXPECT_EQ(classed(2), std::pair(Integers{1}, Integers{1}));
  EXPECT_EQ(classed(3), std::pair(Integers{1}, Integers{0}));
  EXPECT_EQ(classed(6), std::pair(Integers{0}, Integers{0}));
}

} // namespace
