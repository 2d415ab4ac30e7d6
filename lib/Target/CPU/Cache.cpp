//===- Cache.cpp - compiled models, found again by their content ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Cache.h"

#include "heed/Target/CPU/Link.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <chrono>
#include <vector>

using namespace heed;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

/// A file's size and time, which change whenever it is built anew.
static std::string stamp(llvm::StringRef file) {
  fs::file_status status;
  if (fs::status(file, status))
    return "absent";
  return llvm::utostr(status.getSize()) + "@" +
         llvm::itostr(status.getLastModificationTime().time_since_epoch().count());
}

/// The compiler and what it links artefacts with.
static const std::string &compilerIdentity() {
  static const std::string identity = [] {
    static int anchor;
    std::string text = stamp(fs::getMainExecutable("heed", &anchor));
    if (auto folder = findRuntimeFolder())
      for (const char *archive : {"/libheed_rt.a", "/libheed_rt_main.a"})
        text += " " + stamp(*folder + archive);
    return text;
  }();
  return identity;
}

CacheKey::CacheKey() { add("compiler", compilerIdentity()); }

CacheKey &CacheKey::add(llvm::StringRef label, llvm::StringRef value) {
  for (llvm::StringRef part : {label, value}) {
    hash.update(llvm::utostr(part.size()) + ":");
    hash.update(part);
  }
  return *this;
}

CacheKey &CacheKey::add(llvm::StringRef label, int64_t value) {
  return add(label, llvm::itostr(value));
}

std::string CacheKey::digest() const {
  llvm::SHA256 copy = hash; // final() ends a hash
  return llvm::toHex(copy.final(), /*LowerCase=*/true);
}

ErrorOr<ArtifactCache> ArtifactCache::openDefault() {
  llvm::SmallString<128> folder;
  // The XDG base directory specification: a path that isn't absolute is to be ignored.
  auto xdg = llvm::sys::Process::GetEnv("XDG_CACHE_HOME");
  if (xdg && path::is_absolute(*xdg)) {
    folder = *xdg;
  } else if (path::home_directory(folder)) {
    path::append(folder, ".cache");
  } else {
    return makeError("there is no folder for compiled models: set XDG_CACHE_HOME or HOME");
  }
  path::append(folder, "heed");
  return ArtifactCache(std::string(folder));
}

ArtifactCache::ArtifactCache(std::string folder, uint64_t maxBytes)
    : folder(std::move(folder)), maxBytes(maxBytes) {}

std::string ArtifactCache::pathOf(const CacheKey &key, llvm::StringRef extension) const {
  llvm::SmallString<128> file(folder);
  path::append(file, key.digest() + extension.str());
  return std::string(file);
}

std::optional<std::string> ArtifactCache::lookup(const CacheKey &key,
                                                 llvm::StringRef extension) const {
  std::string file = pathOf(key, extension);
  int descriptor = -1;
  if (fs::openFileForReadWrite(file, descriptor, fs::CD_OpenExisting, fs::OF_None))
    return std::nullopt;
  fs::file_t handle = fs::convertFDToNativeFile(descriptor);
  (void)fs::setLastAccessAndModificationTime(descriptor, std::chrono::system_clock::now());
  fs::closeFile(handle);
  return file;
}

ErrorOr<std::string>
ArtifactCache::store(const CacheKey &key, llvm::StringRef extension,
                     const std::function<ErrorOr<void>(llvm::StringRef path)> &write) const {
  if (std::error_code error =
          fs::create_directories(folder, /*IgnoreExisting=*/true, fs::owner_all))
    return makeError("can't make the folder for compiled models, '" + folder +
                     "': " + error.message() + "; set XDG_CACHE_HOME to one that can be written");
  std::string file = pathOf(key, extension);
  if (auto written = write(file); !written)
    return written.error();
  evict(file);
  return file;
}

void ArtifactCache::evict(llvm::StringRef kept) const {
  struct Entry {
    llvm::sys::TimePoint<> time;
    uint64_t size;
    std::string path;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; it != end && !error; it.increment(error)) {
    fs::file_status status;
    if (fs::status(it->path(), status) || status.type() != fs::file_type::regular_file)
      continue;
    total += status.getSize();
    if (it->path() != kept)
      entries.push_back({status.getLastModificationTime(), status.getSize(), it->path()});
  }
  llvm::sort(entries, [](const Entry &a, const Entry &b) { return a.time < b.time; });
  for (const Entry &entry : entries) {
    if (total <= maxBytes)
      break;
    // Another process may have been faster.
    (void)fs::remove(entry.path);
    total -= entry.size;
  }
}
