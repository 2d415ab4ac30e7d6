//===- EntryTest.cpp - calls and weights as vector code has them ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmallModule.h"

#include <gtest/gtest.h>

using namespace heed::reference;

namespace {

/// Writes 1 to element `n - 1` of a buffer that it takes to have `n`.
const char *const kEntry = R"(
  func.func @f_entry(%context: !llvm.ptr, %ints: !llvm.ptr, %buffers: !llvm.ptr) attributes {heed.entry = "f"} {
    %zero = llvm.mlir.constant(0 : i64) : i64
    %one = llvm.mlir.constant(1 : i64) : i64
    %n = llvm.load %ints : !llvm.ptr -> i64
    %at = llvm.getelementptr %buffers[8] : (!llvm.ptr) -> !llvm.ptr, i8
    %b = llvm.load %at : !llvm.ptr -> !llvm.ptr
    %0 = llvm.mlir.poison : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
    %1 = llvm.insertvalue %b, %0[0] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
    %2 = llvm.insertvalue %b, %1[1] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
    %3 = llvm.insertvalue %zero, %2[2] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
    %4 = llvm.insertvalue %n, %3[3, 0] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
    %5 = llvm.insertvalue %one, %4[4, 0] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
    %m = builtin.unrealized_conversion_cast %5 : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<?xf32>
    %size = arith.index_cast %n : i64 to index
    %c1 = arith.constant 1 : index
    %last = arith.subi %size, %c1 : index
    %x = arith.constant 1.0 : f32
    memref.store %x, %m[%last] : memref<?xf32>
    return
  })";

TEST(Entry, BuffersAreSeenAsDescriptorsSay) {
  SmallModule module(kEntry);
  Array first = module.f32({1}, {5}), second = module.f32({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(module.callEntry("f", {4}, {first, second}), "");
  EXPECT_EQ(second.toFloats(), (Floats{1, 2, 3, 1}));
  EXPECT_EQ(module.callEntry("f", {5}, {first, second}),
            "test.mlir:14:10: 'builtin.unrealized_conversion_cast': the descriptor's sizes [5] and "
            "strides [1] leave a buffer of [2, 2]");
  EXPECT_EQ(module.callEntry("f", {4}, {first}),
            "test.mlir:7:10: 'llvm.load': reads at byte 8 of an array of 1 numbers or buffers");
  EXPECT_EQ(module.callEntry("f", {4}, {first, module.i32({4}, {1, 2, 3, 4})}),
            "test.mlir:14:10: 'builtin.unrealized_conversion_cast': the descriptor's buffer isn't "
            "one of row-major 32-bit elements");
  EXPECT_EQ(module.callEntry("g", {}, {}),
            "test.mlir: 'builtin.module': there is no entry of a function 'g'");
}

TEST(Entry, WeightsAreReadFromTheirPackedBytes) {
  SmallModule module(R"(
    attn.weight @W : !attn.weight<16x2, f32> tensor "w" {heed.layout = 1 : i64, heed.rows = 16 : i64, heed.cols = 2 : i64}
    func.func @column(%at: i64) -> vector<16xf32> {
      %w = attn.get_weight @W : !attn.weight<16x2, f32>
      %p = builtin.unrealized_conversion_cast %w : !attn.weight<16x2, f32> to !llvm.ptr
      %q = llvm.getelementptr %p[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i8
      %v = llvm.load %q {alignment = 16 : i64} : !llvm.ptr -> vector<16xf32>
      return %v : vector<16xf32>
    }
    func.func @dense() -> tensor<16x2xf32> {
      %w = attn.get_weight @W : !attn.weight<16x2, f32>
      %0 = attn.dequantize %w : !attn.weight<16x2, f32> -> tensor<16x2xf32>
      return %0 : tensor<16x2xf32>
    })");
  Floats dense = floats(module.call({}, "dense")), second;
  ASSERT_EQ(dense.size(), 32u);
  for (size_t row = 0; row != 16; ++row)
    second.push_back(dense[2 * row + 1]);
  EXPECT_EQ(floats(module.call({int64_t{64}}, "column")), second);
  EXPECT_EQ(module.error({int64_t{80}}, "column"),
            "test.mlir:7:12: 'llvm.load': reads 64 bytes at byte 80 of a weight of 128");
  EXPECT_EQ(module.error({int64_t{8}}, "column"), "test.mlir:7:12: 'llvm.load': reads at byte 8 "
                                                  "what it says is aligned to 16");
}

} // namespace
