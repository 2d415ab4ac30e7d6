//===- ModelHeader.h - what a weights file says of itself -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_FRONTEND_MODELHEADER_H
#define HEED_FRONTEND_MODELHEADER_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace heed {

/// A stored tensor: `shape` row-major, the contiguous axis last; `storage` as ggml spells it.
struct TensorHeader {
  std::vector<int64_t> shape;
  std::string storage;
};

/// The header of a weights file as the front end needs it. The front end links no reader of files;
/// the tools adapt theirs to this.
struct ModelHeader {
  using Value = std::variant<int64_t, double, std::string>;

  virtual ~ModelHeader() = default;
  virtual std::optional<TensorHeader> tensor(std::string_view name) const = 0;
  /// An entry of the header; nothing where it is missing or is neither a number nor a string.
  virtual std::optional<Value> meta(std::string_view key) const = 0;
  /// The names of all tensors, for "did you mean".
  virtual std::vector<std::string> names() const = 0;
  /// The keys that `meta` knows, for "did you mean".
  virtual std::vector<std::string> keys() const = 0;
  virtual std::string path() const = 0;
};

} // namespace heed

#endif // HEED_FRONTEND_MODELHEADER_H
