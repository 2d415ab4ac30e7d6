//===- ErrorOr.h - a value or an error that a user can act on -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The LLVM-free libraries read untrusted bytes, so failure is their ordinary
// result. They return `ErrorOr<T>`; nothing in them throws.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_SUPPORT_ERROROR_H
#define HEED_SUPPORT_ERROROR_H

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace heed {

/// Why something could not be done. `message` is lower case, has no full stop, and names the
/// place, what was found, what was expected and, where there is one, the remedy.
struct Error {
  std::string message;
};

/// Makes an error from the parts of a message already put together with fmt.
Error makeError(std::string message);

/// A `T`, or the error that prevented it. Look before you use it: `if (!r) return r.error();`.
template <typename T> class [[nodiscard]] ErrorOr {
public:
  ErrorOr(T value) : state(std::in_place_index<0>, std::move(value)) {}
  ErrorOr(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T &operator*() { return *std::get_if<0>(&state); }
  const T &operator*() const { return *std::get_if<0>(&state); }
  T *operator->() { return std::get_if<0>(&state); }
  const T *operator->() const { return std::get_if<0>(&state); }
  const Error &error() const { return *std::get_if<1>(&state); }
  const std::string &message() const { return error().message; }

private:
  std::variant<T, Error> state;
};

/// Success, or the error that prevented it.
template <> class [[nodiscard]] ErrorOr<void> {
public:
  ErrorOr() = default;
  ErrorOr(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return !failure.has_value(); }
  const Error &error() const { return *failure; }
  const std::string &message() const { return failure->message; }

private:
  std::optional<Error> failure;
};

} // namespace heed

#endif // HEED_SUPPORT_ERROROR_H
