//===- Link.cpp - writes objects, shared libraries and executables --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Link.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

using namespace heed;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

/// A new file beside `wanted`, where a rename can't cross file systems.
static ErrorOr<std::string> createBeside(llvm::StringRef wanted, bool isProgram) {
  llvm::SmallString<128> model(wanted);
  // The user's umask applies, as to a file that the shell creates.
  unsigned mode = fs::all_read | fs::all_write | (isProgram ? fs::all_exe : 0);
  llvm::SmallString<128> found;
  int descriptor = -1;
  if (std::error_code error =
          fs::createUniqueFile(model + ".%%%%%%%%.part", descriptor, found, fs::OF_None, mode))
    return makeError("can't write '" + wanted.str() + "': " + error.message());
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true);
  return std::string(found);
}

bool heed::isSpecialFile(llvm::StringRef path) {
  fs::file_status status;
  return !fs::status(path, status) && fs::exists(status) && !fs::is_regular_file(status) &&
         !fs::is_directory(status);
}

static ErrorOr<void> moveInto(llvm::StringRef from, llvm::StringRef to) {
  if (std::error_code error = fs::rename(from, to)) {
    fs::remove(from);
    return makeError("can't write '" + to.str() + "': " + error.message());
  }
  return {};
}

/// Writes a file that is already there.
static ErrorOr<void> writeContents(llvm::StringRef path, llvm::StringRef contents) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path, error);
  if (!error) {
    stream << contents;
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  if (error)
    return makeError("can't write '" + path.str() + "': " + error.message());
  return {};
}

ErrorOr<void> heed::writeFile(llvm::StringRef path, llvm::StringRef contents, bool isProgram) {
  if (isSpecialFile(path))
    return writeContents(path, contents);
  auto part = createBeside(path, isProgram);
  if (!part)
    return part.error();
  if (auto written = writeContents(*part, contents); !written) {
    fs::remove(*part);
    return written.error();
  }
  return moveInto(*part, path);
}

ErrorOr<std::string> heed::findRuntimeFolder() {
  static int anchor;
  std::string program = fs::getMainExecutable("heed", &anchor);
  llvm::SmallString<128> prefix(path::parent_path(path::parent_path(program)));
  std::string tried;
  for (llvm::StringRef folder : {"lib", HEED_INSTALL_LIBDIR}) {
    llvm::SmallString<128> candidate(prefix);
    path::append(candidate, folder);
    llvm::SmallString<128> archive(candidate);
    path::append(archive, "libheed_rt.a");
    if (fs::exists(archive))
      return std::string(candidate);
    tried += (tried.empty() ? "" : " and ") + std::string(candidate);
  }
  return makeError("libheed_rt.a, which goes into every compiled model, is neither in " + tried +
                   ": build the target heed_rt, or install Heed again");
}

namespace {

/// A folder of files that are gone when it is.
class ScratchFolder {
public:
  ScratchFolder() = default;
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;
  ~ScratchFolder() {
    if (!folder.empty())
      fs::remove_directories(folder);
  }

  ErrorOr<std::string> add(llvm::StringRef name, llvm::StringRef contents) {
    if (folder.empty())
      if (std::error_code error = fs::createUniqueDirectory("heed", folder))
        return makeError("can't make a temporary folder: " + error.message());
    llvm::SmallString<128> file(folder);
    path::append(file, name);
    if (auto written = writeContents(file, contents); !written)
      return written.error();
    return std::string(file);
  }

private:
  llvm::SmallString<128> folder;
};

/// The compiler that is run to link.
class LinkDriver {
public:
  static ErrorOr<LinkDriver> find() {
    for (const char *name : {"clang-22", "clang", "cc", "gcc"})
      if (auto program = llvm::sys::findProgramByName(name))
        return LinkDriver(*program);
    return makeError("no C compiler to link with was found on PATH: install clang or gcc, or write "
                     "an object with -o NAME.o and link it yourself");
  }

  /// The file that the driver takes for `-l:name`, if the system has it.
  std::optional<std::string> findFile(llvm::StringRef name) const {
    std::string output;
    if (!run({"-print-file-name=" + name.str()}, output))
      return std::nullopt;
    llvm::StringRef found = llvm::StringRef(output).trim();
    if (!path::is_absolute(found) || !fs::exists(found))
      return std::nullopt;
    return found.str();
  }

  ErrorOr<void> link(llvm::ArrayRef<std::string> arguments) const {
    std::string output;
    if (run(arguments, output))
      return {};
    llvm::StringRef text = llvm::StringRef(output).trim();
    return makeError("linking with '" + program + "' failed" + (text.empty() ? "" : ":\n") +
                     text.str());
  }

private:
  explicit LinkDriver(std::string program) : program(std::move(program)) {}

