//===- NativeCheck.cpp - whether code computes what the formulas say ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Verification/NativeCheck.h"

#include "NativeCode.h"

#include "heed/Runtime/Cpu.h"
#include "heed/Runtime/Pool.h"

#include <csignal>
#include <cstring>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace heed;
using namespace heed::verification;

void WeightTable::Free::operator()(void *memory) const { std::free(memory); }

llvm::Expected<WeightTable> WeightTable::make(ModuleOp module, reference::WeightSource &source) {
  WeightTable table;
  for (auto weight : module.getOps<attn::WeightOp>())
    for (int64_t layer = 0, count = std::max<int64_t>(1, weight.getLayers()); layer != count;
         ++layer) {
      auto bytes = packWeight(source, weight, layer);
      if (!bytes)
        return bytes.takeError();
      size_t rounded = (bytes->size() / 64 + 1) * 64;
      void *memory = std::aligned_alloc(64, rounded);
      if (!memory)
        return llvm::createStringError("out of memory: the weights need more");
      std::memcpy(memory, bytes->data(), bytes->size());
      table.memory.emplace_back(memory);
      table.bases.push_back(memory);
    }
  return table;
}

bool verification::machineHas(const InstructionSet &set) {
  return (cpuFeatures() & set.features) == set.features;
}

namespace {
/// What the process that runs code leaves for the one that waits.
struct Outcome {
  bool isDone;
  size_t function; ///< the one that runs
  Verdict::Kind kind;
  double worst, error, allowed;
  size_t input, split;
  unsigned result;
  char failure[256];
};

/// Memory that both processes see.
class SharedOutcome {
public:
  SharedOutcome()
      : outcome(static_cast<Outcome *>(mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SharedOutcome() {
    if (isValid())
      munmap(outcome, sizeof(Outcome));
  }
  bool isValid() const { return outcome != MAP_FAILED; }
  Outcome *operator->() const { return outcome; }

private:
  Outcome *outcome;
};
} // namespace

/// How far code may be off. Nothing visible, all scores equal and so on are exact in f32 too.
static double codeBudget(const NumericChecker::Case &tried) {
  return std::max(ErrorBudget::kCode, ErrorBudget::kCodeFactor * tried.roundingError);
}

/// Runs all functions and never returns.
[[noreturn]] static void runInChild(NativeCode &code, NumericChecker &checker,
                                    const WeightTable &weights, const NativeOptions &options,
                                    SharedOutcome &outcome) {
  alarm(options.seconds);
  auto fail = [&](const std::string &message) {
    outcome->kind = Verdict::Kind::Unknown;
    std::strncpy(outcome->failure, message.c_str(), sizeof(outcome->failure) - 1);
    outcome->isDone = true;
    _exit(0);
  };
  auto pool = Pool::create(options.threads);
  if (!pool)
    fail(pool.message());
  heed_context context{weights.addresses(), pool->get()};
  for (auto [number, function] : llvm::enumerate(checker.functions())) {
    outcome->function = number;
    auto entry = code.entry(function.program.name);
    if (!entry)
      fail(llvm::toString(entry.takeError()));
    NativeForm form(function.program, *entry, context);
    Verdict verdict = checker.compare(form, function, codeBudget, [&](size_t input, size_t split) {
      outcome->input = input;
      outcome->split = split;
    });
    outcome->worst = std::max(outcome->worst, verdict.worst);
    if (verdict.kind == Verdict::Kind::Agrees)
      continue;
    outcome->kind = verdict.kind;
    outcome->error = verdict.difference.error;
    outcome->allowed = verdict.difference.allowed;
    outcome->result = verdict.difference.result;
    std::strncpy(outcome->failure, verdict.difference.failure.c_str(),
                 sizeof(outcome->failure) - 1);
    break;
  }
  outcome->isDone = true;
  _exit(0);
}

Verdict verification::checkNatively(ModuleOp module, const InstructionSet &set,
                                    NumericChecker &checker, const WeightTable &weights,
                                    const NativeOptions &options) {
  Verdict verdict;
  auto unknown = [&](std::string reason) {
    verdict.kind = Verdict::Kind::Unknown;
    verdict.reason = std::move(reason);
    return verdict;
  };
  std::vector<std::string> names;
  for (const NumericChecker::Function &function : checker.functions())
    names.push_back(function.program.name);
  auto code = NativeCode::make(module, set, names, options.level);
  if (!code)
    return unknown(llvm::toString(code.takeError()));
  // Before the process divides, so that only code runs in the child.
  for (const std::string &name : names)
    if (auto entry = (*code)->entry(name); !entry)
      return unknown(llvm::toString(entry.takeError()));
  SharedOutcome outcome;
  if (!outcome.isValid())
    return unknown(std::string("no shared memory: ") + std::strerror(errno));

  pid_t child = fork();
  if (child < 0)
    return unknown(std::string("no process to run code in: ") + std::strerror(errno));
  if (child == 0)
    runInChild(**code, checker, weights, options, outcome);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  verdict.kind = outcome->kind;
  verdict.worst = outcome->worst;
  Difference &difference = verdict.difference;
  difference.function = names[outcome->function];
  difference.input = outcome->input;
  if (checker.functions()[outcome->function].program.isStep)
    difference.split = outcome->split;
  difference.result = outcome->result;
  difference.error = outcome->error;
  difference.allowed = outcome->allowed;
  difference.failure = outcome->failure;
  if (verdict.kind == Verdict::Kind::Unknown)
    verdict.reason = outcome->failure;
  if (!outcome->isDone) {
    verdict.kind = Verdict::Kind::Differs;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    difference.failure =
        signal == SIGALRM ? "the code didn't end within " + std::to_string(options.seconds) + " s"
                          : "the code crashed with signal " + std::to_string(signal);
  }
  return verdict;
}
