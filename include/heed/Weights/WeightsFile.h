//===- WeightsFile.h - tensors and metadata of a weights file -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface over GGUF (versions 2 and 3) and safetensors (one file, or a
// folder with shards). Files are untrusted. Everything that a file says of
// itself is checked when it is opened: afterwards every tensor's bytes lie in
// its file, no two overlap, and shape and size agree.
//
// What can't be checked once: another process may shorten a file while it is
// mapped, and touching a page past its new end raises SIGBUS. `data` therefore
// compares the size again and reports the change; a file that shrinks after
// that, while its bytes are being read, still ends the process.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_WEIGHTSFILE_H
#define HEED_WEIGHTS_WEIGHTSFILE_H

#include "heed/Support/ErrorOr.h"
#include "heed/Weights/MetaValue.h"
#include "heed/Weights/StorageType.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

class MappedFile;

/// One tensor of a file.
struct TensorInfo {
  std::string name;
  /// How the numbers are stored; nothing where Heed can't compute with them (I64, IQ4_XS, a
  /// tensor without elements, …). Such a tensor is listed, and `supportedStorage` says why not.
  std::optional<StorageType> storage;
  /// The stored format as the file names it.
  std::string storedAs;
  /// Row-major, outermost axis first (ggml's `ne` reversed); empty for a scalar. Where `storage`
  /// is set, every extent is at least 1, the innermost is a multiple of the block length, and the
  /// product fits int64_t.
  std::vector<int64_t> shape;
  uint64_t offset = 0; ///< from the start of its file
  uint64_t bytes = 0;  ///< 0 where the size of the format is unknown
  uint32_t shard = 0;  ///< which of the files, where there are several

  /// The product of the extents.
  int64_t elements() const;
};

/// The storage type of `tensor`, or an error that names it, what it is stored as, and the remedy.
ErrorOr<StorageType> supportedStorage(const TensorInfo &tensor);

/// An opened weights file: memory-mapped, read-only. Const members may be called from any thread.
class WeightsFile {
public:
  enum class Format { Gguf, Safetensors };

  /// Opens a GGUF or safetensors file (told apart by content), a folder holding model.safetensors
  /// or model.safetensors.index.json, or such an index. Shards must lie beside their index, and
  /// tensors of theirs that the index doesn't list are left out.
  /// Errors name the file and what is wrong in it.
  static ErrorOr<std::unique_ptr<WeightsFile>> open(const std::string &path);

  /// Reads a whole file's `bytes`, which are copied. `name` stands for the path in errors.
  static ErrorOr<std::unique_ptr<WeightsFile>> fromBytes(std::span<const std::byte> bytes,
                                                         const std::string &name);

  ~WeightsFile();
  WeightsFile(const WeightsFile &) = delete;
  WeightsFile &operator=(const WeightsFile &) = delete;

  /// The tensor called `name`, or null.
  const TensorInfo *find(std::string_view name) const;

  /// Every tensor, in the file's order.
  const std::vector<TensorInfo> &tensors() const { return tensorList; }

  /// The stored bytes of a tensor of this file, valid as long as this object. They may be
  /// unaligned: `dequantize` and `packPanels` read them so. Fails where the file has become
  /// shorter since it was opened.
  ErrorOr<std::span<const std::byte>> data(const TensorInfo &tensor) const;

  /// Forgets all metadata, among which a vocabulary takes as much memory as a small model's
  /// weights: for whoever has read what it needs.
  void dropMetadata() { metaValues.clear(); }

  /// Takes what was read of the tensors out of this process's memory; reading it again brings it
  /// back. May run while other threads read.
  void releasePages() const;

  /// Where the file and its shards lie and when they were last changed, in words, a line each:
  /// the same again only while nobody has written to them. Empty where the system doesn't say.
  std::string identity() const;

  /// The metadata value called `key` ("llama.block_count"), or null. Of a safetensors file: strings
  /// from its `__metadata__`, and the entries of config.json and sentence_bert_config.json beside
  /// it, where they are (see JsonEntries.h).
  const MetaValue *meta(std::string_view key) const;

  /// All metadata, ordered by key.
  const std::map<std::string, MetaValue, std::less<>> &metadata() const { return metaValues; }

  Format format() const { return fileFormat; }

  /// The path as it was given to `open`; for a folder that of the file in it.
  const std::string &path() const { return filePath; }

  /// Where the file lies: what `path` has up to its last slash, "" without one.
  std::string folder() const;

private:
  WeightsFile(std::string path, Format format);

  static ErrorOr<std::unique_ptr<WeightsFile>> fromMapping(std::unique_ptr<MappedFile> mapping);
  static ErrorOr<std::unique_ptr<WeightsFile>> fromIndex(const std::string &path);
  void setTensors(std::vector<TensorInfo> tensors);
  ErrorOr<void> addFilesBeside();

  std::string filePath;
  Format fileFormat;
  std::vector<std::unique_ptr<MappedFile>> shards;
  std::vector<TensorInfo> tensorList;
  std::map<std::string, size_t, std::less<>> tensorByName;
  std::map<std::string, MetaValue, std::less<>> metaValues;
};

} // namespace heed

#endif // HEED_WEIGHTS_WEIGHTSFILE_H
