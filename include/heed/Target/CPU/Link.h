//===- Link.h - writes objects, shared libraries and executables ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_LINK_H
#define HEED_TARGET_CPU_LINK_H

#include "heed/Support/ErrorOr.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace heed {

/// Whether `path` is a device, a pipe or the like. Renaming a file onto one, as root even onto
/// /dev/null, would put the file in its place.
bool isSpecialFile(llvm::StringRef path);

/// Writes `contents` beside `path` and renames it, so that `path` never holds half a file; a
/// special file is written to as it is. `isProgram` makes it executable.
ErrorOr<void> writeFile(llvm::StringRef path, llvm::StringRef contents, bool isProgram = false);

/// The folder that holds libheed_rt.a and libheed_rt_main.a, found from where the running program
/// lies: the build's lib or the installation's.
ErrorOr<std::string> findRuntimeFolder();

struct LinkInput {
  std::vector<std::string> objects; ///< the bytes of ELF objects
  std::string runtimeFolder;        ///< see findRuntimeFolder
};

/// Links a shared library with the runtime inside, which exports `symbols` and nothing else and
/// needs only libc and libm. Uses the system's C compiler to find libc; an error names the remedy
/// where there is none.
ErrorOr<void> linkLibrary(const LinkInput &input, llvm::ArrayRef<std::string> symbols,
                          llvm::StringRef path);

/// Links an executable, whose main program is the runtime's.
ErrorOr<void> linkExecutable(const LinkInput &input, llvm::StringRef path);

} // namespace heed

#endif // HEED_TARGET_CPU_LINK_H
