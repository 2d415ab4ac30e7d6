//===- RegisterPasses.cpp - makes this room's passes known by name -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"

void heed::registerConversions() { registerHeedConversionPasses(); }
