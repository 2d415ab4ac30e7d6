//===- ModelTokenizer.h - the tokenizer that comes with a model's weights -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEXT_MODELTOKENIZER_H
#define HEED_TEXT_MODELTOKENIZER_H

#include "heed/Support/ErrorOr.h"
#include "heed/Text/Tokenizer.h"

namespace heed {

class WeightsFile;

/// Reads a GGUF file's metadata under `tokenizer.`, or the files beside a safetensors file:
/// tokenizer.json, else vocab.txt, and tokenizer_config.json where it is. What is missing and
/// optional keeps the spec's defaults. Errors: no tokenizer; one of a kind that isn't read; an
/// entry of another type than the format gives it. The values themselves are checked by
/// `Tokenizer::create`.
ErrorOr<TokenizerSpec> tokenizerSpecFrom(const WeightsFile &file);

/// `tokenizerSpecFrom`, and `Tokenizer::create`, whose errors then name the file.
ErrorOr<Tokenizer> tokenizerFrom(const WeightsFile &file);

} // namespace heed

#endif // HEED_TEXT_MODELTOKENIZER_H
