//===- Safetensors.cpp - the header of a safetensors file -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   length u64 (little-endian)   header: JSON of that many bytes   data
//
//   {"__metadata__": {"key": "text", …},
//    "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
//
// Offsets count from the end of the header. The tensors cover the data without
// overlap or hole: whatever else is in the file is an error, as the format says.
//
//===----------------------------------------------------------------------===//

#include "FileContents.h"
#include "PrintableName.h"
#include "heed/Weights/JsonEvents.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace heed {

namespace {

constexpr uint64_t longestHeader = 100'000'000; // the format's own limit
constexpr size_t highestRank = 8;

class SafetensorsHeader : public JsonEvents {
public:
  FileContents contents;

  bool start_object(size_t) override {
    switch (state) {
    case State::Start:
      return enter(State::Names);
    case State::TensorValue:
      dtype.reset();
      hasShape = false;
      offsets.clear();
      return enter(State::Fields);
    case State::MetadataValue:
      return enter(State::MetadataKeys);
    default:
      return unexpected("an object");
    }
  }

  bool key(std::string &name) override {
    switch (state) {
    case State::Names:
      return beginName(name);
    case State::MetadataKeys:
      metadataKey = name;
      return enter(State::MetadataText);
    case State::Fields:
      return beginField(name);
    default:
      return unexpected("a key");
    }
  }

  bool string(std::string &value) override {
    if (state == State::MetadataText) {
      if (!contents.metadata.try_emplace(metadataKey, value).second)
        return fail(fmt::format("__metadata__ has the key {} twice", printableName(metadataKey)));
      return enter(State::MetadataKeys);
    }
    if (state != State::Dtype)
      return unexpected("a string");
    dtype = value;
    return enter(State::Fields);
  }

  bool start_array(size_t) override {
    if (state == State::ShapeValue) {
      hasShape = true;
      return enter(State::Shape);
    }
    if (state == State::OffsetsValue)
      return enter(State::Offsets);
    return unexpected("an array");
  }

  bool number_unsigned(Json::number_unsigned_t value) override {
    if (state == State::Shape)
      return addExtent(value);
    if (state != State::Offsets)
      return unexpected("a number");
    if (offsets.size() == 2)
      return fail(fmt::format("data_offsets of tensor {} has more than 2 numbers", quotedName()));
    offsets.push_back(value);
    return true;
  }

  bool end_array() override { return enter(State::Fields); }

  bool end_object() override {
    switch (state) {
    case State::Fields:
      return enter(State::Names) && finishTensor();
    case State::MetadataKeys:
      return enter(State::Names);
    default:
      return enter(State::End);
    }
  }

protected:
  std::string place() const override {
    switch (state) {
    case State::Start:
      return "where the header's object should begin";
    case State::Names:
    case State::End:
      return "in the header";
    case State::MetadataValue:
    case State::MetadataKeys:
    case State::MetadataText:
      return "in __metadata__, expected texts";
    case State::ShapeValue:
    case State::Shape:
      return fmt::format("in the shape of tensor {}, expected integers from 0", quotedName());
    case State::OffsetsValue:
    case State::Offsets:
      return fmt::format("in data_offsets of tensor {}, expected two integers from 0",
                         quotedName());
    default:
      return fmt::format("in tensor {}, expected an object with dtype, shape and data_offsets",
                         quotedName());
    }
  }

private:
  enum class State {
    Start,
    Names,
    TensorValue,
    Fields,
    Dtype,
    ShapeValue,
    Shape,
    OffsetsValue,
    Offsets,
    MetadataValue,
    MetadataKeys,
    MetadataText,
    End
  };

  bool enter(State next) {
    state = next;
    return true;
  }

  std::string quotedName() const { return printableName(tensor.name); }

  bool beginName(const std::string &name) {
    if (name == "__metadata__") {
      if (hasMetadata)
        return fail("the header has __metadata__ twice");
      hasMetadata = true;
      return enter(State::MetadataValue);
    }
    if (!isTensorName(name))
      return fail(fmt::format("a tensor is called {}, expected 1 to 1024 bytes without control "
                              "characters",
                              printableName(name)));
    tensor = TensorInfo();
    tensor.name = name;
    return enter(State::TensorValue);
  }

  bool beginField(const std::string &name) {
    if (name == "dtype" && !dtype)
      return enter(State::Dtype);
    if (name == "shape" && !hasShape)
      return enter(State::ShapeValue);
    if (name == "data_offsets" && offsets.empty())
      return enter(State::OffsetsValue);
    return fail(fmt::format("tensor {} has the field {}, expected dtype, shape and data_offsets "
                            "once each",
                            quotedName(), printableName(name)));
  }

