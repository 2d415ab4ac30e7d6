//===- Header.cpp - the C header of an artefact ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Header.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Target/CPU/Artifact.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

using namespace heed;
using llvm::StringRef;

namespace {

/// Type declarations that every artefact's header repeats; the guard lets several be included.
constexpr const char *kTypes = R"(#if !defined(HEED_MODEL_TYPES) && !defined(HEED_RUNTIME_HEED_H)
#define HEED_MODEL_TYPES

/** What the functions below return. After anything but HEED_OK, the last error says why. */
enum heed_status {
  HEED_OK = 0,
  HEED_ERROR_INPUT = 1,    /**< an argument, a file or a setting */
  HEED_ERROR_INTERNAL = 2, /**< a mistake of Heed's own */
  HEED_ERROR_MEMORY = 3    /**< no room for weights or caches */
};

typedef struct heed_options {
  uint32_t size;   /**< sizeof(heed_options) */
  int32_t threads; /**< 1 to 1024, the caller's own among them; 0: one for each processor */
  const char *packed; /**< where packed weights are kept for the next time: a folder, "on" for the
                           user's cache, "off"; NULL is "off", and HEED_PACKED comes first */
  const struct heed_model *threads_of; /**< a model whose threads this one uses too: calls of both
                                            wait for one another; NULL: threads of its own */
} heed_options;

typedef struct heed_model heed_model;     /**< code with its weights and threads */
typedef struct heed_session heed_session; /**< a text that a model has read so far */

#endif
)";

/// Gives every parameter of one function a C identifier that no other has.
class Names {
public:
  Names(std::initializer_list<StringRef> reserved) {
    for (StringRef name : reserved)
      used.insert(name);
  }

  std::string unique(StringRef wanted) {
    static const llvm::StringSet<> keywords = {
        "alignas",  "alignof",  "and",      "asm",      "auto",      "bool",      "break",
        "case",     "catch",    "char",     "class",    "compl",     "const",     "continue",
        "default",  "delete",   "do",       "double",   "else",      "enum",      "explicit",
        "export",   "extern",   "false",    "float",    "for",       "friend",    "goto",
        "if",       "inline",   "int",      "long",     "mutable",   "namespace", "new",
        "not",      "operator", "or",       "private",  "protected", "public",    "register",
        "requires", "restrict", "return",   "short",    "signed",    "sizeof",    "static",
        "struct",   "switch",   "template", "this",     "throw",     "true",      "try",
        "typedef",  "typeof",   "typeid",   "typename", "union",     "unsigned",  "using",
        "virtual",  "void",     "volatile", "while",    "xor"};
    std::string name;
    for (char c : wanted)
      name += llvm::isAlnum(c) ? c : '_';
    if (name.empty() || llvm::isDigit(name.front()))
      name.insert(0, "p");
    while (keywords.contains(name) || !used.insert(name).second)
      name += '_';
    return name;
  }

private:
  llvm::StringSet<> used;
};

int64_t elementBytes(int32_t element) {
  return element == HEED_I8 ? 1 : element == HEED_F16 || element == HEED_BF16 ? 2 : 4;
}

StringRef elementName(int32_t element) {
  switch (element) {
  case HEED_F16:
    return "f16";
  case HEED_BF16:
    return "bf16";
  case HEED_I8:
    return "int8, and a scale for each row and head";
  default:
    return "f32";
  }
}

class HeaderWriter {
public:
  explicit HeaderWriter(const ArtifactInfo &info) : info(info), stem(info.stem()) {}

  std::string write(llvm::ArrayRef<ExportedSymbol> symbols) {
    std::string guard = "HEED_MODEL_" + StringRef(stem).upper() + "_H";
    text = "/* " + stem + ".h - the model '" + comment(info.name) +
           "', compiled by Heed; made by `heed compile`, do not edit.\n"
           " *\n"
           " * A model may be used from several threads: calls that run it wait for one another.\n"
           " * One session belongs to one thread at a time. Buffers are row-major and contiguous,\n"
           " * belong to the caller, and are not kept. */\n\n"
           "#ifndef " +
           guard + "\n#define " + guard +
           "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n" + kTypes;
    for (const ExportedSymbol &symbol : symbols)
      declare(symbol);
    text += "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " + guard + " */\n";
    return std::move(text);
  }

private:
  /// Text of the program's that can't end the comment around it.
  static std::string comment(StringRef raw) {
    std::string safe;
    for (char c : raw) {
      if (c == '/' && !safe.empty() && safe.back() == '*')
        safe += ' ';
      if (c == '*' && !safe.empty() && safe.back() == '/')
        safe += ' ';
      safe += c;
    }
    return safe;
  }

  /// Adds a declaration below a comment with these lines.
  void add(StringRef lines, StringRef declaration) {
    text += "\n/**";
    llvm::SmallVector<StringRef> parts;
    lines.rtrim().split(parts, '\n');
    for (auto [number, line] : llvm::enumerate(parts)) {
      StringRef trimmed = line.rtrim();
      text += (number == 0 ? "" : "\n *") + std::string(trimmed.empty() ? "" : " ") + trimmed.str();
    }
    text += " */\n" + declaration.str() + ";\n";
  }

