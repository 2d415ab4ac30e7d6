//===- WeightsHeader.h - a weights file as the front end sees it -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_WEIGHTSHEADER_H
#define HEED_TOOLS_HEED_WEIGHTSHEADER_H

#include "heed/Frontend/ModelHeader.h"
#include "heed/Weights/WeightsFile.h"

#include <memory>

namespace heed {

/// Answers the front end's questions from a weights file's header.
class WeightsHeader : public ModelHeader {
public:
  static ErrorOr<std::unique_ptr<WeightsHeader>> open(const std::string &path);
  /// The same, or null where no path is given: not every program has weights.
  static ErrorOr<std::unique_ptr<WeightsHeader>> openIfNamed(const std::string &path);

  std::optional<TensorHeader> tensor(std::string_view name) const override;
  std::optional<Value> meta(std::string_view key) const override;
  std::vector<std::string> names() const override;
  std::vector<std::string> keys() const override;
  std::string path() const override;

  /// All that a compilation can depend on, as text: names, shapes, storage and plain entries.
  std::string facts() const;

private:
  std::unique_ptr<WeightsFile> file;
};

} // namespace heed

#endif // HEED_TOOLS_HEED_WEIGHTSHEADER_H
