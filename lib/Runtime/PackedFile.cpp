//===- PackedFile.cpp - packed weights kept in a file ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedFile.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace heed;

namespace {

constexpr int64_t kPage = 4096;
constexpr std::string_view kExtension = ".packed";
constexpr std::string_view kUnfinished = ".unfinished";

/// An unfinished file that nobody has written to for so many seconds is of a process that died.
constexpr time_t kAbandonedAfter = 3600;

/// So much is written at once: large enough that the page cache takes it in huge pages.
constexpr size_t kWriteBytes = size_t{16} << 20;

/// Closes itself.
class Descriptor {
public:
  explicit Descriptor(int number) : number(number) {}
  ~Descriptor() {
    if (number >= 0)
      ::close(number);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  operator int() const { return number; }
  /// False where the system reports that something was not written.
  bool close() { return ::close(std::exchange(number, -1)) == 0; }

private:
  int number;
};

bool readAll(int descriptor, char *to, size_t size, int64_t offset) {
  while (size > 0) {
    ssize_t got = ::pread(descriptor, to, size, offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    to += got;
    size -= static_cast<size_t>(got);
    offset += got;
  }
  return true;
}

bool writeAll(int descriptor, const char *from, size_t size) {
  while (size > 0) {
    ssize_t put = ::write(descriptor, from, std::min(size, kWriteBytes));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    from += put;
    size -= static_cast<size_t>(put);
  }
  return true;
}

/// Makes a folder that only this user may look into, and those above it.
bool makeFolder(const std::string &path) {
  if (::mkdir(path.c_str(), 0700) == 0)
    return true;
  if (errno == EEXIST)
    return true; // if it is no folder, making a file in it fails
  size_t slash = path.rfind('/');
  return errno == ENOENT && slash != std::string::npos && slash > 0 &&
         makeFolder(path.substr(0, slash)) && ::mkdir(path.c_str(), 0700) == 0;
}

} // namespace

uint64_t heed::fingerprint(std::string_view bytes, uint64_t hash) {
  for (unsigned char byte : bytes)
    hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

PackedFile::PackedFile(std::string folder, std::string_view subject, std::string description,
                       int64_t bytes)
    : folder(std::move(folder)), description(std::move(description)), bytes(bytes),
      descriptionOffset((bytes + kPage - 1) / kPage * kPage) {
  filePath = fmt::format("{}/{:016x}{}", this->folder, fingerprint(subject), kExtension);
}

bool PackedFile::map(Region &memory) const {
  // Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever.
  Descriptor file(::open(filePath.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status;
  if (file < 0 || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      status.st_size != descriptionOffset + static_cast<int64_t>(description.size()))
    return false;
  std::string found(description.size(), '\0');
  if (!readAll(file, found.data(), found.size(), descriptionOffset) || found != description)
    return false;
  // What was used last is removed last.
  struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  ::futimens(file, times);
  return memory.mapFile(file, bytes);
}

bool PackedFile::fill(int descriptor, const Region &memory) const {
  const std::string zeros(static_cast<size_t>(descriptionOffset - bytes), '\0');
  return writeAll(descriptor, reinterpret_cast<const char *>(memory.data()),
                  static_cast<size_t>(bytes)) &&
         writeAll(descriptor, zeros.data(), zeros.size()) &&
         writeAll(descriptor, description.data(), description.size());
}

bool PackedFile::write(const Region &memory) const {
  struct statvfs disk;
  if (memory.size() != bytes || !makeFolder(folder) || ::statvfs(folder.c_str(), &disk) != 0)
    return false;
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  if (bytes > kMostBytes || static_cast<double>(bytes) > free / 2)
    return false;
  // A name of its own for every writer, of this process and others.
  static std::atomic<unsigned> serial{0};
  const std::string unfinished =
      fmt::format("{}.{}.{}{}", filePath, ::getpid(), serial.fetch_add(1), kUnfinished);
  Descriptor file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                         S_IRUSR | S_IWUSR));
  if (file < 0)
    return false;
  if (!fill(file, memory) || !file.close() || ::rename(unfinished.c_str(), filePath.c_str()) != 0) {
    ::unlink(unfinished.c_str());
    return false;
  }
  evict();
  return true;
}

void PackedFile::evict() const {
  namespace fs = std::filesystem;
  struct Entry {
    std::string path;
    time_t used;
    int64_t size;
  };
  std::vector<Entry> entries;
  int64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string path = it->path().string();
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
      continue;
    if (path.ends_with(kUnfinished)) {
      if (::time(nullptr) - status.st_mtime > kAbandonedAfter)
        ::unlink(path.c_str());
    } else if (path.ends_with(kExtension)) {
      total += status.st_size;
      if (path != filePath)
        entries.push_back({path, status.st_mtime, status.st_size});
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.used < b.used; });
  for (const Entry &entry : entries) {
    if (total <= kMostBytes)
      break;
    ::unlink(entry.path.c_str()); // another process may have been faster
    total -= entry.size;
  }
}
