//===- FunctionSema.h - checks one exported function ----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The idea that carries everything: a tensor-valued formula is an `Operand`, a
// scalar expression together with the index variables that are its axes, as a
// lambda is a body with its parameters. `E` is (a, b) -> E[a, b]; reading it at
// [i, c] puts i for a and c for b; E + F makes F's axes E's and adds the bodies.
// A formula with indices is an operand without axes whose body mentions the
// indices in scope.
//
// Functions are inlined: a parameter is bound to the tensor, or to the formula,
// that is its argument. What such a formula mentions of the caller's indices
// (heads that are mapped over) stays free in the callee, and a definition gets
// an axis for exactly those free indices that its body needs. So `rope`'s cosines
// have no axis for heads, though its result has one.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_SEMA_FUNCTIONSEMA_H
#define HEED_LIB_FRONTEND_SEMA_FUNCTIONSEMA_H

#include "ExprBuilder.h"

#include <memory>

namespace heed::sema {

/// A formula's value: (axes…) -> body. Without a body something went wrong and is reported.
struct Operand {
  std::vector<int32_t> axes;
  ExprPtr body;

  explicit operator bool() const { return body != nullptr; }
};

/// What a name means inside a function.
struct Binding {
  enum Kind {
    Poison, ///< its definition has an error that is reported
    Tensor, ///< `value`; its first axes are read at `leading`, the others are visible
    Weight, ///< `value` numbers the weight; `layer` is set for a per-layer one
    Scalar, ///< the number `scalar`
    Size,   ///< a size that a call bound
    Index,  ///< an index variable
    Layer,  ///< the variable of a loop
  };
  Kind kind = Poison;
  int32_t value = -1;
  std::vector<std::shared_ptr<const Expr>> leading;
  std::shared_ptr<const Expr> layer, scalar;
  Dim dim;
  SourceRange range;
};

class FunctionSema {
public:
  FunctionSema(Module &module, program::Function &function);

  /// Whether a function of the main file becomes one of the artefact: its sizes are all declared,
  /// and it has a tensor among its parameters.
  static bool isExported(const Unit &unit, const ast::Function &function);
  void runExported(const Unit &unit, const ast::Function &function);

  /// Evaluates a formula outside functions: a constant, or null with an error.
  ExprPtr evaluateGlobal(const Unit &unit, const ast::Expr &expr);
  /// An axis as a declaration spells it: a number, or (where `runtime` allows) a run-time size.
  std::optional<Dim> evaluateDim(const Unit &unit, const ast::Expr &expr, bool runtime);

private:
  /// An index variable and what is known of its range.
  struct IndexInfo {
    std::string name;
    std::optional<Dim> dim;
    SourceRange usedAt;   ///< the use that gave the range
    std::string usedIn;   ///< the tensor that it reads
    bool clashed = false; ///< a clash is reported once
  };
  /// A function being inlined.
  struct Frame {
    const Unit *unit = nullptr;
    const ast::Function *function = nullptr;
    Frame *caller = nullptr;
    SourceRange call;
    std::string prefix;         ///< of the names of its values
    std::string target;         ///< what the current statement defines
    std::vector<int32_t> leaks; ///< the caller's indices that its parameters mention
    std::vector<int32_t> lhs;   ///< the current statement's indices
    std::vector<int32_t> bound; ///< all indices of this frame in scope
    bool wantScalar = false;    ///< a whole tensor can't stand here
    uint32_t loops = 0;
    std::vector<std::map<std::string, Binding, std::less<>>> levels;
  };
  /// What unification reports a clash with.
  struct Use {
    SourceRange range;
    std::string tensor;
  };

  // Names and errors (FunctionSema.cpp).
  bool report(DiagId id, SourceRange range, std::string message);
  const Binding *find(std::string_view name) const;
  void bind(const std::string &name, Binding binding) {
    frame->levels.back()[name] = std::move(binding);
  }
  void reportUnknown(const std::string &name, SourceRange range);
  /// A name that mustn't be anything else yet.
  bool declareFresh(const ast::Name &name);
  std::string spell(const Dim &dim) const;
  std::string spell(const std::vector<int32_t> &axes) const;
  int32_t localSize(int32_t moduleSize);
  Dim globalDim(const Global &global, std::string_view name);
  std::optional<Dim> dimOf(const ast::Expr &expr);
  /// Counts work; false, with one error, where it has become too much.
  bool spend(size_t cost = 1);

  // Statements (Statements.cpp).
  Operand runBody(const ast::Function &function);
  void runBlock(const ast::Block &block);
  void runAssign(const ast::Assign &assign);
  void assignIndexed(const ast::Assign &assign);
  void assignWhole(const ast::Assign &assign);
  /// Defines what an indexed assignment says, or gives the name to the tensor it has just made.
  Binding defineOrName(const std::vector<int32_t> &vars, ExprPtr body, program::ValueId firstNew,
                       const ast::Assign &assign);
  void runFor(const ast::For &loop);
  void runIf(const ast::If &branch);
  Operand runReturn(const ast::Return &result);
  std::optional<bool> decide(const ast::Expr &condition);

  // Definitions (Definitions.cpp).
  program::ValueId newValue(std::string name, Element element, const std::vector<int32_t> &axes,
                            SourceRange range);
  /// Defines a tensor with `axes`, and before them one axis for every other free index of the form.
  Binding define(std::string name, std::vector<int32_t> axes, program::Map form, SourceRange range);
  Binding define(std::string name, std::vector<int32_t> axes, program::Reduce form,
                 SourceRange range);
  Binding define(std::string name, std::vector<int32_t> axes, program::Softmax form,
                 SourceRange range);
  /// Makes `form` a definition with exactly `axes`, which are replaced by fresh variables.
  program::ValueId emit(std::string name, const std::vector<int32_t> &axes,
                        std::variant<program::Map, program::Reduce, program::Softmax> form,
                        Element element, SourceRange range);
  /// The tensor that an operand is; defines it unless it is one already.
  Binding materialise(const std::string &name, Operand operand, SourceRange range);
  /// A tensor with an axis for each of the frame's leaks, so that all rounds of a loop agree.
  std::optional<Binding> materialiseFully(const std::string &name, const Binding &binding,
                                          SourceRange range);
  std::string valueName(std::string_view suffix = "") const;

