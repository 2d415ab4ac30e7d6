//===- GgufTest.cpp - GGUF headers, right and wrong -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileBytes.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

enum Type : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };
constexpr uint32_t f32 = 0, q4_0 = 2, q4_1 = 3, iq4_xs = 23;

TEST(Gguf, ReadsMetadataOfEveryKind) {
  GgufBytes gguf(0, 9, 2);
  gguf.key("u8", U8).u8(200).key("i16", I16).number<int16_t>(-3);
  gguf.key("f32", F32).number(0.5f).key("yes", Bool).u8(1);
  gguf.key("text", String).text("caf\xc3\xa9").key("u64", U64).u64(UINT64_MAX);
  gguf.key("ints", Array).u32(I32).u64(2).number<int32_t>(-1).number<int32_t>(7);
  gguf.key("texts", Array).u32(String).u64(2).text("").text("b");
  gguf.key("flags", Array).u32(Bool).u64(2).u8(0).u8(1);
  ErrorOr<std::unique_ptr<WeightsFile>> file = openBytes(gguf.bytes);
  ASSERT_TRUE(file) << file.message();
  const WeightsFile &weights = **file;
  EXPECT_EQ(weights.format(), WeightsFile::Format::Gguf);
  EXPECT_EQ(metaInteger(*weights.meta("u8")), 200);
  EXPECT_EQ(metaInteger(*weights.meta("i16")), -3);
  EXPECT_EQ(metaNumber(*weights.meta("f32")), 0.5);
  EXPECT_EQ(metaInteger(*weights.meta("u64")), std::nullopt);
  EXPECT_EQ(std::get<bool>(*weights.meta("yes")), true);
  EXPECT_EQ(std::get<std::string>(*weights.meta("text")), "caf\xc3\xa9");
  EXPECT_EQ(std::get<std::vector<int64_t>>(*weights.meta("ints")), (std::vector<int64_t>{-1, 7}));
  EXPECT_EQ(std::get<std::vector<std::string>>(*weights.meta("texts")),
            (std::vector<std::string>{"", "b"}));
  EXPECT_EQ(std::get<std::vector<bool>>(*weights.meta("flags")), (std::vector<bool>{false, true}));
  EXPECT_EQ(weights.meta("absent"), nullptr);
}

TEST(Gguf, ReadsTensors) {
  GgufBytes gguf(2, 0);
  gguf.tensor("a", {64, 3}, q4_1, 0).tensor("b", {}, f32, 128).data(132);
  ErrorOr<std::unique_ptr<WeightsFile>> file = openBytes(gguf.bytes);
  ASSERT_TRUE(file) << file.message();
  const TensorInfo *a = (*file)->find("a"), *b = (*file)->find("b");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->shape, (std::vector<int64_t>{3, 64}));
  EXPECT_EQ(a->storage, StorageType::Q4_1);
  EXPECT_EQ(a->elements(), 192);
  EXPECT_EQ((*file)->data(*a)->size(), 120u);
  EXPECT_EQ(b->elements(), 1);
  EXPECT_EQ((*file)->find("c"), nullptr);
}

TEST(Gguf, UnsupportedTypesAreListed) {
  GgufBytes gguf(2, 0);
  gguf.tensor("iq", {256}, iq4_xs, 0).tensor("new", {256}, 999, 160).data(192);
  ErrorOr<std::unique_ptr<WeightsFile>> file = openBytes(gguf.bytes);
  ASSERT_TRUE(file) << file.message();
  ErrorOr<StorageType> iq = supportedStorage(*(*file)->find("iq"));
  ASSERT_FALSE(iq);
  EXPECT_NE(iq.message().find("tensor 'iq' is stored as IQ4_XS"), std::string::npos);
  EXPECT_EQ((*file)->find("new")->storedAs, "ggml type 999");
  // Their sizes count all the same.
  expectRefused(GgufBytes(1, 0).tensor("iq", {256}, iq4_xs, 0).data(100).bytes, "takes 136 bytes");
}

TEST(Gguf, Versions) {
  expectRefused(GgufBytes(0, 0, 1).bytes, "GGUF version 1, expected 2 or 3");
  expectRefused(GgufBytes(0, 0, 4).bytes, "GGUF version 4");
  expectRefused(GgufBytes(0, 0, 3u << 24).bytes, "big-endian");
}

TEST(Gguf, DimensionsThatOverflow) {
  for (std::vector<uint64_t> extents :
       {std::vector<uint64_t>{1ull << 32, 1ull << 32}, {1ull << 62, 2}, {32, 1ull << 58, 1, 64}})
    expectRefused(GgufBytes(1, 0).tensor("a", extents, f32, 0).data(64).bytes, "63 bits");
  expectRefused(GgufBytes(1, 0).tensor("a", {1ull << 62}, f32, 0).data(64).bytes, "63 bits");
  expectRefused(GgufBytes(1, 0).tensor("a", {UINT64_MAX}, f32, 0).data(64).bytes, "an axis of");
}

TEST(Gguf, SumOfSizesOrOffsetsThatOverflow) {
  GgufBytes offset(1, 0);
  offset.tensor("a", {8}, f32, UINT64_MAX - 31).data(64);
  expectRefused(offset.bytes, "cut short");
  GgufBytes sizes(2, 0);
  sizes.tensor("a", {1ull << 60}, f32, 0).tensor("b", {1ull << 60}, f32, 1ull << 62).data(64);
  expectRefused(sizes.bytes, "cut short");
}

