//===- Suggestion.h - "did you mean" --------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_SUGGESTION_H
#define HEED_LIB_FRONTEND_SUGGESTION_H

#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// "; did you mean `x`?" with the candidate that is spelled most alike, or "" where none is close.
std::string suggestion(std::string_view name, const std::vector<std::string> &candidates);

} // namespace heed

#endif // HEED_LIB_FRONTEND_SUGGESTION_H
