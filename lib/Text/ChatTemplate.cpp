//===- ChatTemplate.cpp - conversations as models were trained on them ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Text/ChatTemplate.h"

#include "Quotation.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace heed {

namespace {

/// How one template writes a conversation.
struct Style {
  std::string_view name;
  /// A turn is `open` role `afterRole` content `close`.
  std::string_view open;
  std::string_view afterRole;
  std::string_view close;
  std::string_view assistant;
  /// Used where the caller gives no system message; empty for none.
  std::string_view defaultSystem;
  /// White space around contents is dropped.
  bool trims;
  /// There is no system role: its message goes in front of the user's first one.
  bool systemJoinsUser;
};

constexpr Style chatmlStyle(std::string_view name, std::string_view defaultSystem) {
  return {name, "<|im_start|>", "\n", "<|im_end|>\n", "assistant", defaultSystem, false, false};
}

constexpr std::string_view SmolLM2System =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
constexpr std::string_view Qwen25System =
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
constexpr std::string_view Qwen2System = "You are a helpful assistant.";

constexpr std::array Styles = {
    chatmlStyle("chatml", ""),
    chatmlStyle("smollm2", SmolLM2System),
    chatmlStyle("qwen2", Qwen2System),
    chatmlStyle("qwen2.5", Qwen25System),
    Style{"llama3", "<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>", "assistant", "",
          true, false},
    Style{"gemma", "<start_of_turn>", "\n", "<end_of_turn>\n", "model", "", true, true},
    Style{"none", "", "", "", "", "", false, true},
};

constexpr auto Names = [] {
  std::array<std::string_view, Styles.size()> names;
  std::transform(Styles.begin(), Styles.end(), names.begin(),
                 [](const Style &style) { return style.name; });
  return names;
}();

/// What tells a template from the others; the first line that fits wins.
struct Marker {
  std::string_view present;
  std::string_view alsoPresent;
  std::string_view absent;
  std::string_view name;
};

constexpr std::array Markers = {
    Marker{"<|im_start|>", SmolLM2System, "", "smollm2"},
    Marker{"<|im_start|>", Qwen25System, "", "qwen2.5"},
    Marker{"<|im_start|>", Qwen2System, "", "qwen2"},
    Marker{"<|im_start|>", "<|im_end|>", "<|im_sep|>", "chatml"},
    Marker{"<|start_header_id|>", "<|eot_id|>", "", "llama3"},
    Marker{"<start_of_turn>", "<end_of_turn>", "", "gemma"},
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view Space = " \t\n\v\f\r";
  size_t begin = text.find_first_not_of(Space);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(Space) - begin + 1);
}

void addTurn(std::string &text, const Style &style, std::string_view role,
             std::string_view content) {
  text += style.open;
  if (!style.open.empty())
    text += role;
  text += style.afterRole;
  text += style.trims ? trimmed(content) : content;
  text += style.close;
}

} // namespace

std::span<const std::string_view> chatTemplateNames() { return Names; }

ErrorOr<std::string> applyChat(std::string_view name, std::optional<std::string_view> system,
                               std::span<const ChatMessage> messages) {
  auto style = std::find_if(Styles.begin(), Styles.end(),
                            [=](const Style &candidate) { return candidate.name == name; });
  if (style == Styles.end())
    return makeError(fmt::format("unknown chat template {}; choose one of {}", quoted(name),
                                 listed(chatTemplateNames())));

  std::string text;
  std::string beforeUser;
  bool hasSystem = system.has_value() || !style->defaultSystem.empty();
  std::string_view systemText = system.value_or(style->defaultSystem);
  if (hasSystem && style->systemJoinsUser) {
    beforeUser = style->trims ? trimmed(systemText) : systemText;
    if (!beforeUser.empty())
      beforeUser += "\n\n";
  } else if (hasSystem) {
    addTurn(text, *style, "system", systemText);
  }

  for (const ChatMessage &message : messages) {
    bool isUser = message.role == ChatMessage::Role::User;
    std::string content;
    if (isUser)
      content = std::exchange(beforeUser, {});
    content += style->trims ? trimmed(message.content) : std::string_view(message.content);
    addTurn(text, *style, isUser ? "user" : style->assistant, content);
  }

  text += style->open;
  text += style->assistant;
  text += style->afterRole;
  return text;
}

ErrorOr<std::string_view> detectChatTemplate(const TokenizerSpec &spec) {
  std::string_view text = spec.chatTemplate;
  if (text.empty())
    return makeError(fmt::format("the weights file has no chat template; choose one of {}",
                                 listed(chatTemplateNames())));
  auto has = [=](std::string_view part) { return text.find(part) != std::string_view::npos; };
  for (const Marker &marker : Markers)
    if (has(marker.present) && has(marker.alsoPresent) &&
        (marker.absent.empty() || !has(marker.absent)))
      return marker.name;
  return makeError(fmt::format("the chat template of the weights file is not a known one; choose "
                               "one of {}",
                               listed(chatTemplateNames())));
}

} // namespace heed
