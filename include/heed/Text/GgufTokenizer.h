//===- GgufTokenizer.h - the tokenizer that a GGUF file carries -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEXT_GGUFTOKENIZER_H
#define HEED_TEXT_GGUFTOKENIZER_H

#include "heed/Support/ErrorOr.h"
#include "heed/Text/Tokenizer.h"

namespace heed {

class WeightsFile;

/// Reads the metadata under `tokenizer.`. Missing optional keys keep the spec's defaults. Errors:
/// no tokenizer in the file, or a key of another type than GGUF gives it. The values themselves
/// are checked by `Tokenizer::create`.
ErrorOr<TokenizerSpec> tokenizerSpecFrom(const WeightsFile &file);

} // namespace heed

#endif // HEED_TEXT_GGUFTOKENIZER_H
