//===- GgufTokenizer.h - the tokenizer that a GGUF file carries -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_GGUFTOKENIZER_H
#define HEED_LIB_TEXT_GGUFTOKENIZER_H

#include "heed/Text/Tokenizer.h"

namespace heed {

class WeightsFile;

/// Reads the metadata under `tokenizer.`. Missing optional keys get the defaults that llama.cpp
/// gives them, which depend on the model. Errors: no tokenizer in the file, or a key of another
/// type than GGUF gives it.
ErrorOr<TokenizerSpec> ggufTokenizerSpec(const WeightsFile &file);

} // namespace heed

#endif // HEED_LIB_TEXT_GGUFTOKENIZER_H
