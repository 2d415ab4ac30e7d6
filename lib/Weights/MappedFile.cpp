//===- MappedFile.cpp - a file's bytes, mapped read-only ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/MappedFile.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heed {

namespace {

Error systemError(const std::string &path, const char *action) {
  return makeError(fmt::format("{}: cannot {}: {}", path, action, std::strerror(errno)));
}

const char *kindOf(mode_t mode) {
  if (S_ISDIR(mode))
    return "a folder";
  if (S_ISFIFO(mode))
    return "a pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode))
    return "a device";
  return "not a regular file";
}

} // namespace

ErrorOr<std::unique_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  std::unique_ptr<MappedFile> file(new MappedFile(path));
  // Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever.
  file->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->descriptor < 0)
    return systemError(path, "open the file");
  struct stat status;
  if (::fstat(file->descriptor, &status) != 0)
    return systemError(path, "read the file's size");
  if (!S_ISREG(status.st_mode))
    return makeError(fmt::format("{}: this is {}, expected a regular file, because files are "
                                 "mapped into memory; save it to a file first",
                                 path, kindOf(status.st_mode)));
  if (status.st_size == 0)
    return makeError(fmt::format("{}: the file is empty; download it again", path));
  size_t size = static_cast<size_t>(status.st_size);
  void *mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->descriptor, 0);
  if (mapping == MAP_FAILED)
    return systemError(path, "map the file into memory");
  file->view = {static_cast<const std::byte *>(mapping), size};
  return file;
}

std::unique_ptr<MappedFile> MappedFile::fromBytes(std::span<const std::byte> bytes,
                                                  std::string path) {
  std::unique_ptr<MappedFile> file(new MappedFile(std::move(path)));
  file->copy.assign(bytes.begin(), bytes.end());
  file->view = file->copy;
  return file;
}

MappedFile::~MappedFile() {
  if (descriptor < 0)
    return;
  if (!view.empty())
    ::munmap(const_cast<std::byte *>(view.data()), view.size());
  ::close(descriptor);
}

ErrorOr<void> MappedFile::checkSize() const {
  if (descriptor < 0)
    return {};
  struct stat status;
  if (::fstat(descriptor, &status) != 0)
    return systemError(filePath, "read the file's size");
  if (static_cast<size_t>(status.st_size) < view.size())
    return makeError(fmt::format("{}: the file has shrunk from {} to {} bytes since it was opened; "
                                 "leave it alone while a model runs",
                                 filePath, view.size(), status.st_size));
  return {};
}

std::string MappedFile::identity() const {
  struct stat status;
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0)
    return {};
  // The time of the last change of any kind can't be set back, as that of the last writing can.
  return fmt::format("device {} file {} size {} written {}.{:09} changed {}.{:09}", status.st_dev,
                     status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

void MappedFile::releasePages() const {
  // Only of a file: a private copy's pages would come back as zeros.
  if (descriptor >= 0)
    ::madvise(const_cast<std::byte *>(view.data()), view.size(), MADV_DONTNEED);
}

} // namespace heed
