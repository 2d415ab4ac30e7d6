//===- ArithTest.cpp - what the evaluator makes of arith and math ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace heed::reference;

namespace {

/// The result of op `op` on two integers of type `type`.
int64_t onIntegers(const std::string &op, const std::string &type, int64_t a, int64_t b,
                   const std::string &resultType = "") {
  std::string result = resultType.empty() ? type : resultType;
  auto module =
      SmallModule::function("(%a: " + type + ", %b: " + type + ") -> " + result,
                            "%0 = " + op + " %a, %b : " + type + "\nreturn %0 : " + result);
  Integers results = integers(module.call({a, b}));
  return results.empty() ? -999 : results.front();
}

double onFloat(const std::string &op, double a, Precision precision = Precision::Exact) {
  auto module =
      SmallModule::function("(%a: f32) -> f32", "%0 = " + op + " %a : f32\nreturn %0 : f32");
  Floats results = floats(module.call({a}, "f", {.precision = precision}));
  return results.empty() ? -999 : results.front();
}

TEST(Arith, IntegersWrapAroundAtTheirWidth) {
  EXPECT_EQ(onIntegers("arith.addi", "i8", 127, 1), -128);
  EXPECT_EQ(onIntegers("arith.muli", "i32", 1 << 20, 1 << 20), 0);
  EXPECT_EQ(onIntegers("arith.subi", "index", 3, 5), -2);
  EXPECT_EQ(onIntegers("arith.xori", "i1", 1, 1), 0);
  EXPECT_EQ(onIntegers("arith.shli", "i8", 3, 6), -64);
  EXPECT_EQ(onIntegers("arith.shrui", "i8", -64, 6), 3);
  EXPECT_EQ(onIntegers("arith.shrsi", "i8", -64, 6), -1);
}

TEST(Arith, DivisionsRoundAsTheirNamesSay) {
  EXPECT_EQ(onIntegers("arith.divsi", "i32", -7, 2), -3);
  EXPECT_EQ(onIntegers("arith.floordivsi", "i32", -7, 2), -4);
  EXPECT_EQ(onIntegers("arith.ceildivsi", "i32", 7, 2), 4);
  EXPECT_EQ(onIntegers("arith.ceildivsi", "i32", -7, 2), -3);
  EXPECT_EQ(onIntegers("arith.ceildivui", "index", 7, 4), 2);
  EXPECT_EQ(onIntegers("arith.remsi", "i32", -7, 2), -1);
  EXPECT_EQ(onIntegers("arith.remui", "i8", -1, 16), 15);
  EXPECT_EQ(onIntegers("arith.divui", "i8", -1, 16), 15);
}

TEST(Arith, BoundsAndComparisonsKnowSigns) {
  EXPECT_EQ(onIntegers("arith.maxsi", "i8", -1, 3), 3);
  EXPECT_EQ(onIntegers("arith.maxui", "i8", -1, 3), -1);
  EXPECT_EQ(onIntegers("arith.minui", "i8", -1, 3), 3);
  EXPECT_EQ(onIntegers("arith.cmpi slt,", "i8", -1, 3, "i1"), 1);
  EXPECT_EQ(onIntegers("arith.cmpi ult,", "i8", -1, 3, "i1"), 0);
}

TEST(Arith, ConversionsBehaveAsTheTypesSay) {
  auto module = SmallModule::function("(%x: f32, %n: i8, %b: i1) -> (f16, i32, f32, i32, i32, f32)",
                                      R"(%half = arith.truncf %x : f32 to f16
         %bits = arith.bitcast %x : f32 to i32
         %back = arith.bitcast %bits : i32 to f32
         %signed = arith.extsi %b : i1 to i32
         %unsigned = arith.extui %n : i8 to i32
         %float = arith.uitofp %n : i8 to f32
         return %half, %bits, %back, %signed, %unsigned, %float : f16, i32, f32, i32, i32, f32)");
  Values results = module.call({1.0 / 3, int64_t{-2}, int64_t{1}});
  EXPECT_EQ(floats(results, 0), Floats{0.333251953125});
  EXPECT_EQ(integers(results, 1), Integers{0x3eaaaaab});
  EXPECT_EQ(floats(results, 2), Floats{1.0f / 3});
  EXPECT_EQ(integers(results, 3), Integers{-1});
  EXPECT_EQ(integers(results, 4), Integers{254});
  EXPECT_EQ(floats(results, 5), Floats{254});
}

TEST(Arith, FloatsAreExactOrAsTyped) {
  EXPECT_EQ(onFloat("math.exp", 1), std::exp(1.0));
  EXPECT_EQ(onFloat("math.exp", 1, Precision::AsTyped), static_cast<float>(std::exp(1.0)));
  EXPECT_EQ(onFloat("math.roundeven", 2.5), 2);
  EXPECT_EQ(onFloat("math.rsqrt", 4), 0.5);
  EXPECT_EQ(onFloat("arith.negf", 4), -4);
  auto half =
      SmallModule::function("(%a: f16) -> f16", "%0 = arith.addf %a, %a : f16\nreturn %0 : f16");
  EXPECT_EQ(floats(half.call({65504.0}, "f", {.precision = Precision::AsTyped})), Floats{INFINITY});
}

TEST(Arith, MaximaKnowNaN) {
  auto module = SmallModule::function("(%a: f32, %b: f32) -> (f32, f32, i1)",
                                      R"(%0 = arith.maximumf %a, %b : f32
                                         %1 = arith.maxnumf %a, %b : f32
                                         %2 = arith.cmpf ugt, %a, %b : f32
                                         return %0, %1, %2 : f32, f32, i1)");
  Values results = module.call({NAN, 2.0});
  EXPECT_TRUE(std::isnan(floats(results, 0).at(0)));
  EXPECT_EQ(floats(results, 1), Floats{2});
  EXPECT_EQ(integers(results, 2), Integers{1});
}

TEST(Arith, ElementwiseOpsTakeTensorsToo) {
  auto module = SmallModule::function("(%a: tensor<2xf32>) -> tensor<2xf32>",
                                      R"(%c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
         %m = arith.constant dense<[true, false]> : tensor<2xi1>
         %0 = arith.addf %a, %c : tensor<2xf32>
         %1 = arith.select %m, %0, %a : tensor<2xi1>, tensor<2xf32>
         return %1 : tensor<2xf32>)");
  EXPECT_EQ(floats(module.call({module.f32({2}, {10, 20})})), (Floats{11, 20}));
}

TEST(Arith, WhatIsUndefinedIsAnError) {
  auto division = SmallModule::function("(%a: i32, %b: i32) -> i32",
                                        "%0 = arith.divsi %a, %b : i32\nreturn %0 : i32");
  EXPECT_EQ(division.error({int64_t{1}, int64_t{0}}),
            "test.mlir:2:6: 'arith.divsi': divides an integer by zero");
  EXPECT_EQ(division.error({int64_t{INT32_MIN}, int64_t{-1}}),
            "test.mlir:2:6: 'arith.divsi': the quotient passes the integer's width");
  auto shift = SmallModule::function("(%a: i32, %b: i32) -> i32",
                                     "%0 = arith.shli %a, %b : i32\n"
                                     "%1 = arith.addi %0, %a : i32\nreturn %1 : i32");
  EXPECT_EQ(shift.error({int64_t{1}, int64_t{32}}),
            "test.mlir:3:6: 'arith.addi': operand 0 is an element that nothing wrote");
  auto convert =
      SmallModule::function("(%a: f32) -> i8", "%0 = arith.fptosi %a : f32 to i8\nreturn %0 : i8");
  EXPECT_EQ(integers(convert.call({-128.5})), Integers{-128});
  EXPECT_EQ(convert.error({128.0}),
            "test.mlir:1:1: 'func.func': result 0 of 'f' has 1 of 1 elements that nothing wrote");
}

} // namespace
