//===- ModelTokenizer.cpp - the tokenizer that comes with a model's weights ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/ModelTokenizer.h"

#include "FolderTokenizer.h"
#include "GgufTokenizer.h"
#include "heed/Weights/WeightsFile.h"

#include <fmt/format.h>

namespace heed {

ErrorOr<TokenizerSpec> tokenizerSpecFrom(const WeightsFile &file) {
  return file.format() == WeightsFile::Format::Gguf ? ggufTokenizerSpec(file)
                                                    : folderTokenizerSpec(file.folder());
}

ErrorOr<Tokenizer> tokenizerFrom(const WeightsFile &file) {
  ErrorOr<TokenizerSpec> spec = tokenizerSpecFrom(file);
  if (!spec)
    return spec.error();
  ErrorOr<Tokenizer> tokenizer = Tokenizer::create(std::move(*spec));
  if (!tokenizer)
    return makeError(fmt::format("{}: {}", file.path(), tokenizer.message()));
  return tokenizer;
}

} // namespace heed
