//===- ByteAlphabet.h - GPT-2's spelling of bytes as letters --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GPT-2 writes its vocabulary as text in which no byte is a space or a control
// character: the 188 bytes that are printable in Latin-1 stand for themselves,
// the other 68 are, in their order, U+0100 to U+0143. A space is thus U+0120.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_BYTEALPHABET_H
#define HEED_LIB_TEXT_BYTEALPHABET_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heed {

/// `bytes` in the byte alphabet.
std::string spellBytes(std::string_view bytes);

/// The bytes that `spelling` stands for; nothing if it is not all in the byte alphabet.
std::optional<std::string> readSpelling(std::string_view spelling);

} // namespace heed

#endif // HEED_LIB_TEXT_BYTEALPHABET_H
