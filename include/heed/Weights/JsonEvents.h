//===- JsonEvents.h - the events of a JSON text, all refused by default ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// nlohmann-json's event interface (SAX): it keeps no tree and does not recurse,
// so neither deep nesting nor long input can hurt. Readers of one kind of
// document derive from this and accept the events that the document may have.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_JSONEVENTS_H
#define HEED_WEIGHTS_JSONEVENTS_H

#include "heed/Support/ErrorOr.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace heed {

class JsonEvents {
public:
  using Json = nlohmann::json;

  virtual ~JsonEvents() = default;

  virtual bool string(std::string &value) { return unexpected("a string"); }
  virtual bool key(std::string &name) { return unexpected("a key"); }
  virtual bool number_unsigned(Json::number_unsigned_t value) { return unexpected("a number"); }
  virtual bool start_object(size_t) { return unexpected("an object"); }
  virtual bool end_object() { return unexpected("the end of an object"); }
  virtual bool start_array(size_t) { return unexpected("an array"); }
  virtual bool end_array() { return unexpected("the end of an array"); }
  virtual bool boolean(bool) { return otherValue("a boolean"); }
  virtual bool number_integer(Json::number_integer_t) { return otherValue("a negative number"); }
  virtual bool number_float(Json::number_float_t, const std::string &) {
    return otherValue("a number that is no 64-bit integer");
  }
  /// null, and of true, false, negative numbers and fractions those that have no reader above.
  virtual bool otherValue(const char *what) { return unexpected(what); }

  bool null() { return otherValue("null"); }
  bool binary(Json::binary_t &) { return unexpected("binary data"); }
  bool parse_error(size_t position, const std::string &, const Json::exception &) {
    return fail(fmt::format("byte {} is not valid JSON", position));
  }

  /// Reads `text` to its end: the first error, or success.
  ErrorOr<void> read(std::string_view text) {
    if (!Json::sax_parse(text.begin(), text.end(), this) || failure)
      return failure ? *failure : makeError("the JSON is incomplete");
    return {};
  }

protected:
  bool fail(std::string message) {
    if (!failure)
      failure = makeError(std::move(message));
    return false;
  }
  /// Says where the reader is, for `unexpected`: "in the shape of tensor 'a'".
  virtual std::string place() const = 0;
  bool unexpected(const char *what) { return fail(fmt::format("unexpected {} {}", what, place())); }

private:
  std::optional<Error> failure;
};

} // namespace heed

#endif // HEED_WEIGHTS_JSONEVENTS_H
