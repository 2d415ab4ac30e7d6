//===- Workers.cpp - checks many programs in processes of their own -------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workers.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heed::random_programs;

RandomProgram heed::random_programs::programOf(uint64_t seed) {
  Dice dice(seed);
  return RandomProgram::draw(dice);
}

namespace {

/// What a worker sends for each program: as much of the text as fits a pipe's atomic write.
struct Message {
  uint64_t seed = 0;
  bool isVerdict = false; ///< else the program's check begins
  double worstRatio = 0, worstError = 0;
  char failure[3000] = "";
};
static_assert(sizeof(Message) <= 4096, "messages of several workers must not mix");

using Clock = std::chrono::steady_clock;

/// A program takes a second of processor time, or some; one that takes this much, or waits this
/// long, hangs. A busy machine only makes it wait.
constexpr double kMostSeconds = 180;
constexpr std::chrono::minutes kLongestWait{60};

/// A process that checks programs.
struct Worker {
  pid_t process = -1;
  int pipe = -1;
  uint64_t current = 0;    ///< the seed of its latest program
  Clock::time_point begun; ///< when it last sent something
  double spent = 0;        ///< seconds of processor time that it had taken then
  bool isLate = false;     ///< and was ended
};

} // namespace

/// Seconds of processor time that a process has taken.
static double secondsOf(pid_t process) {
  clockid_t clock;
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0)
    return 0;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

static void noteMessage(Worker &worker) {
  worker.begun = Clock::now();
  worker.spent = secondsOf(worker.process);
}

static void send(int pipe, const Message &message) {
  if (write(pipe, &message, sizeof(message)) != sizeof(message))
    _exit(3);
}

/// Checks one program and reports on it.
static void checkAndSend(int pipe, const RandomProgram &program, uint64_t seed, Ways ways) {
  Message message;
  message.seed = seed;
  send(pipe, message);
  Verdict verdict = check(program, seed, ways);
  message.isVerdict = true;
  message.worstRatio = verdict.worstRatio;
  message.worstError = verdict.worstError;
  std::strncpy(message.failure, verdict.failure.c_str(), sizeof(message.failure) - 1);
  send(pipe, message);
}

static Worker start(const std::function<void(int pipe)> &work) {
  int ends[2];
  if (pipe(ends) != 0) {
    std::perror("pipe");
    std::exit(2);
  }
  std::fflush(nullptr);
  Worker worker;
  worker.process = fork();
  if (worker.process < 0) {
    std::perror("fork");
    std::exit(2);
  }
  if (worker.process == 0) {
    close(ends[0]);
    work(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  worker.pipe = ends[0];
  noteMessage(worker);
  return worker;
}

/// Ends a worker whose program takes too long; its pipe then closes.
static void endIfLate(Worker &worker) {
  if (worker.isLate || (Clock::now() - worker.begun < kLongestWait &&
                        secondsOf(worker.process) - worker.spent < kMostSeconds))
    return;
  worker.isLate = true;
  kill(worker.process, SIGKILL);
}

/// Waits a second at most for one of the workers' pipes.
static std::vector<pollfd> waitForAny(std::vector<Worker> &workers) {
  std::vector<pollfd> pipes;
  for (const Worker &worker : workers)
    pipes.push_back({worker.pipe, POLLIN, 0});
  poll(pipes.data(), pipes.size(), 1000);
  for (Worker &worker : workers)
    endIfLate(worker);
  return pipes;
}

/// The next message; false at the pipe's end.
static bool receive(int pipe, Message &message) {
  size_t done = 0;
  while (done < sizeof(message)) {
    ssize_t count = read(pipe, reinterpret_cast<char *>(&message) + done, sizeof(message) - done);
    if (count <= 0)
      return false;
    done += count;
  }
  return true;
}

/// How the process ended, if not as it should.
static std::string waitFor(Worker &worker) {
  int status = 0;
  close(worker.pipe);
  waitpid(worker.process, &status, 0);
  worker.process = -1;
  if (worker.isLate)
    return fmt::format("it takes more than {} seconds of processor time", kMostSeconds);
  if (WIFSIGNALED(status))
    return fmt::format("the process ended by signal {}", WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? ""
                                  : fmt::format("the process ended with {}", WEXITSTATUS(status));
}

Verdict heed::random_programs::checkApart(const RandomProgram &program, uint64_t seed, Ways ways) {
  Worker worker = start([&](int pipe) { checkAndSend(pipe, program, seed, ways); });
  std::vector<Worker> alone{worker};
  Message message;
  while (!message.isVerdict) {
    if (waitForAny(alone).front().revents && !receive(worker.pipe, message))
      break;
  }
  std::string ended = waitFor(alone.front());
  return {ended.empty() ? message.failure : ended, message.worstRatio, message.worstError};
}

Summary heed::random_programs::checkAll(uint64_t first, uint64_t count, int jobs, Ways ways,
                                        const std::function<void(const Summary &)> &progress) {
  Summary summary;
  uint64_t end = first + count;
  auto startFrom = [&](uint64_t seed) {
    Worker worker = start([&](int pipe) {
      for (uint64_t next = seed; next < end; next += jobs)
        checkAndSend(pipe, programOf(next), next, ways);
    });
    worker.current = seed;
    return worker;
  };
  std::vector<Worker> workers;
  for (int job = 0; job < jobs && first + job < end; ++job)
    workers.push_back(startFrom(first + job));

  while (!workers.empty()) {
    std::vector<pollfd> waiting = waitForAny(workers);
    for (size_t w = workers.size(); w-- > 0;) {
      if (!waiting[w].revents)
        continue;
      Worker &worker = workers[w];
      Message message;
      if (receive(worker.pipe, message)) {
        worker.current = message.seed;
        noteMessage(worker);
        if (!message.isVerdict)
          continue;
        ++summary.checked;
        summary.worstRatio = std::max(summary.worstRatio, message.worstRatio);
        summary.worstError = std::max(summary.worstError, message.worstError);
        if (*message.failure)
          summary.failures.push_back({message.seed, message.failure});
        progress(summary);
        continue;
      }
      std::string ended = waitFor(worker);
      uint64_t next = worker.current + jobs;
      bool wentOn = !ended.empty() && next < end;
      if (!ended.empty()) {
        ++summary.checked;
        summary.failures.push_back({worker.current, ended});
        progress(summary);
      }
      if (wentOn)
        worker = startFrom(next);
      else
        workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(w));
    }
  }
  return summary;
}

RandomProgram heed::random_programs::shrink(const RandomProgram &program, uint64_t seed,
                                            Ways ways) {
  RandomProgram smallest = program;
  // Each try compiles several times: enough for a tree of masks and all sizes.
  int triesLeft = 300;
  for (bool found = true; found && triesLeft > 0;) {
    found = false;
    for (const RandomProgram &candidate : smallest.simpler()) {
      if (--triesLeft < 0)
        break;
      // A program that is refused fails otherwise than one that computes something wrong.
      Verdict verdict = checkApart(candidate, seed, ways);
      if (verdict.ok() || verdict.failure.find("refused") != std::string::npos)
        continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}
