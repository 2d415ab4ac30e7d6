//===- Machine.h - runs functions, op by op -*- C++ -*---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function is prepared once: every SSA value gets a slot of the frame, every
// op the C++ function that does what it means (its handler). Running is a walk
// over instructions. What an op means is in the files named after dialects, one
// small function an op, added to the table by that file's `add…Ops`.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_MACHINE_H
#define HEED_LIB_REFERENCE_MACHINE_H

#include "Format.h"

#include "heed/Reference/Evaluator.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

namespace heed::reference {

class Machine;
struct Instruction;
struct Step;

/// The values of one call, by slot.
using Frame = std::vector<Value>;
/// Does what an op means.
using Handler = mlir::LogicalResult (*)(Step &);
/// Computes one element of an elementwise op. Returns what is wrong with the operands, or null.
using ScalarKernel = const char *(*)(const Instruction &, const Scalar *operands, Scalar &result);

/// An entry of the table of ops.
struct OpMeaning {
  Handler handler = nullptr;
  /// For elementwise ops, whose handler calls it for each element.
  ScalarKernel kernel = nullptr;
  /// Works out once what the handler needs each time; may be null.
  mlir::LogicalResult (*prepare)(Machine &, Instruction &) = nullptr;
};
using OpTable = llvm::StringMap<OpMeaning>;

/// A region of one block: its arguments, its ops but constants, which are in the frame from the
/// start, and its terminator, which is run by nobody: whoever runs the body reads its operands.
struct Body {
  Body() = default;
  // Moved only: what is prepared may point to its instructions.
  Body(Body &&) = default;
  Body &operator=(Body &&) = default;

  llvm::SmallVector<unsigned, 4> arguments;
  std::vector<Instruction> instructions;
  std::shared_ptr<const Instruction> terminator;
  bool isPerElement = false; ///< in a linalg or attn op, run for each element

  llvm::ArrayRef<unsigned> yields() const;
};

struct Instruction {
  Instruction() = default;
  Instruction(Instruction &&) = default; // moved only, as its bodies are
  Instruction &operator=(Instruction &&) = default;

  mlir::Operation *op = nullptr;
  Handler handler = nullptr;
  ScalarKernel kernel = nullptr;
  llvm::SmallVector<unsigned, 4> operands, results;
  std::vector<Body> bodies; ///< one for each region; regions without a block have an empty one
  /// The element types of the first operand and of the first result.
  Format operandFormat, resultFormat;
  int64_t selector = 0;                 ///< a predicate, for kernels
  std::shared_ptr<const void> prepared; ///< what `prepare` left

  template <typename T> const T &preparedAs() const {
    return *static_cast<const T *>(prepared.get());
  }
};

inline llvm::ArrayRef<unsigned> Body::yields() const {
  return terminator ? llvm::ArrayRef<unsigned>(terminator->operands) : llvm::ArrayRef<unsigned>();
}

/// A function that is ready to run.
struct Code {
  mlir::func::FuncOp function;
  Body body;
  size_t numSlots = 0;
  std::vector<std::pair<unsigned, Value>> constants;
};

/// One op that runs: what a handler is given.
struct Step {
  Machine &machine;
  const Instruction &instruction;
  Frame &frame;

  template <typename Op> Op op() const { return mlir::cast<Op>(instruction.op); }

  const Value &value(unsigned operand) const { return frame[instruction.operands[operand]]; }
  /// Operand `operand`, which is a tensor, vector or memref.
  const Array &array(unsigned operand) const;
  /// Operand `operand`, an integer that must not be poison.
  mlir::FailureOr<int64_t> integer(unsigned operand) const;
  /// Operands first … first + count - 1 as integers.
  mlir::FailureOr<llvm::SmallVector<int64_t>> integers(unsigned first, unsigned count) const;
  /// A list of which some are static and the others, in order, operands from `first` on.
  mlir::FailureOr<llvm::SmallVector<int64_t>> mixed(llvm::ArrayRef<int64_t> statics,
                                                    unsigned first) const;
  void set(Value value, unsigned result = 0) const {
    frame[instruction.results[result]] = std::move(value);
  }
  /// Sets result 0, without making another value first.
  void setScalar(Scalar scalar, bool isFloat) const {
    Value &slot = frame[instruction.results.front()];
    if (isFloat)
      slot = scalar.asFloat();
    else
      slot = scalar.asInt();
  }
  /// The element of `array` whose indices are operands `first` and all behind it. Fails where it
  /// lies outside; `access` says what the op does, such as "reads".
  mlir::FailureOr<Scalar *> element(const Array &array, unsigned first,
                                    llvm::StringRef access) const;
  /// The shape of a result or operand of type `type`, its dynamic sizes being `dynamic`.
  mlir::FailureOr<llvm::SmallVector<int64_t>> shape(mlir::ShapedType type, unsigned first) const;

