//===- Fixture.h - stored blocks and what they mean -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_WEIGHTS_FIXTURE_H
#define HEED_TEST_UNIT_WEIGHTS_FIXTURE_H

#include "heed/Weights/StorageType.h"

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace heed {

/// fixtures/TYPE.bin, written by make_fixtures.py with ggml's own Python package.
struct Fixture {
  std::vector<std::byte> stored;
  std::vector<float> meaning;

  explicit Fixture(StorageType type) {
    StorageInfo info = storageInfo(type);
    std::ifstream file(std::string(HEED_TEST_SOURCE_DIR "/unit/Weights/fixtures/") +
                           std::string(info.name) + ".bin",
                       std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    size_t blocks = bytes.size() / static_cast<size_t>(info.blockBytes + 4 * info.blockElements);
    stored.resize(blocks * static_cast<size_t>(info.blockBytes));
    meaning.resize(blocks * static_cast<size_t>(info.blockElements));
    std::memcpy(stored.data(), bytes.data(), stored.size());
    std::memcpy(meaning.data(), bytes.data() + stored.size(), meaning.size() * sizeof(float));
  }
};

} // namespace heed

#endif // HEED_TEST_UNIT_WEIGHTS_FIXTURE_H
