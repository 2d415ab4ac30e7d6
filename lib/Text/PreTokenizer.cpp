//===- PreTokenizer.cpp - text to the pieces that merges stay within ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define PCRE2_CODE_UNIT_WIDTH 8

#include "PreTokenizer.h"

#include "Quotation.h"
#include "Utf8.h"
#include "heed/Text/Tokenizer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <pcre2.h>
#include <string>

namespace heed {

namespace {

// White space as Unicode defines it. PCRE2's own \s also holds U+180E, which the engines that the
// models were trained with count as a format character.
#define HEED_SPACE R"(\t-\r\x{85}\p{Z})"

#define HEED_GPT2_START R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|)"
#define HEED_PUNCTUATION R"( ?[^)" HEED_SPACE R"(\p{L}\p{N}]+)"
// Spaces before a word leave the last one to it.
#define HEED_TRAILING_SPACES R"([)" HEED_SPACE R"(]+(?![^)" HEED_SPACE R"(])|[)" HEED_SPACE R"(]+)"

#define HEED_LLAMA_EXPRESSION(DIGITS)                                                              \
  R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" DIGITS "|" HEED_PUNCTUATION          \
  R"([\r\n]*|[)" HEED_SPACE R"(]*[\r\n]+|)" HEED_TRAILING_SPACES

struct Known {
  std::string_view name;
  const char *expression;
  bool normalizes;
  bool takesWholePieces;
};

constexpr std::array KnownPreTokenizers = {
    // Every digit is first cut out by itself, then GPT-2's expression cuts what lies between. In
    // one expression: a digit ends the text for the spaces before it, and takes no space along.
    Known{"smollm",
          R"(\p{N}|)" HEED_GPT2_START HEED_PUNCTUATION "|[" HEED_SPACE "]+(?![^" HEED_SPACE
          R"(\p{N}])|[)" HEED_SPACE "]+",
          false, false},
    Known{"gpt-2", HEED_GPT2_START R"( ?\p{N}+|)" HEED_PUNCTUATION "|" HEED_TRAILING_SPACES, false,
          false},
    Known{"llama-bpe", HEED_LLAMA_EXPRESSION(R"(\p{N}{1,3})"), false, true},
    Known{"qwen2", HEED_LLAMA_EXPRESSION(R"(\p{N})"), true, false},
};

constexpr auto Names = [] {
  std::array<std::string_view, KnownPreTokenizers.size()> names;
  std::transform(KnownPreTokenizers.begin(), KnownPreTokenizers.end(), names.begin(),
                 [](const Known &known) { return known.name; });
  return names;
}();

/// Calls the function that frees a PCRE2 object.
template <auto Free> struct Freer {
  template <typename T> void operator()(T *object) const { Free(object); }
};

std::string pcreMessage(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char *>(buffer.data());
}

} // namespace

std::span<const std::string_view> supportedPreTokenizers() { return Names; }

struct PreTokenizer::Pattern {
  const Known *known;
  std::unique_ptr<pcre2_code, Freer<pcre2_code_free>> code;
};

struct PreTokenizer::Splitter::State {
  const Pattern *pattern;
  std::unique_ptr<pcre2_match_data, Freer<pcre2_match_data_free>> data;
  std::unique_ptr<pcre2_match_context, Freer<pcre2_match_context_free>> context;
};

PreTokenizer::PreTokenizer(std::unique_ptr<Pattern> compiled) : pattern(std::move(compiled)) {}
PreTokenizer::PreTokenizer(PreTokenizer &&) noexcept = default;
PreTokenizer &PreTokenizer::operator=(PreTokenizer &&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

ErrorOr<PreTokenizer> PreTokenizer::create(std::string_view name) {
  auto known = std::find_if(KnownPreTokenizers.begin(), KnownPreTokenizers.end(),
                            [=](const Known &candidate) { return candidate.name == name; });
  if (known == KnownPreTokenizers.end())
    return makeError(fmt::format("unknown pre-tokenizer {}; supported are {}", quoted(name),
                                 listed(supportedPreTokenizers())));

  int code = 0;
  PCRE2_SIZE place = 0;
  auto pattern = std::make_unique<Pattern>();
  pattern->known = &*known;
  pattern->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(known->expression),
                                    PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code, &place,
                                    nullptr));
  if (!pattern->code)
    return makeError(fmt::format("the expression of pre-tokenizer '{}' does not compile with this "
                                 "PCRE2: {} at {}",
                                 name, pcreMessage(code), place));
  // Where there is no JIT, or the system forbids one, matching falls back to the interpreter.
  pcre2_jit_compile(pattern->code.get(), PCRE2_JIT_COMPLETE);
  return PreTokenizer(std::move(pattern));
}

bool PreTokenizer::normalizes() const { return pattern->known->normalizes; }
bool PreTokenizer::takesWholePieces() const { return pattern->known->takesWholePieces; }

PreTokenizer::Splitter::Splitter(const PreTokenizer &owner) : state(std::make_unique<State>()) {
  state->pattern = owner.pattern.get();
  state->data.reset(pcre2_match_data_create(1, nullptr));
  state->context.reset(pcre2_match_context_create(nullptr));
}
PreTokenizer::Splitter::Splitter(Splitter &&) noexcept = default;
PreTokenizer::Splitter::~Splitter() = default;

ErrorOr<void> PreTokenizer::Splitter::split(std::string_view text,
                                            std::vector<std::string_view> &pieces) {
  while (!text.empty()) {
    size_t valid = validUtf8Length(text);
    if (auto done = splitValid(text.substr(0, valid), pieces); !done)
      return done;
    text.remove_prefix(valid);
    if (text.empty())
      break;
    pieces.push_back(text.substr(0, 1));
    text.remove_prefix(1);
  }
  return {};
}

ErrorOr<void> PreTokenizer::Splitter::splitValid(std::string_view text,
                                                 std::vector<std::string_view> &pieces) {
  // Backtracking takes at most a few steps a byte in each of the expressions, so a limit in
  // proportion to the text is never reached, and would end a mistake in them early.
  uint64_t limit = 10000 + uint64_t(text.size()) * 16;
  pcre2_set_match_limit(state->context.get(), uint32_t(std::min<uint64_t>(limit, UINT32_MAX)));

  size_t begin = 0;
  while (begin < text.size()) {
    // Each expression matches at every place. The text is known to be valid; letting PCRE2 check
    // all of it again for each piece would take quadratic time.
    int code = pcre2_match(state->pattern->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                           text.size(), begin, PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK,
                           state->data.get(), state->context.get());
    if (code < 0)
      return makeError(fmt::format("pre-tokenizer '{}' failed at byte {}: {}",
                                   state->pattern->known->name, begin, pcreMessage(code)));
    size_t end = pcre2_get_ovector_pointer(state->data.get())[1];
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return {};
}

} // namespace heed
