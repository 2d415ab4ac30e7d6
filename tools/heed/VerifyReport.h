//===- VerifyReport.h - what heed verify found -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TOOLS_HEED_VERIFYREPORT_H
#define HEED_TOOLS_HEED_VERIFYREPORT_H

#include "heed/Verification/ProgramVerifier.h"

#include <string>

namespace heed {

/// A table with a line for each phase, and what was tried. Empty where something differs, which was
/// reported.
std::string textReport(const verification::ProgramVerifier &verifier, bool agrees);

/// The same in full, and the pass that is blamed.
std::string jsonReport(const verification::ProgramVerifier &verifier, bool agrees);

} // namespace heed

#endif // HEED_TOOLS_HEED_VERIFYREPORT_H
