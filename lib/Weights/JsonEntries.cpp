//===- JsonEntries.cpp - the plain values of a JSON object ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/JsonEntries.h"

#include "PrintableName.h"
#include "heed/Weights/JsonEvents.h"
#include "heed/Weights/MappedFile.h"

#include <sys/stat.h>
#include <vector>

namespace heed {

namespace {

constexpr size_t largestFile = size_t{1} << 20;
constexpr size_t deepestObject = 16;
/// Bounds what each entry takes: a long key in front of many short ones would be copied to all.
constexpr size_t longestPath = 256;

class EntryReader : public JsonEvents {
public:
  JsonEntries entries;

  bool start_object(size_t) override {
    if (arrayDepth > 0) {
      ++arrayDepth;
      return true;
    }
    if (scopes.size() == deepestObject)
      return fail(fmt::format("more than {} objects are in one another", deepestObject));
    if (!scopes.empty())
      path += '.';
    scopes.push_back(path.size());
    return true;
  }
  bool end_object() override {
    if (arrayDepth > 0)
      --arrayDepth;
    else
      scopes.pop_back();
    return true;
  }
  bool start_array(size_t) override {
    if (scopes.empty())
      return unexpected("an array");
    ++arrayDepth;
    return true;
  }
  bool end_array() override {
    --arrayDepth;
    return true;
  }

  bool key(std::string &name) override {
    if (arrayDepth > 0)
      return true;
    path.resize(scopes.back());
    path += name;
    if (path.size() > longestPath)
      return fail(fmt::format("the key {} has {} bytes with those around it, expected at most {}",
                              printableName(path), path.size(), longestPath));
    return true;
  }
  bool string(std::string &value) override { return add("a string", std::move(value)); }
  bool boolean(bool value) override { return add("a boolean", value); }
  bool number_unsigned(Json::number_unsigned_t value) override {
    return add("a number", uint64_t(value));
  }
  bool number_integer(Json::number_integer_t value) override {
    return add("a number", int64_t(value));
  }
  bool number_float(Json::number_float_t value, const std::string &) override {
    return add("a number", double(value));
  }
  bool otherValue(const char *what) override { return !scopes.empty() || unexpected(what); } // null

protected:
  std::string place() const override { return "where an object should begin"; }

private:
  template <typename T> bool add(const char *what, T value) {
    if (scopes.empty())
      return unexpected(what);
    if (arrayDepth == 0 && !entries.try_emplace(path, std::move(value)).second)
      return fail(fmt::format("the key {} is there twice", printableName(path)));
    return true;
  }

  std::string path;           // of keys, with dots
  std::vector<size_t> scopes; // for each open object, how long the path before its keys is
  size_t arrayDepth = 0;      // of open arrays, and of objects inside them
};

} // namespace

ErrorOr<JsonEntries> readJsonEntries(std::string_view json) {
  EntryReader reader;
  if (ErrorOr<void> read = reader.read(json); !read)
    return read.error();
  return std::move(reader.entries);
}

ErrorOr<JsonEntries> readJsonFile(const std::string &path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0)
    return JsonEntries();
  ErrorOr<std::unique_ptr<MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::string_view text = (*file)->text();
  if (text.size() > largestFile)
    return makeError(fmt::format("{}: the file has {} bytes, expected at most {}", path,
                                 text.size(), largestFile));
  ErrorOr<JsonEntries> entries = readJsonEntries(text);
  if (!entries)
    return makeError(fmt::format("{}: {}", path, entries.message()));
  return entries;
}

} // namespace heed