TEST(Gguf, Alignment) {
  for (uint32_t alignment : {0u, 1u, 33u, 1u << 31})
    expectRefused(GgufBytes(0, 1).key("general.alignment", U32).u32(alignment).bytes,
                  "expected a power of two");
  expectRefused(GgufBytes(0, 1).key("general.alignment", String).text("32").bytes,
                "general.alignment is a string");
  expectRefused(GgufBytes(1, 0).tensor("a", {1}, f32, 4).data(64).bytes, "a multiple of 32");
  GgufBytes wide(1, 1);
  wide.key("general.alignment", U32).u32(256).tensor("a", {4}, f32, 0).data(16, 256);
  EXPECT_TRUE(openBytes(wide.bytes));
}

TEST(Gguf, CountsThatTheFileCannotHold) {
  expectRefused(GgufBytes(UINT64_MAX, 0).bytes, "the number of tensors");
  expectRefused(GgufBytes(0, 1ull << 60).bytes, "the number of metadata values");
  expectRefused(GgufBytes(1ull << 60, 1ull << 60).data(512).bytes, "the number of tensors");
}

TEST(Gguf, ZeroExtent) {
  expectRefused(GgufBytes(1, 0).tensor("a", {32, 0}, q4_0, 0).data(64).bytes, "an axis of 0");
}

TEST(Gguf, RowsThatAreNoWholeBlocks) {
  expectRefused(GgufBytes(1, 0).tensor("a", {16, 2}, q4_0, 0).data(64).bytes, "a multiple of 32");
}

TEST(Gguf, MoreThanFourAxes) {
  expectRefused(GgufBytes(1, 0).tensor("a", {1, 1, 1, 1, 1}, f32, 0).data(64).bytes,
                "5 axes, expected at most 4");
  expectRefused(GgufBytes(1, 0).text("a").u32(UINT32_MAX).data(64).bytes, "4294967295 axes");
}

TEST(Gguf, LengthsThatTheFileCannotHold) {
  expectRefused(GgufBytes(0, 1).key("a", String).u64(1ull << 40).data(64).bytes,
                "a metadata string");
  expectRefused(GgufBytes(0, 1).key("a", String).u64(UINT64_MAX).data(64).bytes,
                "a metadata string");
  for (uint32_t type : {U8, U64, String, Bool, F64})
    expectRefused(GgufBytes(0, 1).key("a", Array).u32(type).u64(1ull << 61).data(64).bytes,
                  "an array's length");
}

TEST(Gguf, NestedArrays) {
  GgufBytes nested(0, 1);
  nested.key("a", Array);
  for (int i = 0; i < 200; ++i)
    nested.u32(Array).u64(1);
  expectRefused(nested.bytes, "an array of arrays");
}

TEST(Gguf, ValuesOfTheWrongType) {
  expectRefused(GgufBytes(0, 1).key("a", 13).data(64).bytes, "type 13, expected 0 to 12");
  expectRefused(GgufBytes(0, 1).key("a", Array).u32(77).u64(0).data(64).bytes, "type 77");
  expectRefused(GgufBytes(0, 1).key("a", Bool).u8(2).data(8).bytes, "the boolean 2");
  expectRefused(GgufBytes(0, 1).key("a", Array).u32(U64).u64(1).u64(1ull << 63).bytes,
                "past 63 bits");
}

TEST(Gguf, Names) {
  expectRefused(GgufBytes(0, 2).key("a", U8).u8(1).key("a", U8).u8(1).bytes, "have the key 'a'");
  expectRefused(GgufBytes(0, 1).key("", U8).u8(1).u8(1).bytes, "a key of 0 bytes");
  expectRefused(GgufBytes(0, 1).key(std::string(70000, 'k'), U8).u8(1).bytes,
                "a key of 70000 bytes");
  GgufBytes twice(2, 0);
  twice.tensor("a", {8}, f32, 0).tensor("a", {8}, f32, 32).data(64);
  expectRefused(twice.bytes, "two tensors are called 'a'");
  expectRefused(GgufBytes(1, 0).tensor("", {8}, f32, 0).data(64).bytes, "is called ''");
  expectRefused(GgufBytes(1, 0).tensor(std::string(1025, 'n'), {8}, f32, 0).data(64).bytes,
                "1 to 1024 bytes");
  expectRefused(GgufBytes(1, 0).tensor("a\nb", {8}, f32, 0).data(64).bytes, "'a\\x0ab'");
}

TEST(Gguf, TensorsThatOverlap) {
  GgufBytes gguf(2, 0);
  gguf.tensor("a", {16}, f32, 0).tensor("b", {8}, f32, 32).data(64);
  expectRefused(gguf.bytes, "tensors 'a' and 'b' share bytes");
}

TEST(Gguf, PastTheEnd) {
  expectRefused(GgufBytes(1, 0).tensor("a", {8}, f32, 64).data(64).bytes, "cut short");
  expectRefused(GgufBytes(1, 0).tensor("a", {8}, f32, 0).bytes, "cut short"); // header only
}

TEST(Gguf, CutAnywhere) {
  GgufBytes gguf(1, 2);
  gguf.key("general.name", String).text("x");
  gguf.key("list", Array).u32(String).u64(2).text("one").text("two");
  gguf.tensor("a", {8}, f32, 0).data(32);
  ASSERT_TRUE(openBytes(gguf.bytes));
  for (size_t size = 0; size < gguf.bytes.size(); ++size)
    EXPECT_FALSE(openBytes(std::string_view(gguf.bytes).substr(0, size))) << size;
}

} // namespace
} // namespace heed