  // Formulas (Expressions.cpp).
  Operand elaborate(const ast::Expr &expr);
  /// A formula that must be one number at the indices in scope.
  ExprPtr elaborateScalar(const ast::Expr &expr);
  Operand elaborateName(const std::string &name, SourceRange range);
  Operand elaborateBinding(const Binding &binding, const std::string &name, SourceRange range);
  Operand elaborateSubscript(const ast::Subscript &subscript, SourceRange range);
  Operand elaborateConditional(const ast::Conditional &choice, SourceRange range);
  /// Reads an operand at indices.
  Operand readAt(Operand base, std::vector<ExprPtr> indices, const std::string &name,
                 SourceRange range);
  /// Makes the axes of several operands the same ones (a number fits everything); false with an
  /// error.
  bool align(std::vector<Operand *> operands, SourceRange range, std::string_view what);
  Operand elementwise(program::BinaryOp op, Operand lhs, Operand rhs, SourceRange range);
  Operand wholeTensor(const std::vector<Dim> &dims, const std::vector<SourceRange> &ranges,
                      SourceRange range);
  Operand checkScalar(Operand operand, std::string_view name, SourceRange range);

  // Reductions (Reductions.cpp).
  Operand elaborateReduce(const ast::Reduce &reduce, SourceRange range);
  std::optional<program::Reduce> elaborateReduction(const ast::Reduce &reduce, SourceRange range);
  /// `axes` null: those that the formula needs; else the left side's.
  std::optional<Binding> elaborateSoftmax(const ast::Reduce &reduce,
                                          const std::vector<int32_t> *axes, SourceRange range);
  /// A tensor with exactly `axes` whose elements are `body`: the one that it reads, or a new one.
  program::ValueId tensorOver(const std::vector<int32_t> &axes, ExprPtr body,
                              std::string_view suffix);

  // Calls (Calls.cpp).
  Operand elaborateCall(const ast::Call &call, SourceRange range);
  Operand elaborateBuiltin(const ast::Call &call, SourceRange range, bool &known);
  Operand elaborateMeta(const ast::Call &call, SourceRange range);
  Operand elaborateExtent(const ast::Call &call, SourceRange range);
  struct Argument {
    Operand operand;
    std::vector<int32_t> indices; ///< the formula's indices: the left side's order, then appearance
    std::vector<int32_t> batch;   ///< axes in front that are mapped over
    std::vector<int32_t> locals;  ///< indices that only this argument mentions
    SourceRange range;
  };
  std::optional<Argument> elaborateArgument(const ast::Expr &expr);
  bool fitArgument(Argument &argument, const ast::Parameter &parameter);
  bool bindArgument(Frame &callee, Argument &argument, const ast::Parameter &parameter);
  Operand inlineCall(const ast::Function &function, const Unit &unit, const ast::Call &call,
                     SourceRange range);
  /// Reads a call's result at the indices of its arguments, or at those of the left side.
  Operand readResult(Operand result, const std::vector<Argument> &arguments,
                     const ast::Function &function, SourceRange range);

  // Ranges of indices (IndexRanges.cpp).
  int32_t newIndex(std::string name, std::optional<Dim> dim, SourceRange usedAt,
                   std::string usedIn);
  /// Binds names as index variables, in the innermost level.
  bool bindIndices(const std::vector<ast::IndexBinding> &indices, std::vector<int32_t> &vars);
  bool unify(int32_t var, const Dim &dim, const Use &use);
  /// Learns the ranges of `vars` from where they stand alone in brackets.
  void inferRanges(const ast::Expr &expr, const std::vector<int32_t> &vars);
  bool checkRanges(const std::vector<int32_t> &vars, const std::vector<ast::IndexBinding> &indices);
  /// The names that stand alone in brackets and mean nothing yet, with their places.
  std::vector<ast::Name> unboundIndices(const ast::Expr &expr) const;
  /// The visible axes of what stands before brackets; nothing where that isn't a plain name.
  std::optional<std::vector<Dim>> dimsOf(const ast::Expr &base, std::string &name) const;
  std::vector<Dim> visibleDims(const Binding &binding) const;

  // Bounds of index arithmetic (IndexBounds.cpp).
  /// Whether an integer is at least 1 whatever the indices are.
  bool provablyPositive(const Expr &expr) const;
  /// Makes an index safe for an axis: as it is where that is provable, else clamped to the axis.
  ExprPtr bounded(ExprPtr index, const Dim &dim, const std::string &name);

  Module &module;
  program::Function &function;
  ExprBuilder build;
  std::vector<program::Statement> *sink;
  std::vector<std::vector<Dim>> valueDims; ///< parallel to function.values
  std::vector<IndexInfo> indices;
  std::map<int32_t, int32_t> localSizes;
  Frame *frame = nullptr;
  size_t definitions = 0;
  size_t work = 0;
  uint32_t depth = 0;
  bool stopped = false; ///< too much work; nothing more is done
  int32_t loops = 0;
  int64_t enumerated = 0;
  std::map<int32_t, int64_t> loopCounts;
};

} // namespace heed::sema

#endif // HEED_LIB_FRONTEND_SEMA_FUNCTIONSEMA_H
