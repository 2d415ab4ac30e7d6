//===- ChatTemplate.h - conversations as models were trained on them ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Templates are chosen by name. The one in a weights file is a program in
// another language by an unknown author: it is compared, never evaluated.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEXT_CHATTEMPLATE_H
#define HEED_TEXT_CHATTEMPLATE_H

#include "heed/Support/ErrorOr.h"
#include "heed/Text/Tokenizer.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace heed {

struct ChatMessage {
  enum class Role { User, Assistant };
  Role role = Role::User;
  std::string content;
};

/// The names that `applyChat` takes: chatml, smollm2, qwen2, qwen2.5, llama3, gemma, none.
std::span<const std::string_view> chatTemplateNames();

/// The text of a conversation up to where the assistant's next words begin. An unset `system`
/// gives the template's own default message, if it has one. The beginning token is not part of
/// the text: `Tokenizer::encode` adds it where the file asks for it. Encode the result with
/// `parseSpecial`, and note that special tokens spelled in a message then count as such too.
/// Error: an unknown name.
ErrorOr<std::string> applyChat(std::string_view name, std::optional<std::string_view> system,
                               std::span<const ChatMessage> messages);

/// The name of the template that `spec.chatTemplate` is, told by its markers. Errors: no template
/// in the file, or one that is not known; both list the names to choose from.
ErrorOr<std::string_view> detectChatTemplate(const TokenizerSpec &spec);

} // namespace heed

#endif // HEED_TEXT_CHATTEMPLATE_H
