//===- FolderTokenizer.cpp - the tokenizer beside a safetensors file ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FolderTokenizer.h"

#include "Quotation.h"
#include "TokenizerJson.h"
#include "heed/Weights/JsonEntries.h"
#include "heed/Weights/MappedFile.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>

namespace heed {

namespace {

/// Far beyond any vocabulary.
constexpr size_t largestFile = size_t(64) << 20;

bool exists(const std::string &path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

/// What tokenizer_config.json says, if it is there.
class Configuration {
public:
  explicit Configuration(JsonEntries read) : entries(std::move(read)) {}

  /// "cls_token", which is a string or an object with the string.
  std::string token(const std::string &key, const char *otherwise) const {
    for (const std::string &path : {key, key + ".content"})
      if (const auto *text = get<std::string>(path))
        return *text;
    return otherwise;
  }
  const bool *flag(const std::string &key) const { return get<bool>(key); }

private:
  template <typename T> const T *get(const std::string &key) const {
    auto found = entries.find(key);
    return found == entries.end() ? nullptr : std::get_if<T>(&found->second);
  }
  JsonEntries entries;
};

/// Gives the special tokens their ids and types.
ErrorOr<void> addSpecials(TokenizerSpec &spec, const Configuration &configuration) {
  auto special = [&](const char *key, const char *otherwise, bool needed,
                     int64_t *id) -> ErrorOr<void> {
    std::string text = configuration.token(key, otherwise);
    auto found = std::find(spec.tokens.begin(), spec.tokens.end(), text);
    if (found == spec.tokens.end())
      return needed ? ErrorOr<void>(makeError(fmt::format("the vocabulary has no token {}, the "
                                                          "tokenizer's {}",
                                                          quoted(text), key)))
                    : ErrorOr<void>();
    size_t place = size_t(found - spec.tokens.begin());
    spec.types[place] = int32_t(TokenType::Control);
    if (id)
      *id = int64_t(place);
    return {};
  };
  for (ErrorOr<void> done : {special("cls_token", "[CLS]", true, &spec.bos),
                             special("sep_token", "[SEP]", true, &spec.eos),
                             special("unk_token", "[UNK]", true, &spec.unk),
                             special("pad_token", "[PAD]", false, &spec.pad),
                             special("mask_token", "[MASK]", false, nullptr)})
    if (!done)
      return done;
  spec.addBos = spec.addEos = true;
  return {};
}

} // namespace

TokenizerSpec parseVocabulary(std::string_view lines) {
  TokenizerSpec spec;
  spec.model = "wordpiece";
  while (!lines.empty()) {
    size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    spec.tokens.emplace_back(line);
  }
  spec.types.assign(spec.tokens.size(), int32_t(TokenType::Normal));
  return spec;
}

ErrorOr<TokenizerSpec> folderTokenizerSpec(const std::string &folder) {
  std::string path = folder + "tokenizer.json";
  bool isJson = exists(path);
  if (!isJson)
    path = folder + "vocab.txt";
  if (!exists(path))
    return makeError(fmt::format("{}: there is no tokenizer.json or vocab.txt beside the weights; "
                                 "put the model's tokenizer there",
                                 folder.empty() ? "." : folder));
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  if ((*file)->bytes().size() > largestFile)
    return makeError(fmt::format("{}: the file has {} bytes, expected at most {}", path,
                                 (*file)->bytes().size(), largestFile));
  auto entries = readJsonFile(folder + "tokenizer_config.json");
  if (!entries)
    return entries.error();
  Configuration configuration(std::move(*entries));

  ErrorOr<TokenizerSpec> spec =
      isJson ? parseTokenizerJson((*file)->text()) : parseVocabulary((*file)->text());
  if (!spec)
    return makeError(fmt::format("{}: {}", path, spec.message()));
  if (!isJson) {
    if (const bool *lower = configuration.flag("do_lower_case"))
      spec->lowerCase = *lower;
    if (const bool *strip = configuration.flag("strip_accents"))
      spec->stripAccents = *strip;
    if (const bool *space = configuration.flag("tokenize_chinese_chars"))
      spec->spaceIdeographs = *space;
  }
  if (auto done = addSpecials(*spec, configuration); !done)
    return makeError(fmt::format("{}: {}", path, done.message()));
  return spec;
}

} // namespace heed
