//===- Tokenizer.h - text to token ids and back ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A vocabulary comes from an untrusted file: `Tokenizer::create` checks all of
// it once, so that encoding and decoding need no checks and cannot fail on it.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEXT_TOKENIZER_H
#define HEED_TEXT_TOKENIZER_H

#include "heed/Support/ErrorOr.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// What a token is for, numbered as GGUF's `tokenizer.ggml.token_type` numbers it.
enum class TokenType : int32_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

/// A tokenizer as a file describes it, unchecked. Ids of -1 are absent.
struct TokenizerSpec {
  /// The algorithm: "gpt2" (byte-level byte-pair encoding), "llama" (SentencePiece: merges by
  /// score), "bert" or "wordpiece" (the longest piece first).
  std::string model;
  /// The pre-tokenizer of "gpt2": one of `supportedPreTokenizers()`.
  std::string pre;
  /// The text of token i. Ordinary ones are spelled as the algorithm's files do: in GPT-2's byte
  /// alphabet; with U+2581 for a space ("llama"); with U+2581 before a piece that begins a word
  /// ("bert"), or ## before one that doesn't ("wordpiece").
  std::vector<std::string> tokens;
  /// `TokenType` of token i; empty if all are ordinary.
  std::vector<int32_t> types;
  /// Of "gpt2": "left right" pairs, the strongest first.
  std::vector<std::string> merges;
  /// Of "llama": the token that two neighbours make is made earlier the higher its score is. Empty
  /// for the others, or as long as `tokens`.
  std::vector<float> scores;
  int64_t bos = -1;
  int64_t eos = -1;
  int64_t unk = -1;
  int64_t pad = -1;
  /// End of a turn, where a model has one besides `eos`.
  int64_t eot = -1;
  bool addBos = false;
  bool addEos = false;
  /// Puts a space before a text that does not start with one; in "llama" before every text, and
  /// before what follows a special token.
  bool addSpacePrefix = false;
  /// What "bert" and "wordpiece" do to a text first. Accents go where letters are lower-cased,
  /// unless the file says otherwise.
  bool lowerCase = true;
  std::optional<bool> stripAccents;
  bool spaceIdeographs = true;
  /// The file's template, only ever compared with known ones (see ChatTemplate.h).
  std::string chatTemplate;
};

struct EncodeOptions {
  /// Control tokens that are spelled out in the text count as such. User-defined tokens always do.
  bool parseSpecial = true;
  /// Start with the beginning token; unset: as the file says.
  std::optional<bool> addBos = std::nullopt;
  /// Finish with the end token; unset: as the file says.
  std::optional<bool> addEos = std::nullopt;
};

/// The names that `TokenizerSpec::pre` may hold.
std::span<const std::string_view> supportedPreTokenizers();

/// A checked, immutable tokenizer. Copies share their tables; every method may be called from
/// several threads at once.
class Tokenizer {
public:
  /// Longest text of one token, in bytes; longer ones are refused.
  static constexpr size_t MaxTokenBytes = 4096;
  /// The same for control and user-defined tokens. It bounds the search for them at each byte.
  static constexpr size_t MaxSpecialTokenBytes = 512;
  /// Longest text that `encode` takes, in bytes.
  static constexpr size_t MaxTextBytes = size_t(1) << 30;

  /// Checks `spec` and builds the tables. Errors: an unsupported model or pre-tokenizer; arrays
  /// of different lengths; no scores, or one that is NaN, where the model needs them; a token that
  /// is too long, occurs twice or is a malformed byte token (`<0x-1>`); a merge that names no token
  /// or whose token decodes to something else; a special id outside the vocabulary. Empty tokens
  /// are legal (some files pad with them): they decode to nothing and no text yields them.
  static ErrorOr<Tokenizer> create(TokenizerSpec spec);

  /// The ids of `text`, any byte string. A byte that is no part of valid UTF-8 becomes its own
  /// byte token, so `decode(*encode(x)) == x` for a vocabulary with all 256 byte tokens, except
  /// under "qwen2", which normalises text to NFC as its model was trained, and under "llama" for a
  /// U+2581 in the text, which is its space. "bert" and "wordpiece" drop what isn't text, and give
  /// the unknown token for words without pieces. Takes O(n log n) time
  /// and O(n) memory whatever the text; a piece may be as long as the text. Errors: a byte for
  /// which the vocabulary has no token (unless `unk` is of type Unknown and stands in for it; a
  /// control token never does, or any stray byte could end a prompt); a text beyond
  /// `MaxTextBytes`; a beginning or end token asked for that the vocabulary lacks.
  ErrorOr<std::vector<int32_t>> encode(std::string_view text, EncodeOptions options = {}) const;

  /// The bytes of one token, which need not be whole characters (see StreamDecoder.h). A control
  /// token gives its spelling, a piece that begins a word ("bert") a space before it; an id
  /// outside the vocabulary gives nothing.
  std::string decode(int32_t id) const;
  std::string decode(std::span<const int32_t> ids) const;

  /// Number of tokens.
  int32_t size() const;
  /// Special ids, -1 where the vocabulary has none.
  int32_t bos() const;
  int32_t eos() const;
  int32_t unk() const;
  int32_t pad() const;
  int32_t eot() const;
  /// The id whose text is exactly `text` as the file spells it, -1 if none.
  int32_t find(std::string_view text) const;
  /// Whether `id` is a control token, which is not part of the text a user reads.
  bool isControl(int32_t id) const;
  /// Whether generation stops at `id`: the end and end-of-turn tokens, and control tokens that
  /// are known by name to end a turn (such as <|im_end|>), since files often declare only one.
  bool isEnd(int32_t id) const;

  struct Tables;

private:
  explicit Tokenizer(std::shared_ptr<const Tables> built) : tables(std::move(built)) {}
  std::shared_ptr<const Tables> tables;
};

} // namespace heed

#endif // HEED_TEXT_TOKENIZER_H
