//===- Cpu.h - which instructions this processor has -----------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_CPU_H
#define HEED_RUNTIME_CPU_H

#include "heed/Runtime/Artifact.h"
#include "heed/Support/ErrorOr.h"

#include <cstdint>

namespace heed {

/// The heed_features that processor and operating system both support.
uint64_t cpuFeatures();

/// The first variant of `artifact` that `features` suffice for. `forced`, where it is neither null
/// nor empty, names the one to take instead (the environment's HEED_ISA, such as "avx2"); it is an
/// error if the artefact or the processor has no such variant.
ErrorOr<const heed_variant *> chooseVariant(const heed_artifact &artifact, uint64_t features,
                                            const char *forced);

} // namespace heed

#endif // HEED_RUNTIME_CPU_H
