//===- fuzz-tokenizer.cpp - vocabularies and prompts of any bytes ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is lines that describe a vocabulary, a line "---", and a text:
//
//   model gpt2            pre smollm
//   bytes                 all 256 byte tokens, ids 0 to 255, in GPT-2's alphabet …
//   names                 … or as <0x00> to <0xFF>
//   token 3 <|end|>       a token's type and its text
//   wide 4000 a           a token of a repeated letter
//   score -1.5            the score of the token before; otherwise 0
//   merge a b             a merge as the file would spell it
//   pair a b              a merge and the token that it makes
//   id eos 256            a special id
//   types -1              the types array longer or shorter than the tokens
//   flag bos              what the file or the caller asks for
//
// Other lines are ignored. An input that begins with '{' has a tokenizer.json there
// instead. The text is encoded, and comes back from its tokens.
//
//===----------------------------------------------------------------------===//

#include "SmallVocabulary.h"
#include "TokenizerJson.h"
#include "heed/Text/ChatTemplate.h"
#include "heed/Text/StreamDecoder.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>

using namespace heed;

namespace {

struct Input {
  TokenizerSpec spec;
  EncodeOptions options;
  bool allBytes = false;
  std::string_view text;
};

/// Takes the first word off `line`.
std::string_view word(std::string_view &line) {
  size_t space = std::min(line.find(' '), line.size());
  std::string_view first = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return first;
}

int64_t number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void describe(Input &input, std::string_view line) {
  TokenizerSpec &spec = input.spec;
  std::string_view what = word(line);
  if (what == "model") {
    spec.model = line;
  } else if (what == "pre") {
    spec.pre = line;
  } else if (what == "bytes" && !input.allBytes && spec.tokens.empty()) {
    TokenizerSpec bytes = byteVocabulary(spec.pre);
    spec.tokens = bytes.tokens;
    spec.types = bytes.types;
    input.allBytes = true;
  } else if (what == "names" && !input.allBytes && spec.tokens.empty()) {
    for (int byte = 0; byte < 256; ++byte)
      addToken(spec, fmt::format("<0x{:02X}>", byte), TokenType::Byte);
    input.allBytes = true;
  } else if (what == "score" && !spec.tokens.empty()) {
    spec.scores.resize(spec.tokens.size());
    spec.scores.back() = std::strtof(std::string(line).c_str(), nullptr);
  } else if (what == "token") {
    auto type = TokenType(int32_t(number(word(line))));
    addToken(spec, std::string(line), type);
  } else if (what == "wide") {
    size_t count = size_t(std::clamp<int64_t>(number(word(line)), 0, 5000));
    addToken(spec, std::string(count, line.empty() ? 'a' : line[0]));
  } else if (what == "merge") {
    spec.merges.emplace_back(line);
  } else if (what == "pair") {
    std::string left(word(line));
    addMerge(spec, left, std::string(line));
  } else if (what == "types") {
    int64_t size = int64_t(spec.types.size()) + std::clamp<int64_t>(number(line), -300, 300);
    spec.types.resize(size_t(std::max<int64_t>(size, 0)), 1);
  } else if (what == "template") {
    spec.chatTemplate = line;
  } else if (what == "id") {
    std::string_view name = word(line);
    int64_t &id = name == "bos"   ? spec.bos
                  : name == "eos" ? spec.eos
                  : name == "unk" ? spec.unk
                  : name == "pad" ? spec.pad
                                  : spec.eot;
    id = number(line);
  } else if (what == "flag") {
    spec.addBos |= line == "bos";
    spec.addEos |= line == "eos";
    spec.addSpacePrefix |= line == "space";
    spec.lowerCase &= line != "case";
    spec.spaceIdeographs &= line != "ideographs";
    input.options.parseSpecial &= line != "plain";
  }
}

/// A tokenizer.json, a line "---", and a text. Nothing where it is refused.
std::optional<Input> readJson(std::string_view bytes) {
  size_t end = std::min(bytes.find("\n---\n"), bytes.size());
  ErrorOr<TokenizerSpec> spec = parseTokenizerJson(bytes.substr(0, end));
  if (!spec)
    return std::nullopt;
  Input input;
  input.spec = std::move(*spec);
  input.text = bytes.substr(std::min(end + 5, bytes.size()));
  return input;
}

std::optional<Input> read(std::string_view bytes) {
  if (bytes.starts_with('{'))
    return readJson(bytes);
  Input input;
  while (!bytes.empty()) {
    size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line == "---")
      break;
    describe(input, line);
  }
  input.text = bytes;
  if (input.spec.model == "llama")
    input.spec.scores.resize(input.spec.tokens.size());
  return input;
}

/// Whether the text comes back from its tokens.
bool isKept(const Input &input) {
  const TokenizerSpec &spec = input.spec;
  if (!input.allBytes || spec.addBos || spec.addEos || spec.addSpacePrefix)
    return false;
  bool hasSpace = input.text.find("\xE2\x96\x81") != std::string_view::npos;
  return spec.model == "gpt2" ? spec.pre != "qwen2" : spec.model == "llama" && !hasSpace;
}

void require(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::optional<Input> input = read({reinterpret_cast<const char *>(data), size});
  if (!input)
    return 0;
  (void)detectChatTemplate(input->spec);
  auto tokenizer = Tokenizer::create(input->spec);
  if (!tokenizer)
    return 0;
  auto ids = tokenizer->encode(input->text, input->options);
  if (!ids)
    return 0;
  StreamDecoder decoder;
  std::string streamed;
  for (int32_t id : *ids) {
    require(id >= 0 && id < tokenizer->size());
    streamed += decoder.push(tokenizer->decode(id));
  }
  streamed += decoder.flush();

  if (isKept(*input))
    require(tokenizer->decode(*ids) == input->text);
  // What was streamed is valid, so that streaming it again changes nothing.
  StreamDecoder again;
  require(again.push(streamed) == streamed && again.flush().empty());
  return 0;
}
