//===- GenerateFlags.cpp - the command line of text generation ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Runtime/GenerateFlags.h"

#include "heed/Runtime/Pool.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <variant>

using namespace heed;

namespace {

/// No context holds this much text; a device that never ends must not fill memory.
constexpr size_t kMaxPromptBytes = size_t{64} << 20;

/// A whole number and the range it may lie in.
template <typename T> struct Whole {
  T *target;
  T least, most;
};

/// One flag: its spellings and where its value goes.
struct Flag {
  const char *brief; // "-m", or null
  const char *full;  // "--weights"
  std::variant<bool *, std::string *, std::optional<std::string> *, float *, Whole<int>,
               Whole<int64_t>, Whole<uint64_t>>
      target;
};

template <typename T> bool parseNumber(std::string_view text, T &value) {
  const char *end = text.data() + text.size();
  auto [rest, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc() && rest == end && !text.empty();
}

ErrorOr<void> store(std::string_view flag, std::string_view text, const Flag &entry) {
  if (auto *target = std::get_if<std::string *>(&entry.target)) {
    **target = text;
    return {};
  }
  if (auto *target = std::get_if<std::optional<std::string> *>(&entry.target)) {
    **target = std::string(text);
    return {};
  }
  if (auto *target = std::get_if<float *>(&entry.target)) {
    if (!parseNumber(text, **target) || !std::isfinite(**target))
      return makeError(fmt::format("{} is '{}', and a number was expected", flag, text));
    return {};
  }
  auto whole = [&](const auto &range) -> ErrorOr<void> {
    auto value = range.least;
    if (!parseNumber(text, value) || value < range.least || value > range.most)
      return makeError(fmt::format("{} is '{}', and a whole number from {} to {} was expected",
                                   flag, text, range.least, range.most));
    *range.target = value;
    return {};
  };
  if (auto *range = std::get_if<Whole<int>>(&entry.target))
    return whole(*range);
  if (auto *range = std::get_if<Whole<int64_t>>(&entry.target))
    return whole(*range);
  return whole(std::get<Whole<uint64_t>>(entry.target));
}

/// Reads `stream` to its end.
ErrorOr<std::string> readAll(std::FILE *stream, const std::string &name) {
  std::string text;
  char part[1 << 14];
  while (size_t got = std::fread(part, 1, sizeof(part), stream)) {
    text.append(part, got);
    if (text.size() > kMaxPromptBytes)
      return makeError(fmt::format("{}: the prompt is longer than {} MiB, which no context holds",
                                   name, kMaxPromptBytes >> 20));
  }
  if (std::ferror(stream))
    return makeError(fmt::format("{}: can't read the prompt: {}", name, strerror(errno)));
  return text;
}

} // namespace

ErrorOr<GenerateFlags> heed::parseGenerateFlags(std::span<const char *const> arguments) {
  GenerateFlags flags;
  GenerateOptions &options = flags.options;
  options.packed = "on";
  SamplerOptions &sampler = options.sampler;
  constexpr int64_t kMostTokens = std::numeric_limits<int32_t>::max();
  const Flag known[] = {
      {"-m", "--weights", &flags.weights},
      {"-p", "--prompt", &flags.promptText},
      {"-f", "--file", &flags.promptFile},
      {"-n", "--tokens", Whole<int64_t>{&options.tokens, -1, kMostTokens}},
      {"-t", "--threads", Whole<int>{&options.threads, 0, Pool::kMaxThreads}},
      {"-c", "--context", Whole<int64_t>{&options.context, 0, kMostTokens}},
      {"-s", "--seed", Whole<uint64_t>{&sampler.seed, 0, std::numeric_limits<uint64_t>::max()}},
      {nullptr, "--temp", &sampler.temperature},
      {nullptr, "--top-k", Whole<int>{&sampler.topK, 0, std::numeric_limits<int>::max()}},
      {nullptr, "--top-p", &sampler.topP},
      {nullptr, "--min-p", &sampler.minP},
      {nullptr, "--repeat-penalty", &sampler.repeatPenalty},
      {nullptr, "--repeat-last",
       Whole<int>{&sampler.repeatLast, 0, std::numeric_limits<int>::max()}},
      {nullptr, "--function", &options.function},
      {nullptr, "--chat", &options.chat},
      {nullptr, "--chat-template", &options.chatTemplate},
      {nullptr, "--system", &options.system},
      {nullptr, "--ignore-eos", &options.ignoreEnd},
      {nullptr, "--echo", &options.echo},
      {nullptr, "--packed", &options.packed},
      {nullptr, "--stats", &flags.stats},
      {"-h", "--help", &flags.help},
  };

  bool flagsEnded = false;
  for (size_t a = 0; a < arguments.size(); ++a) {
    std::string_view argument = arguments[a];
    if (flagsEnded || argument.size() < 2 || argument[0] != '-') {
      flags.arguments.emplace_back(argument);
      continue;
    }
    if (argument == "--") {
      flagsEnded = true;
      continue;
    }
    size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
    std::string_view name = argument.substr(0, equals);
    const Flag *found = nullptr;
    for (const Flag &flag : known)
      if (name == flag.full || (flag.brief && name == flag.brief))
        found = &flag;
    if (!found)
      return makeError(fmt::format("there is no flag '{}': --help lists them", name));

    if (auto *target = std::get_if<bool *>(&found->target)) {
      if (equals != std::string_view::npos)
        return makeError(fmt::format("{} takes no value", name));
      **target = true;
      continue;
    }
    std::string_view value;
    if (equals != std::string_view::npos)
      value = argument.substr(equals + 1);
    else if (++a < arguments.size())
      value = arguments[a];
    else
      return makeError(fmt::format("{} needs a value after it", name));
    if (ErrorOr<void> stored = store(name, value, *found); !stored)
      return stored.error();
  }
  // A template or an instruction without a conversation would silently do nothing.
  if (!options.chatTemplate.empty() || options.system)
    options.chat = true;
  return flags;
}

ErrorOr<void> heed::readPrompt(GenerateFlags &flags, std::FILE *standardInput) {
  if (flags.promptText.has_value() == flags.promptFile.has_value())
    return makeError(flags.promptText ? "both -p and -f give a prompt: leave one of them out"
                                      : "there is no prompt: give it with -p TEXT, -f FILE, or "
                                        "-p - for standard input");
  if (flags.promptText && *flags.promptText != "-") {
    flags.options.prompt = *flags.promptText;
    return {};
  }
  ErrorOr<std::string> text = std::string();
  if (flags.promptText) {
    text = readAll(standardInput, "standard input");
  } else {
    struct Close {
      void operator()(std::FILE *file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> file(std::fopen(flags.promptFile->c_str(), "rb"));
    if (!file)
      return makeError(
          fmt::format("{}: can't open the prompt: {}", *flags.promptFile, strerror(errno)));
    text = readAll(file.get(), *flags.promptFile);
  }
  if (!text)
    return text.error();
  flags.options.prompt = std::move(*text);
  return {};
}

std::string_view heed::generateFlagsHelp() {
  return R"(  -m, --weights FILE       the weights: a GGUF or safetensors file
  -p, --prompt TEXT        the text to continue; - reads standard input
  -f, --file FILE          reads the text to continue from a file
  -n, --tokens N           at most N new tokens; -1: until the text ends   [128]
  -t, --threads N          1 … 1024 threads; 0: one for each processor     [0]
  -c, --context N          room for N tokens; 0: all the model allows      [0]
  -s, --seed N             of the random choice; the same seed and flags
                           give the same text                              [0]
      --temp X             0: always the likeliest token; higher: bolder   [0.8]
      --top-k N            choose among the N likeliest; 0: all            [40]
      --top-p X            choose among the likeliest that make up X       [0.95]
      --min-p X            drop what is less likely than X x the likeliest [0.05]
      --repeat-penalty X   above 1: shun recent tokens                     [1]
      --repeat-last N      how many tokens are recent                      [64]
      --chat               the text is a message to an assistant
      --chat-template NAME the form of a conversation, if not the file's
      --system TEXT        tells the assistant how to behave
      --function NAME      the function to run, if not the first that can
                           continue a text
      --ignore-eos         go on after the end of the text
      --echo               print the prompt before the new text
      --packed WHERE       keep weights as they lie in memory for the next
                           time: on (in ~/.cache/heed), off, or a folder   [on]
      --stats              report times on standard error
  -h, --help               this text
)";
}

void heed::printStats(const GenerateStats &stats, std::FILE *out) {
  auto rate = [](int64_t tokens, double ms) { return ms > 0 ? 1000.0 * tokens / ms : 0.0; };
  std::string text = fmt::format("load {:.1f} ms; prompt {} tokens, {:.1f} ms, {:.1f} tokens/s; "
                                 "new text {} tokens, {:.1f} ms, "
                                 "{:.1f} tokens/s\n",
                                 stats.loadMs, stats.promptTokens, stats.promptMs,
                                 rate(stats.promptTokens, stats.promptMs), stats.generatedTokens,
                                 stats.decodeMs, rate(stats.generatedTokens, stats.decodeMs));
  std::fputs(text.c_str(), out);
}
