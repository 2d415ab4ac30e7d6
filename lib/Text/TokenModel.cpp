//===- TokenModel.cpp - which algorithm a vocabulary is for ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenModel.h"

#include "Quotation.h"

#include <fmt/format.h>

namespace heed {

ErrorOr<std::unique_ptr<TokenModel>> TokenModel::create(const TokenizerSpec &spec) {
  if (spec.model == "gpt2")
    return createByteLevel(spec);
  if (spec.model == "llama")
    return createSentencePiece();
  if (spec.model == "bert" || spec.model == "wordpiece")
    return createWordPiece(spec);
  return makeError(fmt::format("unsupported tokenizer model {}; supported are 'gpt2' (byte-level "
                               "byte-pair encoding), 'llama' (SentencePiece), 'bert' and "
                               "'wordpiece'",
                               quoted(spec.model)));
}

} // namespace heed
