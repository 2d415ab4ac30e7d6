//===- SquareTile.h - a 16 x 16 tile, transposed in registers -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_WEIGHTS_SQUARETILE_H
#define HEED_LIB_WEIGHTS_SQUARETILE_H

#include <cstdint>
#include <cstring>

namespace heed {

/// Sixteen rows of sixteen integers. Packing spends most of its time turning rows into columns, and
/// storing elements one by one is several times slower than this.
template <typename Element> class SquareTile {
public:
  /// Where the sixteen elements of row `index` are to be written.
  void *row(int index) { return &vectors[index]; }

  /// Writes 256 elements: element [column][row].
  ///
  /// Interleaving vectors i and i + 8 rotates the eight bits of an element's address (row, column)
  /// by one place; after four rounds, row and column have changed places.
  void storeTransposed(uint8_t *dst) const {
    Vector a[16], b[16];
    interleave(vectors, a);
    interleave(a, b);
    interleave(b, a);
    interleave(a, b);
    std::memcpy(dst, b, sizeof b);
  }

private:
  typedef Element Vector __attribute__((vector_size(16 * sizeof(Element))));

  static void interleave(const Vector *in, Vector *out) {
    for (int i = 0; i < 8; ++i) {
      out[2 * i] = __builtin_shufflevector(in[i], in[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                           21, 6, 22, 7, 23);
      out[2 * i + 1] = __builtin_shufflevector(in[i], in[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                               28, 13, 29, 14, 30, 15, 31);
    }
  }

  Vector vectors[16];
};

} // namespace heed

#endif // HEED_LIB_WEIGHTS_SQUARETILE_H
