//===- PreTokenizer.h - text to the pieces that merges stay within --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Before bytes are merged, a regular expression cuts the text into words,
// numbers, punctuation and spaces. Each family of models has its own, and ids
// differ wherever it is not exactly that one: so the name in the file must be
// known.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_PRETOKENIZER_H
#define HEED_LIB_TEXT_PRETOKENIZER_H

#include "heed/Support/ErrorOr.h"

#include <memory>
#include <string_view>
#include <vector>

namespace heed {

class PreTokenizer {
public:
  /// Error: a name that is not one of `supportedPreTokenizers()`.
  static ErrorOr<PreTokenizer> create(std::string_view name);

  PreTokenizer(PreTokenizer &&) noexcept;
  PreTokenizer &operator=(PreTokenizer &&) noexcept;
  ~PreTokenizer();

  /// Whether text is brought to NFC first.
  bool normalizes() const;
  /// Whether a piece that is a token is taken whole, even if no merges lead there.
  bool takesWholePieces() const;

  /// Cuts texts; holds the memory for it. One for each thread; the pre-tokenizer must outlive it.
  class Splitter {
  public:
    explicit Splitter(const PreTokenizer &owner);
    Splitter(Splitter &&) noexcept;
    ~Splitter();

    /// Appends the pieces of `text`, which together are all of it. A byte that is no part of
    /// valid UTF-8 is a piece, and what stands before and after it is cut as a text by itself.
    /// Takes linear time. Error: the expression's engine gave up, which the limits given to it
    /// allow for no text of the supported expressions.
    ErrorOr<void> split(std::string_view text, std::vector<std::string_view> &pieces);

  private:
    ErrorOr<void> splitValid(std::string_view text, std::vector<std::string_view> &pieces);

    struct State;
    std::unique_ptr<State> state;
  };

private:
  struct Pattern;
  explicit PreTokenizer(std::unique_ptr<Pattern> compiled);
  std::unique_ptr<Pattern> pattern;
};

} // namespace heed

#endif // HEED_LIB_TEXT_PRETOKENIZER_H
