//===- Locations.cpp - where IR comes from, and what its values are called ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Locations.h"

#include "heed/Support/SourceManager.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace heed::mlirgen {

Location Locations::at(SourceRange range) const {
  if (!sources || range.file >= sources->size())
    return UnknownLoc::get(&context);
  LineColumn place = sources->lineColumn(range.file, range.begin);
  return FileLineColLoc::get(&context, StringRef(sources->path(range.file)), place.line,
                             place.column);
}

Location Locations::named(StringRef name, SourceRange range) const {
  if (name.empty())
    return at(range);
  std::string legal;
  if (llvm::isDigit(name.front()))
    legal += '_';
  for (char letter : name)
    legal += llvm::isAlnum(letter) || letter == '_' ? letter : '_';
  return NameLoc::get(StringAttr::get(&context, legal), at(range));
}

} // namespace heed::mlirgen
