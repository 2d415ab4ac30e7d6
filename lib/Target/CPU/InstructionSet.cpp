//===- InstructionSet.cpp - the x86-64 instruction sets to compile for ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/InstructionSet.h"

#include "heed/Runtime/Artifact.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"

#include <set>

using namespace heed;

// Levels v3 and v4 of the x86-64 psABI; the dot products are extensions that a
// processor of level 4 may lack.
static constexpr InstructionSet kInstructionSets[] = {
    {"avx512bf16", HEED_AVX2_FMA_F16C | HEED_AVX512 | HEED_AVX512_VNNI | HEED_AVX512_BF16,
     "x86-64-v4", "+avx512vnni,+avx512bf16", 512},
    {"avx512vnni", HEED_AVX2_FMA_F16C | HEED_AVX512 | HEED_AVX512_VNNI, "x86-64-v4", "+avx512vnni",
     512},
    {"avx512", HEED_AVX2_FMA_F16C | HEED_AVX512, "x86-64-v4", "", 512},
    {"avx2vnni", HEED_AVX2_FMA_F16C | HEED_AVX_VNNI, "x86-64-v3", "+avxvnni", 256},
    {"avx2", HEED_AVX2_FMA_F16C, "x86-64-v3", "", 256},
};

llvm::ArrayRef<InstructionSet> heed::allInstructionSets() { return kInstructionSets; }

ErrorOr<const InstructionSet *> heed::hostInstructionSet() {
  auto host = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<llvm::StringRef> names) {
    return llvm::all_of(names, [&](llvm::StringRef name) { return host.lookup(name); });
  };
  uint64_t features = 0;
  if (has({"avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe"}))
    features |= HEED_AVX2_FMA_F16C;
  if (has({"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}))
    features |= HEED_AVX512;
  if (has({"avx512vnni"}))
    features |= HEED_AVX512_VNNI;
  if (has({"avx512bf16"}))
    features |= HEED_AVX512_BF16;
  if (has({"avxvnni"}))
    features |= HEED_AVX_VNNI;
  for (const InstructionSet &set : kInstructionSets)
    if ((set.features & features) == set.features)
      return &set;
  return makeError("this processor lacks AVX2, FMA or F16C, which compiled models need: compile "
                   "for another machine with a named instruction set such as avx2");
}

ErrorOr<std::vector<const InstructionSet *>> heed::parseInstructionSets(llvm::StringRef names) {
  std::set<const InstructionSet *> chosen; // the table's order is best first
  llvm::SmallVector<llvm::StringRef> parts;
  names.split(parts, ',');
  for (llvm::StringRef part : parts) {
    llvm::StringRef name = part.trim();
    if (name == "host") {
      ErrorOr<const InstructionSet *> host = hostInstructionSet();
      if (!host)
        return host.error();
      chosen.insert(*host);
    } else if (name == "all") {
      for (const InstructionSet &set : kInstructionSets)
        chosen.insert(&set);
    } else {
      const auto *found =
          llvm::find_if(kInstructionSets, [&](const auto &set) { return name == set.name; });
      if (found == std::end(kInstructionSets))
        return makeError(
            ("there is no instruction set '" + name + "': expected host, all, " +
             llvm::join(llvm::map_range(kInstructionSets,
                                        [](const auto &set) { return std::string(set.name); }),
                        ", "))
                .str());
      chosen.insert(found);
    }
  }
  return std::vector<const InstructionSet *>(chosen.begin(), chosen.end());
}
