//===- JsonEntries.h - the plain values of a JSON object ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a GGUF file says of a model in its metadata, a safetensors file leaves to
// JSON files beside it (config.json and others). Their values are read into the
// same form. The files are untrusted.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_JSONENTRIES_H
#define HEED_WEIGHTS_JSONENTRIES_H

#include "heed/Support/ErrorOr.h"
#include "heed/Weights/MetaValue.h"

#include <map>
#include <string>
#include <string_view>

namespace heed {

/// Values by key; a value inside an object has both keys with a dot between
/// ("rope_scaling.factor").
using JsonEntries = std::map<std::string, MetaValue, std::less<>>;

/// Reads an object's numbers, strings and booleans. Arrays and null are left out. Errors, which
/// don't name the file: no JSON object; a key twice; more than 16 objects in one another; a key
/// path of more than 256 bytes.
ErrorOr<JsonEntries> readJsonEntries(std::string_view json);

/// The same from the regular file at `path`, of at most 1 MiB; no entries where there is nothing at
/// `path`. Errors name the file.
ErrorOr<JsonEntries> readJsonFile(const std::string &path);

} // namespace heed

#endif // HEED_WEIGHTS_JSONENTRIES_H
