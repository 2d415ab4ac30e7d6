//===- LoadedObject.h - an object file's code in this process -*- C++ -*---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_LOADEDOBJECT_H
#define HEED_VERIFICATION_LOADEDOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <utility>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace heed::verification {

/// A function of this process, by the name that code calls it by.
using NamedFunction = std::pair<const char *, void *>;

/// Machine code that was loaded without a linker. It calls the runtime that this process holds.
class LoadedObject {
public:
  /// Loads an ELF object's bytes. What it calls are `others`, the runtime's functions for generated
  /// code where those don't replace them, and what the system's libraries have, such as sinf.
  static llvm::Expected<std::unique_ptr<LoadedObject>>
  load(llvm::StringRef bytes, llvm::ArrayRef<NamedFunction> others = {});
  ~LoadedObject();

  /// Where the symbol lies; an error where the object has none of that name.
  llvm::Expected<void *> find(llvm::StringRef symbol);

private:
  explicit LoadedObject(std::unique_ptr<llvm::orc::LLJIT> jit);

  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace heed::verification

#endif // HEED_VERIFICATION_LOADEDOBJECT_H