  void declare(const ExportedSymbol &symbol) {
    using Kind = ExportedSymbol::Kind;
    const std::string &name = symbol.name;
    switch (symbol.kind) {
    case Kind::Open:
      return add(
          "Reads the weights at `path` (GGUF or safetensors) and starts the threads.\n"
          "`options` may be NULL" +
              std::string(info.weights.empty() ? ", and so may `path`: there are no weights" : "") +
              ". Free *model with " + stem + "_close. The file is not needed afterwards.",
          "int32_t " + name +
              "(const char *path, const heed_options *options, heed_model **model)");
    case Kind::Close:
      return add("Ends the threads and frees the weights, after every session was freed. NULL is "
                 "legal.",
                 "void " + name + "(heed_model *model)");
    case Kind::LastError:
      return add("The message of this thread's last error, valid until its next one; \"\" if "
                 "there was\nnone. Never NULL.",
                 "const char *" + name + "(void)");
    case Kind::SessionNew:
      return declareSession(symbol);
    case Kind::Call:
      return info.functions[symbol.function].isStep ? declareStep(symbol) : declarePlain(symbol);
    case Kind::SessionLength:
      return add("Tokens that the session holds.",
                 "int64_t " + name + "(const heed_session *session)");
    case Kind::SessionTruncate:
      return add("Forgets all but the first `length` tokens.\nHEED_ERROR_INPUT: length is "
                 "negative or more than the session holds.",
                 "int32_t " + name + "(heed_session *session, int64_t length)");
    case Kind::SessionFree:
      return add("Frees a session. NULL is legal.", "void " + name + "(heed_session *session)");
    }
  }

  void declareSession(const ExportedSymbol &symbol) {
    const FunctionInfo &function = info.functions[symbol.function];
    std::string bound = function.context
                            ? "the model's context, " + std::to_string(function.context)
                            : std::string("4096");
    int64_t perToken = 0, fixed = 0;
    for (const CacheInfo &cache : function.caches) {
      int64_t bytes = cache.layers * cache.heads * cache.width * elementBytes(cache.element);
      cache.rows > 0 ? fixed += bytes *cache.rows : perToken += bytes;
    }
    if (!function.context && !function.caches.empty() && perToken == 0)
      bound = "2147483647: the model keeps the last tokens alone";
    std::string memory = "Each token takes " + std::to_string(perToken) +
                         " bytes of caches, used as the text grows.\n";
    if (fixed > 0)
      memory = "Caches of the last tokens take " + std::to_string(fixed) +
               " bytes, however long the text is.\n" + (perToken > 0 ? memory : "");
    if (!function.caches.empty() && function.caches.front().element != HEED_F32)
      memory += "They hold " + std::string(elementName(function.caches.front().element)) + ".\n";
    add("Begins an empty text for " + stem + "_" + function.name +
            ". `capacity` is the most tokens it will hold,\n0 for " + bound + ". " + memory +
            "Free *session with " + stem +
            "_session_free.\nHEED_ERROR_INPUT: capacity is negative or too large. "
            "HEED_ERROR_MEMORY: there is no room.",
        "int32_t " + symbol.name + "(heed_model *model, int64_t capacity, heed_session **session)");
  }

  void declareStep(const ExportedSymbol &symbol) {
    const FunctionInfo &function = info.functions[symbol.function];
    int64_t width = function.results.empty() || function.results[0].dims.empty()
                        ? 0
                        : function.results[0].dims.back();
    add(intro(function) +
            "Appends n >= 0 tokens and writes the logits of the last `rows` of them (0 to n) to\n"
            "logits[rows][" +
            std::to_string(width) + "]; with 0 rows it may be NULL.\n" + tokenLimit(function) +
            "HEED_ERROR_INPUT: n, rows or a token is out of range, or the session is full. After "
            "an\n"
            "error the session is as it was before.",
        "int32_t " + symbol.name +
            "(heed_session *session, const int32_t *tokens, int64_t n, int64_t rows,\n"
            "    float *logits)");
  }

  void declarePlain(const ExportedSymbol &symbol) {
    const FunctionInfo &function = info.functions[symbol.function];
    Names names({"model"});
    std::vector<std::string> sizes;
    std::string params = "heed_model *model", lines = intro(function);
    for (auto [number, size] : llvm::enumerate(function.sizes)) {
      sizes.push_back(names.unique(size));
      params += ", int64_t " + sizes.back();
      lines += sizes.back() + ": a size, at least 0";
      if (function.bounds[number])
        lines += " and at most " + std::to_string(function.bounds[number]);
      lines += "\n";
    }
    auto tensor = [&](const ArgumentInfo &tensor, bool isResult) {
      std::string name = names.unique(tensor.name);
      StringRef element = tensor.element == HEED_I32 ? "int32_t" : "float";
      params += ", " + std::string(isResult ? "" : "const ") + element.str() + " *" + name;
      lines += name;
      for (int64_t dim : tensor.dims)
        lines += "[" + (dim >= 0 ? std::to_string(dim) : sizes[-1 - dim]) + "]";
      lines += isResult ? ": written\n" : ": read\n";
    };
    for (const ArgumentInfo &param : function.params)
      tensor(param, false);
    for (const ArgumentInfo &result : function.results)
      tensor(result, true);
    lines += tokenLimit(function) +
             "HEED_ERROR_INPUT: a size or an integer is out of range; nothing was written.";
    add(lines, "int32_t " + symbol.name + "(" + params + ")");
  }

  /// What the program says of the function.
  static std::string intro(const FunctionInfo &function) {
    std::string text = comment(StringRef(function.comment).trim());
    return text.empty() ? text : text + "\n\n";
  }

  static std::string tokenLimit(const FunctionInfo &function) {
    if (!function.tokenLimit)
      return "";
    return "Integers must lie in 0 to " + std::to_string(function.tokenLimit - 1) + ".\n";
  }

  const ArtifactInfo &info;
  std::string stem;
  std::string text;
};

} // namespace

ErrorOr<std::string> heed::makeHeader(const ArtifactInfo &info) {
  auto symbols = exportedSymbols(info);
  if (!symbols)
    return symbols.error();
  return HeaderWriter(info).write(*symbols);
}
