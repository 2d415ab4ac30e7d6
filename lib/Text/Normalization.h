//===- Normalization.h - canonical forms of text --------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_TEXT_NORMALIZATION_H
#define HEED_LIB_TEXT_NORMALIZATION_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// `text` in Unicode's normalisation form C; bytes that are no part of valid UTF-8 stay as they
/// are. Takes O(n log n) time.
std::string normalizeNfc(std::string_view text);

/// Replaces characters by their canonical decompositions, marks in canonical order: form D. Takes
/// O(n log n) time.
void decomposeCanonically(std::vector<int32_t> &characters);

} // namespace heed

#endif // HEED_LIB_TEXT_NORMALIZATION_H
