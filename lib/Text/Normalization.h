//===- Normalization.h - canonical composition of text --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_NORMALIZATION_H
#define HEED_LIB_TEXT_NORMALIZATION_H

#include <string>
#include <string_view>

namespace heed {

/// `text` in Unicode's normalisation form C; bytes that are no part of valid UTF-8 stay as they
/// are. Takes O(n log n) time.
std::string normalizeNfc(std::string_view text);

} // namespace heed

#endif // HEED_LIB_TEXT_NORMALIZATION_H
