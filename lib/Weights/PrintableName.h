//===- PrintableName.h - names from untrusted files, safe to print --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_WEIGHTS_PRINTABLENAME_H
#define HEED_LIB_WEIGHTS_PRINTABLENAME_H

#include <string>
#include <string_view>

namespace heed {

/// `name` in single quotes for an error message: bytes outside printable ASCII as \xNN, and cut
/// after 80 bytes, because a file may call a tensor whatever it likes.
std::string printableName(std::string_view name);

/// True where `name` can be a tensor's name: 1 to 1024 bytes, none of them a control character.
bool isTensorName(std::string_view name);

} // namespace heed

#endif // HEED_LIB_WEIGHTS_PRINTABLENAME_H
