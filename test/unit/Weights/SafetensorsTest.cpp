//===- SafetensorsTest.cpp - safetensors headers, right and wrong ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileBytes.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

/// The header of one tensor 'a' with these fields.
std::string tensorA(std::string_view fields) { return "{\"a\":{" + std::string(fields) + "}}"; }

TEST(Safetensors, ReadsTensorsAndMetadata) {
  std::string bytes =
      safetensorsBytes(R"({"__metadata__":{"format":"pt"},)"
                       R"("b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
                       R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )",
                       16);
  ErrorOr<std::unique_ptr<WeightsFile>> file = openBytes(bytes);
  ASSERT_TRUE(file) << file.message();
  EXPECT_EQ((*file)->format(), WeightsFile::Format::Safetensors);
  EXPECT_EQ(std::get<std::string>(*(*file)->meta("format")), "pt");
  const TensorInfo *b = (*file)->find("b");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->storage, StorageType::BF16);
  EXPECT_EQ(b->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ((*file)->data(*b)->size(), 12u);
  EXPECT_EQ((*file)->find("a")->elements(), 1);
}

TEST(Safetensors, UnsupportedTypesAreListed) {
  std::string bytes =
      safetensorsBytes(R"({"ids":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]},)"
                       R"("none":{"dtype":"F32","shape":[0,4],"data_offsets":[16,16]},)"
                       R"("new":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[16,19]}})",
                       19);
  ErrorOr<std::unique_ptr<WeightsFile>> file = openBytes(bytes);
  ASSERT_TRUE(file) << file.message();
  EXPECT_NE(supportedStorage(*(*file)->find("ids")).message().find("stored as I64"),
            std::string::npos);
  EXPECT_EQ((*file)->find("new")->storedAs, "dtype 'F6_E3M2'");
  EXPECT_EQ((*file)->find("none")->storage, std::nullopt);
  EXPECT_EQ((*file)->find("none")->storedAs, "F32 without elements");
}

TEST(Safetensors, HeaderLength) {
  expectRefused(std::string(8, '\xff') + "{}", "the header's length is 18446744073709551615");
  expectRefused(std::string("\x03\0\0\0\0\0\0\0{}", 10), "the header's length is 3");
  expectRefused(std::string("\0\0\0\0\0\0\0\0{}", 10), "does not begin with '{'");
}

TEST(Safetensors, ShapeAndOffsetsDisagree) {
  expectRefused(safetensorsBytes(tensorA(R"("dtype":"F32","shape":[4],"data_offsets":[0,12])"), 12),
                "takes 16 bytes as F32, but its data_offsets span 12");
  expectRefused(
      safetensorsBytes(
          tensorA(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0),
      "63 bits");
  expectRefused(
      safetensorsBytes(
          tensorA(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4])"), 4),
      "an axis of");
}

TEST(Safetensors, BeginPastEnd) {
  expectRefused(safetensorsBytes(tensorA(R"("dtype":"F32","shape":[1],"data_offsets":[8,4])"), 8),
                "begins at 8 and ends at 4");
}

TEST(Safetensors, OverlapHoleAndTrailingBytes) {
  auto two = [](std::string_view offsets, size_t size) {
    return safetensorsBytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":)" +
                                std::string(offsets) + "}}",
                            size);
  };
  EXPECT_TRUE(openBytes(two("[8,12]", 12)));
  expectRefused(two("[4,8]", 8), "'b' begins at 4 in the data, expected 8");
  expectRefused(two("[12,16]", 16), "'b' begins at 12 in the data, expected 8");
  expectRefused(two("[8,12]", 16), "take 12 bytes, but the file has 16");
  expectRefused(two("[8,12]", 11), "cut short");
  expectRefused(two("[18446744073709551612,18446744073709551615]", 12), "span 3");
}

TEST(Safetensors, Names) {
  expectRefused(safetensorsBytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                 R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                 8),
                "two tensors are called 'a'");
  expectRefused(safetensorsBytes(R"({"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
                "''");
  expectRefused(
      safetensorsBytes(R"({"a\u0000":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
      "'a\\x00'");
  expectRefused(safetensorsBytes("{\"" + std::string(1025, 'n') + "\":{}}", 0), "1 to 1024 bytes");
}

TEST(Safetensors, JsonOfTheWrongForm) {
  auto refused = [](std::string_view fields, std::string_view part) {
    expectRefused(safetensorsBytes(tensorA(fields), 4), part);
  };
  refused(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])", "a negative number in the shape");
  refused(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])", "no 64-bit integer in the shape");
  refused(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4])", "no 64-bit");
  refused(R"("dtype":"F32","shape":[[1]],"data_offsets":[0,4])", "an array in the shape");
  refused(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])", "8 axes");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])", "more than 2 numbers");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[0])", "lacks");
  refused(R"("dtype":"F32","data_offsets":[0,4])", "lacks");
  refused(R"("dtype":4,"shape":[1],"data_offsets":[0,4])", "a number in tensor 'a'");
  refused(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])", "once each");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)", "the field 'x'");
  expectRefused(safetensorsBytes("{\"a\":1}", 0), "a number in tensor 'a'");
  expectRefused(safetensorsBytes("{\"__metadata__\":{\"a\":1}}", 0), "in __metadata__");
  expectRefused(safetensorsBytes("{}{}", 0), "not valid JSON");
  expectRefused(safetensorsBytes("{", 0), "not valid JSON");
}

TEST(Safetensors, DeepNesting) {
  expectRefused(safetensorsBytes("{\"a\":" + std::string(100000, '['), 0),
                "an array in tensor 'a'");
}

TEST(Safetensors, EmptyFileOfTensors) { EXPECT_TRUE(openBytes(safetensorsBytes("{}", 0))); }

TEST(Safetensors, CutAnywhere) {
  std::string bytes =
      safetensorsBytes(tensorA(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 8);
  ASSERT_TRUE(openBytes(bytes));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(openBytes(std::string_view(bytes).substr(0, size))) << size;
}

} // namespace
} // namespace heed
