//===- RegisterPasses.h - which passes there are by name --------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_PIPELINES_REGISTERPASSES_H
#define HEED_PIPELINES_REGISTERPASSES_H

namespace heed {

/// Makes known by name every pass that the pipelines use, and the pipelines themselves, so that
/// they can be asked for by text. Call it once.
void registerPasses();

} // namespace heed

#endif // HEED_PIPELINES_REGISTERPASSES_H
