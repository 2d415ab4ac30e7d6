//===- WeightNames.h - the names of stored tensors ------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_SEMA_WEIGHTNAMES_H
#define HEED_LIB_FRONTEND_SEMA_WEIGHTNAMES_H

#include "Module.h"

namespace heed::sema {

/// Fills the pattern of `list` in for its weight number `position`: `{name}`, `{a,b}`, and
/// `{variable}`, which becomes "{l}" and which `needsLayer` demands. Without a pattern the tensor
/// has the weight's own name. False, with an error, where that doesn't work out.
bool fillPattern(Module &module, const ast::Weight &list, size_t position,
                 const std::string &variable, bool needsLayer, std::string &tensor);

/// A tensor's name with "{l}" replaced by a layer's number.
std::string tensorOfLayer(std::string_view tensor, int64_t layer);

} // namespace heed::sema

#endif // HEED_LIB_FRONTEND_SEMA_WEIGHTNAMES_H
