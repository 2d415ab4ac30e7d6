//===- ControlTest.cpp - what the evaluator makes of loops and calls ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include <gtest/gtest.h>

using namespace heed::reference;

namespace {

TEST(Control, LoopsCarryValues) {
  auto module = SmallModule::function("(%n: index) -> (index, index)",
                                      R"(%c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %0:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %c0, %b = %c1) -> (index, index) {
        %sum = arith.addi %a, %b : index
        scf.yield %b, %sum : index, index
      }
      return %0#0, %0#1 : index, index)");
  Values results = module.call({int64_t{10}});
  EXPECT_EQ(integers(results, 0), Integers{55});
  EXPECT_EQ(integers(results, 1), Integers{89});
  EXPECT_EQ(integers(module.call({int64_t{-3}})), Integers{0});
}

TEST(Control, BranchesAndWhile) {
  // The steps of Collatz's sequence from n to 1.
  auto module = SmallModule::function("(%n: i32) -> i32",
                                      R"(%c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c2 = arith.constant 2 : i32
      %c3 = arith.constant 3 : i32
      %0:2 = scf.while (%x = %n, %steps = %c0) : (i32, i32) -> (i32, i32) {
        %goes = arith.cmpi ne, %x, %c1 : i32
        scf.condition(%goes) %x, %steps : i32, i32
      } do {
      ^bb0(%x: i32, %steps: i32):
        %bit = arith.remui %x, %c2 : i32
        %odd = arith.cmpi eq, %bit, %c1 : i32
        %next = scf.if %odd -> (i32) {
          %m = arith.muli %x, %c3 : i32
          %p = arith.addi %m, %c1 : i32
          scf.yield %p : i32
        } else {
          %h = arith.divui %x, %c2 : i32
          scf.yield %h : i32
        }
        %more = arith.addi %steps, %c1 : i32
        scf.yield %next, %more : i32, i32
      }
      return %0#1 : i32)");
  EXPECT_EQ(integers(module.call({int64_t{27}})), Integers{111});
}

TEST(Control, CallsHaveFramesOfTheirOwn) {
  SmallModule module(R"(
    func.func @twice(%x: f32) -> f32 {
      %0 = arith.addf %x, %x : f32
      return %0 : f32
    }
    func.func @f(%x: f32) -> f32 {
      %0 = call @twice(%x) : (f32) -> f32
      %1 = call @twice(%0) : (f32) -> f32
      %2 = arith.addf %0, %1 : f32
      return %2 : f32
    })");
  EXPECT_EQ(floats(module.call({1.0})), Floats{6});
}

TEST(Control, ParallelLoopsInsertTheirParts) {
  auto module =
      SmallModule::function("(%x: tensor<6xf32>, %by: index) -> tensor<6xf32>",
                            R"(%0 = scf.forall (%i) in (3) shared_outs(%o = %x) -> tensor<6xf32> {
        %at = arith.muli %i, %by : index
        %mine = tensor.extract_slice %o[%at] [2] [1] : tensor<6xf32> to tensor<2xf32>
        %sum = arith.addf %mine, %mine : tensor<2xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %sum into %o[%at] [2] [1] : tensor<2xf32> into tensor<6xf32>
        }
      }
      return %0 : tensor<6xf32>)");
  Array x = module.f32({6}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(floats(module.call({x, int64_t{2}})), (Floats{2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(module.error({x, int64_t{1}}),
            "test.mlir:7:11: 'tensor.parallel_insert_slice': writes elements at [1] that another "
            "thread of the loop wrote");
  EXPECT_EQ(module.error({x, int64_t{3}}),
            "test.mlir:4:17: 'tensor.extract_slice': takes [2] at [6] with strides [1] of [6]");
}

TEST(Control, AffineMaps) {
  auto module = SmallModule::function(
      "(%a: index, %b: index) -> (index, index, index)",
      R"(%0 = affine.apply affine_map<(d0)[s0] -> (d0 floordiv 4 + s0 mod 3)>(%a)[%b]
         %1 = affine.min affine_map<(d0, d1) -> (d0 + 1, d1 ceildiv 2)>(%a, %b)
         %2 = affine.max affine_map<(d0, d1) -> (d0 + 1, d1 ceildiv 2)>(%a, %b)
         return %0, %1, %2 : index, index, index)");
  Values results = module.call({int64_t{-5}, int64_t{7}});
  EXPECT_EQ(integers(results, 0), Integers{-1});
  EXPECT_EQ(integers(results, 1), Integers{-4});
  EXPECT_EQ(integers(results, 2), Integers{4});
}

TEST(Control, EndlessProgramsAreGivenUp) {
  auto module = SmallModule::function("()", R"(%true = arith.constant true
      scf.while : () -> () {
        scf.condition(%true)
      } do {
        scf.yield
      }
      return)");
  EXPECT_EQ(module.error({}, "f", {.maxSteps = 1000}),
            "test.mlir:3:7: 'scf.while': evaluation was given up after 1000 steps");
  SmallModule recursive("func.func @f() {\n  call @f() : () -> ()\n  return\n}");
  EXPECT_EQ(recursive.error({}), "test.mlir:1:1: 'func.func': calls are nested deeper than 64");
  auto still = SmallModule::function("(%s: index)", R"(%c0 = arith.constant 0 : index
      scf.for %i = %c0 to %s step %c0 {
      }
      return)");
  EXPECT_EQ(still.error({int64_t{1}}),
            "test.mlir:3:7: 'scf.for': its step is 0, expected one above 0");
}

TEST(Control, EachResultIsObserved) {
  auto module = SmallModule::function("(%x: tensor<2xf32>) -> tensor<2xf32>",
                                      R"(%0 = arith.addf %x, %x : tensor<2xf32>
      %1 = linalg.map { math.exp } ins(%0 : tensor<2xf32>) outs(%x : tensor<2xf32>)
      return %1 : tensor<2xf32>)");
  std::vector<std::string> seen;
  EvaluatorOptions options;
  options.observe = [&](mlir::Operation *op, unsigned, const Value &) {
    seen.push_back(op->getName().getStringRef().str());
  };
  module.call({module.f32({2}, {0, 0})}, "f", options);
  EXPECT_EQ(seen, (std::vector<std::string>{"arith.addf", "linalg.map"}));
}

TEST(Control, CallersAndProgramsMistakesAreErrors) {
  SmallModule module(R"(
    func.func private @outside()
    func.func @g(%x: tensor<2xf32>) {
      call @outside() : () -> ()
      return
    }
    )");
  EXPECT_EQ(module.error({}, "none"), "test.mlir: 'builtin.module': there is no function 'none'");
  EXPECT_EQ(module.error({}, "g"),
            "test.mlir:3:5: 'func.func': function 'g' takes 1 arguments, found 0");
  EXPECT_EQ(module.error({module.f32({3}, {1, 2, 3})}, "g"),
            "test.mlir:3:5: 'func.func': argument 0 of 'g' is a tensor<2xf32>, found [3] of f32");
  EXPECT_EQ(module.error({module.f32({2}, {1, 2})}, "g"),
            "test.mlir:2:5: 'func.func': function 'outside' has no body");
}

TEST(Control, UnknownOpsAreErrorsOnceReached) {
  auto module = SmallModule::function("(%c: i1)", R"(scf.if %c {
        %0 = llvm.mlir.zero : !llvm.ptr
      }
      return)");
  EXPECT_TRUE(module.call({int64_t{0}}).empty());
  EXPECT_EQ(module.error({int64_t{1}}),
            "test.mlir:3:14: 'llvm.mlir.zero': the evaluator doesn't know this op");
}

} // namespace