  bool addExtent(uint64_t extent) {
    if (tensor.shape.size() == highestRank)
      return fail(fmt::format("tensor {} has more than {} axes", quotedName(), highestRank));
    if (extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return fail(fmt::format("tensor {} has an axis of {} elements, expected at most 2^63 - 1",
                              quotedName(), extent));
    tensor.shape.push_back(static_cast<int64_t>(extent));
    return true;
  }

  bool finishTensor() {
    if (!dtype || !hasShape || offsets.size() != 2)
      return fail(
          fmt::format("tensor {} lacks dtype, shape or its two data_offsets", quotedName()));
    if (offsets[0] > offsets[1])
      return fail(fmt::format("tensor {} begins at {} and ends at {}, expected begin <= end",
                              quotedName(), offsets[0], offsets[1]));
    tensor.offset = offsets[0];
    tensor.bytes = offsets[1] - offsets[0];
    FileStorage format = fileStorageFromSafetensors(*dtype);
    ErrorOr<uint64_t> expected = storedBytes(tensor, format.info);
    if (!expected)
      return fail(expected.message());
    if (format.info.blockBytes != 0 && *expected != tensor.bytes)
      return fail(fmt::format("the shape of tensor {} takes {} bytes as {}, but its data_offsets "
                              "span {}",
                              quotedName(), *expected, format.info.name, tensor.bytes));
    tensor.storage = format.storage;
    tensor.storedAs = format.info.blockBytes != 0 ? *dtype : "dtype " + printableName(*dtype);
    if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) {
      // Nothing can be computed from it, and nobody should divide by its extents.
      tensor.storage.reset();
      tensor.storedAs += " without elements";
    }
    contents.tensors.push_back(std::move(tensor));
    tensor = TensorInfo();
    return true;
  }

  State state = State::Start;
  bool hasMetadata = false;
  std::string metadataKey;
  TensorInfo tensor; // the one being read
  std::optional<std::string> dtype;
  bool hasShape = false;
  std::vector<uint64_t> offsets;
};

/// Fails unless the tensors, in order of their offsets, cover exactly `dataBytes` bytes.
ErrorOr<void> checkCovers(const std::vector<TensorInfo> &tensors, uint64_t dataBytes) {
  uint64_t end = 0;
  for (size_t index : orderByOffset(tensors)) {
    const TensorInfo &tensor = tensors[index];
    if (tensor.offset != end)
      return makeError(fmt::format("tensor {} begins at {} in the data, expected {}, where the "
                                   "tensor before it ends",
                                   printableName(tensor.name), tensor.offset, end));
    end = tensor.offset + tensor.bytes;
  }
  if (end != dataBytes)
    return makeError(fmt::format("the tensors take {} bytes, but the file has {} after its header; "
                                 "it is damaged or cut short: download it again",
                                 end, dataBytes));
  return {};
}

} // namespace

ErrorOr<FileContents> parseSafetensors(std::span<const std::byte> file) {
  uint64_t length;
  if (file.size() < sizeof length)
    return makeError(fmt::format("the file has {} bytes, too few for a safetensors header; it is "
                                 "cut short: download it again",
                                 file.size()));
  std::memcpy(&length, file.data(), sizeof length);
  std::span<const std::byte> rest = file.subspan(sizeof length);
  if (length > longestHeader || length > rest.size())
    return makeError(fmt::format("the header's length is {}, but the file has {} bytes after it "
                                 "and {} is the most; it is damaged or cut short",
                                 length, rest.size(), longestHeader));
  std::string_view text(reinterpret_cast<const char *>(rest.data()), length);
  if (text.empty() || text.front() != '{')
    return makeError("the header does not begin with '{', as a safetensors header must");
  SafetensorsHeader header;
  if (ErrorOr<void> read = header.read(text); !read)
    return makeError("in the header: " + read.message());
  std::vector<TensorInfo> &tensors = header.contents.tensors;
  if (ErrorOr<void> unique = checkUniqueNames(tensors); !unique)
    return unique.error();
  if (ErrorOr<void> covers = checkCovers(tensors, rest.size() - length); !covers)
    return covers.error();
  for (TensorInfo &tensor : tensors)
    tensor.offset += sizeof length + length;
  return std::move(header.contents);
}

} // namespace heed
