//===- TensorTest.cpp - what the evaluator makes of tensors and linalg ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include <gtest/gtest.h>

using namespace heed::reference;

namespace {

TEST(Tensor, ElementsAndSizes) {
  auto module = SmallModule::function(
      "(%x: tensor<2x?xf32>, %i: index) -> (f32, tensor<2x?xf32>, index, tensor<2xf32>)",
      R"(%c1 = arith.constant 1 : index
         %0 = tensor.extract %x[%c1, %i] : tensor<2x?xf32>
         %1 = tensor.insert %0 into %x[%i, %i] : tensor<2x?xf32>
         %2 = tensor.dim %x, %c1 : tensor<2x?xf32>
         %3 = tensor.from_elements %0, %0 : tensor<2xf32>
         return %0, %1, %2, %3 : f32, tensor<2x?xf32>, index, tensor<2xf32>)");
  Array x = module.f32({2, 3}, {1, 2, 3, 4, 5, 6});
  Values results = module.call({x, int64_t{0}});
  EXPECT_EQ(floats(results, 0), Floats{4});
  EXPECT_EQ(floats(results, 1), (Floats{4, 2, 3, 4, 5, 6}));
  EXPECT_EQ(integers(results, 2), Integers{3});
  EXPECT_EQ(floats(results, 3), (Floats{4, 4}));
  EXPECT_EQ(x.toFloats(), (Floats{1, 2, 3, 4, 5, 6})); // nobody writes a tensor
  EXPECT_EQ(module.error({x, int64_t{3}}),
            "test.mlir:3:15: 'tensor.extract': reads [1, 3] of [2, 3]");
  EXPECT_EQ(module.error({x, int64_t{2}}),
            "test.mlir:4:15: 'tensor.insert': writes [2, 2] of [2, 3]");
}

TEST(Tensor, SlicesAndReshapes) {
  auto module = SmallModule::function(
      "(%x: tensor<2x6xf32>, %o: index) -> (tensor<3xf32>, tensor<2x6xf32>, tensor<2x2x3xf32>, "
      "tensor<12xf32>, tensor<2x2xf32>)",
      R"(%0 = tensor.extract_slice %x[1, %o] [1, 3] [1, 2] : tensor<2x6xf32> to tensor<3xf32>
         %1 = tensor.insert_slice %0 into %x[0, 3] [1, 3] [1, 1] : tensor<3xf32> into tensor<2x6xf32>
         %2 = tensor.expand_shape %x [[0], [1, 2]] output_shape [2, 2, 3] : tensor<2x6xf32> into tensor<2x2x3xf32>
         %3 = tensor.collapse_shape %2 [[0, 1, 2]] : tensor<2x2x3xf32> into tensor<12xf32>
         %4 = tensor.extract_slice %x[0, 0] [2, 2] [1, 3] : tensor<2x6xf32> to tensor<2x2xf32>
         return %0, %1, %2, %3, %4 : tensor<3xf32>, tensor<2x6xf32>, tensor<2x2x3xf32>, tensor<12xf32>, tensor<2x2xf32>)");
  Array x = module.f32({2, 6}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  Values results = module.call({x, int64_t{1}});
  EXPECT_EQ(floats(results, 0), (Floats{8, 10, 12}));
  EXPECT_EQ(floats(results, 1), (Floats{1, 2, 3, 8, 10, 12, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(floats(results, 3), x.toFloats());
  EXPECT_EQ(floats(results, 4), (Floats{1, 4, 7, 10}));
  EXPECT_EQ(module.error({x, int64_t{2}}), "test.mlir:2:6: 'tensor.extract_slice': takes [1, 3] "
                                           "at [1, 2] with strides [1, 2] of [2, 6]");
}

TEST(Tensor, RegionsPerElement) {
  auto module =
      SmallModule::function("(%x: tensor<2xf32>, %n: index) -> (tensor<?x2xindex>, tensor<4xf32>)",
                            R"(%z = arith.constant 0.5 : f32
         %0 = tensor.generate %n {
         ^bb0(%i: index, %j: index):
           %s = arith.addi %i, %j : index
           tensor.yield %s : index
         } : tensor<?x2xindex>
         %1 = tensor.pad %x low[1] high[1] {
         ^bb0(%i: index):
           tensor.yield %z : f32
         } : tensor<2xf32> to tensor<4xf32>
         return %0, %1 : tensor<?x2xindex>, tensor<4xf32>)");
  Values results = module.call({module.f32({2}, {1, 2}), int64_t{3}});
  EXPECT_EQ(integers(results, 0), (Integers{0, 1, 1, 2, 2, 3}));
  EXPECT_EQ(floats(results, 1), (Floats{0.5, 1, 2, 0.5}));
  EXPECT_EQ(module.error({module.f32({2}, {1, 2}), int64_t{-1}}),
            "test.mlir:3:15: 'tensor.generate': makes a shape of [-1, 2], which memory can't hold");
}

TEST(Linalg, GenericOpsFollowTheirMaps) {
  // A rotation's partner: index 2 * (k / 2) + 1 - k % 2, and an index of the loop.
  auto module = SmallModule::function("(%x: tensor<2x4xf32>) -> tensor<2x4xf32>",
                                      R"(%e = tensor.empty() : tensor<2x4xf32>
         %0 = linalg.generic {
             indexing_maps = [affine_map<(i, k) -> (1 - i, k - (k mod 2) * 2 + 1)>,
                              affine_map<(i, k) -> (i, k)>],
             iterator_types = ["parallel", "parallel"]}
             ins(%x : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
         ^bb0(%a: f32, %out: f32):
           %i = linalg.index 0 : index
           %n = arith.index_cast %i : index to i32
           %f = arith.sitofp %n : i32 to f32
           %s = arith.mulf %f, %a : f32
           linalg.yield %s : f32
         } -> tensor<2x4xf32>
         return %0 : tensor<2x4xf32>)");
  EXPECT_EQ(floats(module.call({module.f32({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})})),
            (Floats{0, 0, 0, 0, 2, 1, 4, 3}));
}

TEST(Linalg, NamedOps) {
  auto module = SmallModule::function(
      "(%a: tensor<2x3xf32>, %b: tensor<3x2xf32>) -> (tensor<2x2xf32>, tensor<3x2xf32>, "
      "tensor<2xf32>, tensor<2x2xf32>)",
      R"(%z = arith.constant 0.0 : f32
         %e = tensor.empty() : tensor<2x2xf32>
         %f = linalg.fill ins(%z : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
         %0 = linalg.matmul ins(%a, %b : tensor<2x3xf32>, tensor<3x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
         %1 = linalg.transpose ins(%a : tensor<2x3xf32>) outs(%b : tensor<3x2xf32>) permutation = [1, 0]
         %r = tensor.extract_slice %f[0, 0] [2, 1] [1, 1] : tensor<2x2xf32> to tensor<2xf32>
         %2 = linalg.reduce { arith.addf } ins(%a : tensor<2x3xf32>) outs(%r : tensor<2xf32>) dimensions = [1]
         %3 = linalg.broadcast ins(%2 : tensor<2xf32>) outs(%e : tensor<2x2xf32>) dimensions = [0]
         return %0, %1, %2, %3 : tensor<2x2xf32>, tensor<3x2xf32>, tensor<2xf32>, tensor<2x2xf32>)");
  Values results =
      module.call({module.f32({2, 3}, {1, 2, 3, 4, 5, 6}), module.f32({3, 2}, {1, 0, 0, 1, 2, 2})});
  EXPECT_EQ(floats(results, 0), (Floats{7, 8, 16, 17}));
  EXPECT_EQ(floats(results, 1), (Floats{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(floats(results, 2), (Floats{6, 15}));
  EXPECT_EQ(floats(results, 3), (Floats{6, 15, 6, 15}));
}

TEST(Linalg, EmptyLoopsChangeNothing) {
  auto module = SmallModule::function(
      "(%a: tensor<?x3xf32>, %s: tensor<3xf32>) -> tensor<3xf32>",
      R"(%0 = linalg.reduce { arith.addf } ins(%a : tensor<?x3xf32>) outs(%s : tensor<3xf32>) dimensions = [0]
         return %0 : tensor<3xf32>)");
  EXPECT_EQ(floats(module.call({module.f32({0, 3}, {}), module.f32({3}, {1, 2, 3})})),
            (Floats{1, 2, 3}));
}

TEST(Linalg, AccessesAreChecked) {
  const std::string body = R"(
         %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (MAP)>, affine_map<(i) -> (i)>],
             iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%y : tensor<?xf32>) {
         ^bb0(%a: f32, %out: f32):
           linalg.yield %a : f32
         } -> tensor<?xf32>
         return %0 : tensor<?xf32>)";
  for (const char *map : {"i + 1", "i mod 3 + 1", "i - 1", "i floordiv 2 + 2"}) {
    std::string text = body;
    text.replace(text.find("MAP"), 3, map);
    auto module =
        SmallModule::function("(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32>", text);
    Array three = module.f32({3}, {1, 2, 3});
    EXPECT_EQ(module.error({three, three}),
              "test.mlir:3:15: 'linalg.generic': operand 0 is accessed outside of its shape [3]")
        << map;
  }
  auto module = SmallModule::function(
      "(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32>",
      "%0 = linalg.copy ins(%x : tensor<?xf32>) outs(%y : tensor<?xf32>) -> tensor<?xf32>\n"
      "return %0 : tensor<?xf32>");
  EXPECT_EQ(module.error({module.f32({2}, {1, 2}), module.f32({3}, {1, 2, 3})}),
            "test.mlir:2:6: 'linalg.copy': operand 1 has size 3 along loop 0, and another has 2");
}

TEST(Tensor, WhatNothingWroteIsNoticed) {
  auto used = SmallModule::function("() -> f32", R"(%c0 = arith.constant 0 : index
         %e = tensor.empty() : tensor<2xf32>
         %0 = tensor.extract %e[%c0] : tensor<2xf32>
         %1 = arith.addf %0, %0 : f32
         return %1 : f32)");
  EXPECT_EQ(used.error({}),
            "test.mlir:5:15: 'arith.addf': operand 0 is an element that nothing wrote");
  auto returned = SmallModule::function("(%x: f32) -> tensor<2xf32>",
                                        R"(%c0 = arith.constant 0 : index
         %e = tensor.empty() : tensor<2xf32>
         %0 = tensor.insert %x into %e[%c0] : tensor<2xf32>
         return %0 : tensor<2xf32>)");
  EXPECT_EQ(returned.error({1.0}),
            "test.mlir:1:1: 'func.func': result 0 of 'f' has 1 of 2 elements that nothing wrote");
  auto index = SmallModule::function("(%x: tensor<2xf32>) -> f32",
                                     R"(%c0 = arith.constant 0 : index
         %e = tensor.empty() : tensor<1xindex>
         %i = tensor.extract %e[%c0] : tensor<1xindex>
         %0 = tensor.extract %x[%i] : tensor<2xf32>
         return %0 : f32)");
  EXPECT_EQ(index.error({index.f32({2}, {1, 2})}),
            "test.mlir:5:15: 'tensor.extract': operand 1 is a number that nothing wrote");
}

} // namespace
