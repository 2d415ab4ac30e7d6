//===- LoadedObject.cpp - an object file's code in this process -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/LoadedObject.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Runtime/Memory.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

using namespace heed::verification;

LoadedObject::LoadedObject(std::unique_ptr<llvm::orc::LLJIT> jit) : jit(std::move(jit)) {}

LoadedObject::~LoadedObject() = default;

/// They are hidden in this program, so that a JIT can't find them by name.
static const NamedFunction kRuntime[] = {
    {"heed_run_team", reinterpret_cast<void *>(&heed_run_team)},
    {"heed_run_tasks", reinterpret_cast<void *>(&heed_run_tasks)},
    {"heed_alloc", reinterpret_cast<void *>(&heed_alloc)},
    {"heed_free", reinterpret_cast<void *>(&heed_free)},
    {"_mlir_memref_to_llvm_alloc", reinterpret_cast<void *>(&_mlir_memref_to_llvm_alloc)},
    {"_mlir_memref_to_llvm_aligned_alloc",
     reinterpret_cast<void *>(&_mlir_memref_to_llvm_aligned_alloc)},
    {"_mlir_memref_to_llvm_free", reinterpret_cast<void *>(&_mlir_memref_to_llvm_free)},
    {"memrefCopy", reinterpret_cast<void *>(&memrefCopy)}};

llvm::Expected<std::unique_ptr<LoadedObject>>
LoadedObject::load(llvm::StringRef bytes, llvm::ArrayRef<NamedFunction> others) {
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  llvm::orc::JITDylib &library = (*jit)->getMainJITDylib();
  auto system = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      (*jit)->getDataLayout().getGlobalPrefix());
  if (!system)
    return system.takeError();
  library.addGenerator(std::move(*system));
  llvm::orc::SymbolMap symbols;
  // Later ones replace earlier ones.
  for (llvm::ArrayRef<NamedFunction> functions : {llvm::ArrayRef(kRuntime), others})
    for (auto [name, address] : functions)
      symbols[(*jit)->mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                                                llvm::JITSymbolFlags::Exported};
  if (auto failed = library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return std::move(failed);
  if (auto failed = (*jit)->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(bytes)))
    return std::move(failed);
  return std::unique_ptr<LoadedObject>(new LoadedObject(std::move(*jit)));
}

llvm::Expected<void *> LoadedObject::find(llvm::StringRef symbol) {
  auto address = jit->lookup(symbol);
  if (!address)
    return address.takeError();
  return address->toPtr<void *>();
}
