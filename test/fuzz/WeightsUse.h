//===- WeightsUse.h - everything that a model does with a weights file ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_FUZZ_WEIGHTSUSE_H
#define HEED_TEST_FUZZ_WEIGHTSUSE_H

#include "heed/Weights/Dequantize.h"
#include "heed/Weights/PanelLayout.h"
#include "heed/Weights/WeightsFile.h"

#include <cstdlib>
#include <cstring>
#include <vector>

namespace heed {

/// Reads every tensor of `file` in every way and compares them: ends the process where packed
/// numbers differ from dequantised ones.
inline void useWeights(const WeightsFile &file) {
  for (const TensorInfo &tensor : file.tensors()) {
    ErrorOr<std::span<const std::byte>> data = file.data(tensor);
    ErrorOr<StorageType> storage = supportedStorage(tensor);
    if (!data || file.find(tensor.name) != &tensor)
      std::abort();
    if (!storage)
      continue;
    const int64_t elements = tensor.elements();
    const int64_t cols = tensor.shape.empty() ? 1 : tensor.shape.back();
    const int64_t rows = elements / cols;
    std::vector<float> values(static_cast<size_t>(elements));
    dequantize(*storage, data->data(), elements, values.data());
    const PanelLayout layout = panelLayout(*storage);
    std::vector<std::byte> panels(static_cast<size_t>(panelBytes(layout, rows, cols)));
    packPanels(*storage, layout, data->data(), rows, cols, panels.data(), 0, layout.panels(rows));
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c) {
        float packed = panelElement(layout, panels.data(), rows, cols, r, c);
        float plain = values[static_cast<size_t>(r * cols + c)];
        if (packed != plain && (packed == packed || plain == plain)) // not both NaN
          std::abort();
      }
  }
}

} // namespace heed

#endif // HEED_TEST_FUZZ_WEIGHTSUSE_H
