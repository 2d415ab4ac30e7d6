//===- TokenModel.h - how plain text becomes tokens -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One class for each algorithm. What all vocabularies share (special tokens, ids,
// decoding) is in TokenizerTables.h.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_TOKENMODEL_H
#define HEED_LIB_TEXT_TOKENMODEL_H

#include "heed/Text/Tokenizer.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

class TokenModel {
public:
  /// The algorithm that `spec.model` names. Errors: an unknown model or pre-tokenizer.
  static ErrorOr<std::unique_ptr<TokenModel>> create(const TokenizerSpec &spec);

  virtual ~TokenModel() = default;

  /// The bytes that a token of type Normal or Unused stands for.
  virtual std::string decoded(std::string_view text) const = 0;

  /// Takes what encoding needs from `tables`, whose tokens are checked and decoded, and which
  /// outlive this.
  virtual ErrorOr<void> prepare(const Tokenizer::Tables &tables) = 0;

  /// Encodes texts without special tokens; holds the memory for it. One for each thread.
  class Encoder {
  public:
    virtual ~Encoder() = default;
    /// Appends the ids of `text`, which is not empty. `first`: nothing stands before it; otherwise
    /// a special token does.
    virtual ErrorOr<void> add(std::string_view text, bool first, std::vector<int32_t> &ids) = 0;
  };
  virtual std::unique_ptr<Encoder> encoder() const = 0;
};

/// The models behind `TokenModel::create`.
ErrorOr<std::unique_ptr<TokenModel>> createByteLevel(const TokenizerSpec &spec);
std::unique_ptr<TokenModel> createSentencePiece();
std::unique_ptr<TokenModel> createWordPiece(const TokenizerSpec &spec);

} // namespace heed

#endif // HEED_LIB_TEXT_TOKENMODEL_H
