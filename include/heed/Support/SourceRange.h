//===- SourceRange.h - a stretch of program text --------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_SUPPORT_SOURCERANGE_H
#define HEED_SUPPORT_SOURCERANGE_H

#include <cstdint>

namespace heed {

/// Bytes begin … end-1 of a source buffer. `file` numbers the buffer within its SourceManager.
struct SourceRange {
  uint32_t file = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
};

} // namespace heed

#endif // HEED_SUPPORT_SOURCERANGE_H
