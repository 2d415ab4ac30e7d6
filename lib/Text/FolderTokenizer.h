//===- FolderTokenizer.h - the tokenizer beside a safetensors file --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_FOLDERTOKENIZER_H
#define HEED_LIB_TEXT_FOLDERTOKENIZER_H

#include "heed/Text/Tokenizer.h"

namespace heed {

/// Reads tokenizer.json or, where there is none, vocab.txt in `folder` (empty, or ending in a
/// slash), and tokenizer_config.json if it is there. Every text begins with [CLS] and ends with
/// [SEP], or what the configuration calls them. Errors name the file.
ErrorOr<TokenizerSpec> folderTokenizerSpec(const std::string &folder);

/// The tokens of a vocab.txt, one a line, as a spec of the model "wordpiece".
TokenizerSpec parseVocabulary(std::string_view lines);

} // namespace heed

#endif // HEED_LIB_TEXT_FOLDERTOKENIZER_H
