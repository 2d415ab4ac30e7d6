//===- JitProgram.h - a program compiled into this process -*- C++ -*------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_RANDOM_JITPROGRAM_H
#define HEED_TEST_RANDOM_JITPROGRAM_H

#include "heed/Runtime/Model.h"
#include "heed/Support/ErrorOr.h"
#include "heed/Verification/LoadedProgram.h"
#include "heed/Weights/WeightsFile.h"

#include <memory>
#include <string>

namespace heed {
class Compiler;
}

namespace heed::random_programs {

/// Checks a compiler's program, which uses no file and gets random weights.
bool checkText(Compiler &compiler);

/// One way to compile a program.
struct Setting {
  const char *isa = "avx2"; ///< as HEED_ISA spells it
  unsigned level = 2;       ///< 0 … 3
  bool fused = true;        ///< attention as one op, or its steps one by one
  const char *cacheType = "f32";
  bool invariant = false; ///< results don't depend on how a text is split, nor on the batch
  bool verifyEach = true; ///< the IR after every pass, which takes a quarter of the time

  std::string print() const;
};

/// The machine code of a program, by the same steps as `heed compile`, linked into this process.
class JitProgram {
public:
  static ErrorOr<std::unique_ptr<JitProgram>> compile(const std::string &text,
                                                      const Setting &setting);

  /// The program's one function.
  const heed_function &function() const { return code->artifact().functions[0]; }
  /// The model with these weights (null: it has none) and so many threads.
  ErrorOr<std::unique_ptr<heed_model>> open(const WeightsFile *weights, int threads) const;

private:
  JitProgram() = default;

  std::unique_ptr<verification::LoadedProgram> code;
};

} // namespace heed::random_programs

#endif // HEED_TEST_RANDOM_JITPROGRAM_H
