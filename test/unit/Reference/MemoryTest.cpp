//===- MemoryTest.cpp - what the evaluator makes of memrefs and vectors ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include <gtest/gtest.h>

using namespace heed::reference;

namespace {

TEST(Memory, MemrefsAreSharedAndTensorsAreNot) {
  auto module = SmallModule::function(
      "(%m: memref<2x3xf32>, %i: index) -> (tensor<2x3xf32>, f32)",
      R"(%before = bufferization.to_tensor %m : memref<2x3xf32> to tensor<2x3xf32>
         %c = arith.constant 9.0 : f32
         %part = memref.subview %m[1, %i] [1, 2] [1, 1] : memref<2x3xf32> to memref<2xf32, strided<[1], offset: ?>>
         memref.store %c, %part[%i] : memref<2xf32, strided<[1], offset: ?>>
         %all = memref.collapse_shape %m [[0, 1]] : memref<2x3xf32> into memref<6xf32>
         %c5 = arith.constant 5 : index
         %0 = memref.load %all[%c5] : memref<6xf32>
         return %before, %0 : tensor<2x3xf32>, f32)");
  Array m = module.f32({2, 3}, {1, 2, 3, 4, 5, 6});
  Values results = module.call({m, int64_t{1}});
  EXPECT_EQ(floats(results, 0), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(floats(results, 1), Floats{9});
  EXPECT_EQ(m.toFloats(), (Floats{1, 2, 3, 4, 5, 9}));
  EXPECT_EQ(module.error({m, int64_t{2}}), "test.mlir:4:18: 'memref.subview': takes [1, 2] at [1, "
                                           "2] with strides [1, 1] of [2, 3]");
}

TEST(Memory, AllocationsHoldNothingUntilWritten) {
  auto module = SmallModule::function("(%n: index, %i: index) -> f32",
                                      R"(%m = memref.alloc(%n) : memref<?xf32>
         %c = arith.constant 1.0 : f32
         %c0 = arith.constant 0 : index
         memref.store %c, %m[%c0] : memref<?xf32>
         %0 = memref.load %m[%i] : memref<?xf32>
         memref.dealloc %m : memref<?xf32>
         return %0 : f32)");
  EXPECT_EQ(floats(module.call({int64_t{2}, int64_t{0}})), Floats{1});
  EXPECT_EQ(module.error({int64_t{2}, int64_t{1}}),
            "test.mlir:1:1: 'func.func': result 0 of 'f' has 1 of 1 elements that nothing wrote");
  EXPECT_EQ(module.error({int64_t{2}, int64_t{2}}),
            "test.mlir:6:15: 'memref.load': reads [2] of [2]");
  auto freed = SmallModule::function("(%m: memref<1xf32>) -> f32",
                                     R"(%c0 = arith.constant 0 : index
         memref.dealloc %m : memref<1xf32>
         %0 = memref.load %m[%c0] : memref<1xf32>
         %1 = math.exp %0 : f32
         return %1 : f32)");
  EXPECT_EQ(freed.error({freed.f32({1}, {1})}),
            "test.mlir:5:15: 'math.exp': operand 0 is an element that nothing wrote");
}

TEST(Memory, ResultsThatAreArguments) {
  auto module = SmallModule::function(
      "(%x: tensor<2xf32>, %out: memref<2xf32> {heed.arg = \"result\"}, %write: i1)",
      R"(scf.if %write {
           bufferization.materialize_in_destination %x in writable %out : (tensor<2xf32>, memref<2xf32>) -> ()
         }
         return)");
  Array x = module.f32({2}, {1, 2}), out = module.unwrittenF32({2});
  EXPECT_EQ(module.error({x, out, int64_t{0}}),
            "test.mlir:1:1: 'func.func': argument 1 of 'f' has 2 of 2 elements that nothing wrote");
  module.call({x, out, int64_t{1}});
  EXPECT_EQ(out.toFloats(), (Floats{1, 2}));
}

TEST(Memory, CopiesAndCasts) {
  auto module = SmallModule::function(
      "(%a: memref<2x2xf32>, %b: memref<?x2xf32>, %n: index)",
      R"(%t = memref.reinterpret_cast %a to offset: [0], sizes: [%n, 2], strides: [1, 2] : memref<2x2xf32> to memref<?x2xf32, strided<[1, 2]>>
         memref.copy %t, %b : memref<?x2xf32, strided<[1, 2]>> to memref<?x2xf32>
         return)");
  Array a = module.f32({2, 2}, {1, 2, 3, 4}), b = module.unwrittenF32({2, 2});
  module.call({a, b, int64_t{2}});
  EXPECT_EQ(b.toFloats(), (Floats{1, 3, 2, 4}));
  EXPECT_EQ(module.error({a, b, int64_t{3}}),
            "test.mlir:2:6: 'memref.reinterpret_cast': takes [3, 2] with strides [1, 2] at 0 of "
            "memory of 4 elements");
}

// No rows lie in no memory, however long each would be.
TEST(Memory, CastsOfNothing) {
  auto module = SmallModule::function(
      "(%a: memref<?x2xf32>, %n: index) -> index",
      R"(%t = memref.reinterpret_cast %a to offset: [0], sizes: [%n, 2], strides: [2, 1] : memref<?x2xf32> to memref<?x2xf32>
         %zero = arith.constant 0 : index
         %rows = memref.dim %t, %zero : memref<?x2xf32>
         return %rows : index)");
  Array nothing = module.unwrittenF32({0, 2});
  EXPECT_EQ(module.call({nothing, int64_t{0}}).size(), 1u);
  EXPECT_EQ(module.error({nothing, int64_t{1}}),
            "test.mlir:2:6: 'memref.reinterpret_cast': takes [1, 2] with strides [2, 1] at 0 of "
            "memory of 0 elements");
}

TEST(Vector, LoadsAndStoresStayInside) {
  auto module =
      SmallModule::function("(%m: memref<?x4xf32>, %i: index, %j: index)",
                            R"(%v = vector.load %m[%i, %j] : memref<?x4xf32>, vector<2xf32>
         %w = vector.fma %v, %v, %v : vector<2xf32>
         vector.store %w, %m[%i, %j] : memref<?x4xf32>, vector<2xf32>
         return)");
  Array m = module.f32({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  module.call({m, int64_t{0}, int64_t{2}});
  EXPECT_EQ(m.toFloats(), (Floats{1, 2, 12, 20, 5, 6, 7, 8}));
  // Row 0 goes on in row 1, but that isn't what was asked for.
  EXPECT_EQ(module.error({m, int64_t{0}, int64_t{3}}),
            "test.mlir:2:6: 'vector.load': lane [1] accesses [0, 4] of [2, 4]");
}

TEST(Vector, MasksHideLanesOutside) {
  auto module = SmallModule::function("(%m: memref<?xf32>, %n: index) -> vector<4xf32>",
                                      R"(%c0 = arith.constant 0 : index
         %mask = vector.create_mask %n : vector<4xi1>
         %pass = arith.constant dense<-1.0> : vector<4xf32>
         %0 = vector.maskedload %m[%c0], %mask, %pass : memref<?xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
         return %0 : vector<4xf32>)");
  Array m = module.f32({3}, {1, 2, 3});
  EXPECT_EQ(floats(module.call({m, int64_t{3}})), (Floats{1, 2, 3, -1}));
  EXPECT_EQ(module.error({m, int64_t{4}}),
            "test.mlir:5:15: 'vector.maskedload': lane [3] accesses [3] of [3]");
}

TEST(Vector, TransfersPadWhereTheyMayLeave) {
  auto module =
      SmallModule::function("(%m: memref<3x2xf32>, %i: index) -> (vector<2x2xf32>, vector<3xf32>)",
                            R"(%c0 = arith.constant 0 : index
         %z = arith.constant 0.0 : f32
         %0 = vector.transfer_read %m[%i, %c0], %z {in_bounds = [false, true]} : memref<3x2xf32>, vector<2x2xf32>
         %1 = vector.transfer_read %m[%c0, %i], %z {in_bounds = [true], permutation_map = affine_map<(a, b) -> (a)>} : memref<3x2xf32>, vector<3xf32>
         return %0, %1 : vector<2x2xf32>, vector<3xf32>)");
  Array m = module.f32({3, 2}, {1, 2, 3, 4, 5, 6});
  Values results = module.call({m, int64_t{1}});
  EXPECT_EQ(floats(results, 0), (Floats{3, 4, 5, 6}));
  EXPECT_EQ(floats(results, 1), (Floats{2, 4, 6}));
  EXPECT_EQ(module.error({m, int64_t{2}}),
            "test.mlir:5:15: 'vector.transfer_read': lane [0] accesses [0, 2] of [3, 2]");
}

TEST(Vector, LanesMove) {
  auto module = SmallModule::function(
      "(%s: f32, %v: vector<4xf32>, %i: index) -> (vector<2x2xf32>, f32, vector<4xf32>, f32, "
      "vector<2x2xf32>, vector<4xindex>)",
      R"(%b = vector.broadcast %s : f32 to vector<2x2xf32>
         %0 = vector.insert %s, %v[%i] : f32 into vector<4xf32>
         %1 = vector.extract %v[3] : f32 from vector<4xf32>
         %2 = vector.shuffle %v, %0 [4, 1, 7, 0] : vector<4xf32>, vector<4xf32>
         %3 = vector.reduction <maximumf>, %v, %s : vector<4xf32> into f32
         %4 = vector.shape_cast %v : vector<4xf32> to vector<2x2xf32>
         %5 = vector.transpose %4, [1, 0] : vector<2x2xf32> to vector<2x2xf32>
         %6 = vector.step : vector<4xindex>
         return %b, %1, %2, %3, %5, %6 : vector<2x2xf32>, f32, vector<4xf32>, f32, vector<2x2xf32>, vector<4xindex>)");
  Values results = module.call({7.0, module.f32({4}, {1, 2, 3, 4}), int64_t{0}});
  EXPECT_EQ(floats(results, 0), (Floats{7, 7, 7, 7}));
  EXPECT_EQ(floats(results, 1), Floats{4});
  EXPECT_EQ(floats(results, 2), (Floats{7, 2, 4, 1}));
  EXPECT_EQ(floats(results, 3), Floats{7});
  EXPECT_EQ(floats(results, 4), (Floats{1, 3, 2, 4}));
  EXPECT_EQ(integers(results, 5), (Integers{0, 1, 2, 3}));
}

TEST(Vector, BitsOfLanes) {
  auto module = SmallModule::function("(%v: vector<2xi8>) -> (vector<1xi16>, vector<4xi4>)",
                                      R"(%0 = vector.bitcast %v : vector<2xi8> to vector<1xi16>
         %1 = vector.bitcast %v : vector<2xi8> to vector<4xi4>
         return %0, %1 : vector<1xi16>, vector<4xi4>)");
  Array v = module.i32({2}, {0x21, -0x5d}); // 0xa3
  v.element = mlir::IntegerType::get(v.element.getContext(), 8);
  Values results = module.call({v});
  EXPECT_EQ(integers(results, 0), Integers{static_cast<int16_t>(0xa321)});
  EXPECT_EQ(integers(results, 1), (Integers{1, 2, 3, -6}));
}

TEST(Vector, UnusedLanesMayHoldNothing) {
  auto module = SmallModule::function("(%m: memref<2xf32>) -> f32",
                                      R"(%c0 = arith.constant 0 : index
         %s = memref.alloca() : memref<2xf32>
         %x = memref.load %m[%c0] : memref<2xf32>
         memref.store %x, %s[%c0] : memref<2xf32>
         %v = vector.load %s[%c0] : memref<2xf32>, vector<2xf32>
         %w = arith.addf %v, %v : vector<2xf32>
         %0 = vector.extract %w[0] : f32 from vector<2xf32>
         return %0 : f32)");
  EXPECT_EQ(floats(module.call({module.f32({2}, {3, 4})})), Floats{6});
}

} // namespace
