//===- TokenizerJson.h - a WordPiece vocabulary in a tokenizer.json -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_TOKENIZERJSON_H
#define HEED_LIB_TEXT_TOKENIZERJSON_H

#include "heed/Text/Tokenizer.h"

namespace heed {

/// Reads a tokenizer.json into a spec of the model "wordpiece": tokens, types and how text is
/// cleaned. The special ids, but for `unk`, are left to the caller. Errors, which don't name the
/// file: no JSON; a tokenizer of another kind; ids that aren't 0, 1, 2, … once each.
ErrorOr<TokenizerSpec> parseTokenizerJson(std::string_view json);

} // namespace heed

#endif // HEED_LIB_TEXT_TOKENIZERJSON_H