  /// Reports an error of this op; always fails.
  mlir::LogicalResult fail(const llvm::Twine &message) const;
  /// The same where not the program is to blame but what the evaluator knows.
  mlir::LogicalResult failUnknown(const llvm::Twine &message) const;
};

class Machine {
public:
  Machine(mlir::ModuleOp module, WeightSource &weights, EvaluatorOptions options);

  /// The prepared function of this name. Fails where there is none, or where an op is unknown.
  mlir::FailureOr<const Code *> code(llvm::StringRef name, mlir::Operation *user);
  mlir::FailureOr<llvm::SmallVector<Value>> call(const Code &code, llvm::ArrayRef<Value> arguments);
  /// Runs the instructions of `body`, whose arguments are set.
  mlir::LogicalResult run(const Body &body, Frame &frame);
  mlir::LogicalResult run(const Instruction &instruction, Frame &frame);
  /// Sets the arguments of `body`, runs it and returns its only yield, of a region per element.
  mlir::FailureOr<Scalar> runPerElement(const Body &body, Frame &frame,
                                        llvm::ArrayRef<Value> arguments);

  /// Counts elements that an op computes at once.
  mlir::LogicalResult spend(mlir::Operation *op, uint64_t elements) {
    steps += elements;
    return steps <= options.maxSteps ? mlir::success() : giveUp(op);
  }

  bool rounds() const { return options.precision == Precision::AsTyped; }
  /// `value` as an operation on `format` gives it.
  double rounded(Format format, double value) const {
    return rounds() ? format.rounded(value) : value;
  }

  /// A weight's elements in f64, its axes in the order that `handle` asks for.
  mlir::FailureOr<Array> dense(mlir::Operation *user, WeightHandle handle);
  /// A weight's bytes for the vector phase.
  mlir::FailureOr<Bytes> packed(mlir::Operation *user, WeightHandle handle);

  mlir::LogicalResult fail(mlir::Operation *op, const llvm::Twine &message);
  /// The same where not the program is to blame but what the evaluator knows.
  mlir::LogicalResult failUnknown(mlir::Operation *op, const llvm::Twine &message);
  llvm::Error takeError();

  /// Indices of the innermost linalg op that runs.
  llvm::ArrayRef<int64_t> loopIndices;

  uint64_t steps = 0;
  mlir::Operation *failedOp = nullptr;
  bool isUnknown = false; ///< whether the latest error is one of failUnknown
  mlir::ModuleOp module;

private:
  class Preparer;

  /// Fails since there were more steps than allowed.
  mlir::LogicalResult giveUp(mlir::Operation *op);

  WeightSource &weights;
  EvaluatorOptions options;
  mlir::SymbolTableCollection symbols;
  llvm::StringMap<std::unique_ptr<Code>> codes;
  std::map<std::pair<mlir::Operation *, int64_t>, Array> denseWeights;
  std::map<std::pair<mlir::Operation *, int64_t>, std::vector<std::byte>> packedWeights;
  std::string error;
  unsigned depth = 0; ///< of calls
};

/// What every op means.
const OpTable &opTable();

// Each adds the ops of one dialect, or of a part of it.
void addArithOps(OpTable &table);
void addMathOps(OpTable &table);
void addFuncOps(OpTable &table);
void addLoopOps(OpTable &table);
void addForallOps(OpTable &table);
void addAffineOps(OpTable &table);
void addLinalgOps(OpTable &table);
void addTensorOps(OpTable &table);
void addTensorSliceOps(OpTable &table);
void addBufferizationOps(OpTable &table);
void addMemRefOps(OpTable &table);
void addVectorOps(OpTable &table);
void addVectorMemoryOps(OpTable &table);
void addLLVMOps(OpTable &table);
void addAttnLaneOps(OpTable &table);
void addAttnWeightOps(OpTable &table);
void addAttnStepOps(OpTable &table);
void addAttnCacheOps(OpTable &table);
void addAttnFusedOps(OpTable &table);

/// The handler of ops with a kernel: one element, or all lanes of arrays.
mlir::LogicalResult runElementwise(Step &step);

/// A scalar's value, as the frame holds it, and back.
inline Value toValue(Scalar scalar, bool isFloat) {
  return isFloat ? Value(scalar.asFloat()) : Value(scalar.asInt());
}
inline Scalar toScalar(const Value &value) {
  if (const double *number = std::get_if<double>(&value))
    return Scalar(*number);
  return Scalar(std::get<int64_t>(value));
}

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_MACHINE_H