  /// Runs the driver; `output` is all that it printed.
  bool run(llvm::ArrayRef<std::string> arguments, std::string &output) const {
    llvm::SmallString<128> log;
    if (std::error_code error = fs::createTemporaryFile("heed-link", "log", log)) {
      output = "can't make a temporary file: " + error.message();
      return false;
    }
    auto cleanUp = llvm::scope_exit([&] { fs::remove(log); });
    std::vector<llvm::StringRef> command = {program};
    llvm::append_range(command, arguments);
    std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(log),
                                                  llvm::StringRef(log)};
    std::string failure;
    int status = llvm::sys::ExecuteAndWait(program, command, std::nullopt, redirects,
                                           /*SecondsToWait=*/0, /*MemoryLimit=*/0, &failure);
    if (auto buffer = llvm::MemoryBuffer::getFile(log))
      output = (*buffer)->getBuffer().str();
    output += failure;
    return status == 0;
  }

  std::string program;
};

} // namespace

/// What libraries and executables have in common. The archives stand after the objects that need
/// them.
static ErrorOr<std::vector<std::string>> commonArguments(const LinkInput &input,
                                                         const LinkDriver &driver,
                                                         ScratchFolder &scratch, bool isProgram) {
  std::vector<std::string> arguments;
  for (auto [number, object] : llvm::enumerate(input.objects)) {
    auto file = scratch.add("model" + std::to_string(number) + ".o", object);
    if (!file)
      return file.error();
    arguments.push_back(*file);
  }
  for (llvm::StringRef archive : {"libheed_rt_main.a", "libheed_rt.a"}) {
    if (!isProgram && archive == "libheed_rt_main.a")
      continue;
    llvm::SmallString<128> file(input.runtimeFolder);
    path::append(file, archive);
    if (!fs::exists(file))
      return makeError("'" + std::string(file) +
                       "' is missing: build the target heed_rt, or "
                       "install Heed again");
    arguments.emplace_back(file);
  }
  // The runtime is C++; its library goes inside too where the system has it as an archive.
  if (auto archive = driver.findFile("libstdc++.a")) {
    arguments.push_back(*archive);
    arguments.push_back("-static-libgcc");
  } else {
    arguments.push_back("-lstdc++");
  }
  for (const char *flag : {"-lm", "-pthread", "-s", "-Wl,--gc-sections", "-Wl,-z,relro",
                           "-Wl,-z,now", "-Wl,-z,noexecstack", "-Wl,--as-needed"})
    arguments.push_back(flag);
  if (llvm::sys::findProgramByName("ld.lld"))
    arguments.push_back("-fuse-ld=lld");
  return arguments;
}

static ErrorOr<void> linkTo(llvm::StringRef path, const LinkDriver &driver,
                            std::vector<std::string> arguments) {
  if (isSpecialFile(path))
    return makeError("can't link to '" + path.str() +
                     "': it is no ordinary file; name one with -o");
  auto part = createBeside(path, /*isProgram=*/true);
  if (!part)
    return part.error();
  arguments.push_back("-o");
  arguments.push_back(*part);
  if (auto linked = driver.link(arguments); !linked) {
    fs::remove(*part);
    return linked.error();
  }
  return moveInto(*part, path);
}

ErrorOr<void> heed::linkLibrary(const LinkInput &input, llvm::ArrayRef<std::string> symbols,
                                llvm::StringRef path) {
  auto driver = LinkDriver::find();
  if (!driver)
    return driver.error();
  ScratchFolder scratch;
  auto arguments = commonArguments(input, *driver, scratch, /*isProgram=*/false);
  if (!arguments)
    return arguments.error();
  std::string script = "{\n  global:\n";
  for (const std::string &symbol : symbols)
    script += "    " + symbol + ";\n";
  script += "  local: *;\n};\n";
  auto scriptFile = scratch.add("exports.map", script);
  if (!scriptFile)
    return scriptFile.error();
  arguments->insert(arguments->begin(), "-shared");
  arguments->push_back("-Wl,--version-script=" + *scriptFile);
  // An unresolved symbol is found now rather than when the library is opened.
  arguments->push_back("-Wl,--no-undefined");
  return linkTo(path, *driver, std::move(*arguments));
}

ErrorOr<void> heed::linkExecutable(const LinkInput &input, llvm::StringRef path) {
  auto driver = LinkDriver::find();
  if (!driver)
    return driver.error();
  ScratchFolder scratch;
  auto arguments = commonArguments(input, *driver, scratch, /*isProgram=*/true);
  if (!arguments)
    return arguments.error();
  arguments->push_back("-pie");
  return linkTo(path, *driver, std::move(*arguments));
}
