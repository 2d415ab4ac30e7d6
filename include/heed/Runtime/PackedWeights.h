//===- PackedWeights.h - a model's weights as its code reads them -*- C++ -*-=//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_RUNTIME_PACKEDWEIGHTS_H
#define HEED_RUNTIME_PACKEDWEIGHTS_H

#include "heed/Runtime/Memory.h"
#include "heed/Runtime/Pool.h"
#include "heed/Runtime/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace heed {

class WeightsFile;

/// All weights of one model, packed or dequantised once, in one region of memory.
class PackedWeights {
public:
  /// Finds every weight of `artifact` in `file`, checks it and lays it out, on all threads of
  /// `pool`. Two weights that are the same tensor in the same layout share their memory. The file
  /// is not needed afterwards, and may be null where there are no weights. Errors name the tensor,
  /// what was found and what was expected.
  ///
  /// Where `packedFolder` isn't empty, what was laid out is kept in a file there, and the next time
  /// that file is mapped instead, unless the weights or the program have changed since
  /// or there is little to lay out. Whatever
  /// goes wrong with it is no error: then the weights are laid out anew.
  Status load(const heed_artifact &artifact, const WeightsFile *file, Pool &pool,
              const std::string &packedFolder = {});

  /// The addresses as heed_context has them.
  const void *const *addresses() const { return bases.data(); }
  int64_t bytes() const { return memory.size(); }
  /// Whether they were laid out by an earlier load, and mapped from its file.
  bool isMapped() const { return mapped; }

private:
  Region memory;
  std::vector<const void *> bases;
  bool mapped = false;
};

/// The folder for packed weights that the environment's HEED_PACKED names: "on" is that of the
/// user's cache ($XDG_CACHE_HOME/heed/packed, else ~/.cache/heed/packed), "off" none, anything else
/// a folder. Where it isn't set, `otherwise` stands for it. Empty where there is to be none.
std::string packedFolder(std::string_view otherwise);

/// `pattern` with every "{l}" replaced by `layer`.
std::string tensorName(std::string_view pattern, int64_t layer);

} // namespace heed

#endif // HEED_RUNTIME_PACKEDWEIGHTS_H
