//===- ErrorOr.cpp - a value or an error that a user can act on -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Support/ErrorOr.h"

using namespace heed;

Error heed::makeError(std::string message) { return Error{std::move(message)}; }
