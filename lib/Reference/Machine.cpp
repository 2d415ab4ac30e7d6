//===- Machine.cpp - runs functions, op by op -----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "Views.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

/// Calls inside of calls before they are taken to be endless.
static constexpr unsigned kMaxDepth = 64;

/// Elements that one tensor or memref may have: 8 GiB of them.
static constexpr int64_t kMaxElements = int64_t{1} << 30;

//===----------------------------------------------------------------------===//
// Step
//===----------------------------------------------------------------------===//

LogicalResult Step::fail(const llvm::Twine &message) const {
  return machine.fail(instruction.op, message);
}

LogicalResult Step::failUnknown(const llvm::Twine &message) const {
  return machine.failUnknown(instruction.op, message);
}

const Array &Step::array(unsigned operand) const { return std::get<Array>(value(operand)); }

FailureOr<int64_t> Step::integer(unsigned operand) const {
  int64_t number = std::get<int64_t>(value(operand));
  if (Scalar(number).isPoison())
    return fail("operand " + llvm::Twine(operand) + " is a number that nothing wrote");
  return number;
}

FailureOr<SmallVector<int64_t>> Step::integers(unsigned first, unsigned count) const {
  SmallVector<int64_t> numbers;
  for (unsigned operand = first; operand != first + count; ++operand) {
    FailureOr<int64_t> number = integer(operand);
    if (failed(number))
      return failure();
    numbers.push_back(*number);
  }
  return numbers;
}

FailureOr<Scalar *> Step::element(const Array &array, unsigned first, StringRef access) const {
  FailureOr<SmallVector<int64_t>> indices =
      integers(first, static_cast<unsigned>(instruction.operands.size()) - first);
  if (failed(indices))
    return failure();
  if (!array.contains(*indices))
    return fail(access + " " + listText(*indices) + " of " + listText(array.shape));
  return &array.at(*indices);
}

FailureOr<SmallVector<int64_t>> Step::mixed(ArrayRef<int64_t> statics, unsigned first) const {
  SmallVector<int64_t> numbers(statics);
  for (int64_t &number : numbers) {
    if (!ShapedType::isDynamic(number))
      continue;
    FailureOr<int64_t> dynamic = integer(first++);
    if (failed(dynamic))
      return failure();
    number = *dynamic;
  }
  return numbers;
}

FailureOr<SmallVector<int64_t>> Step::shape(ShapedType type, unsigned first) const {
  FailureOr<SmallVector<int64_t>> sizes = mixed(type.getShape(), first);
  if (failed(sizes))
    return failure();
  int64_t elements = 1;
  for (int64_t size : *sizes)
    if (size < 0 || llvm::MulOverflow(elements, size, elements) || elements > kMaxElements)
      return fail("makes a shape of " + listText(*sizes) + ", which memory can't hold");
  return sizes;
}

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

static LogicalResult runUnknown(Step &step) {
  return step.failUnknown("the evaluator doesn't know this op");
}

/// The value of a constant; nothing for attributes that hold no plain numbers.
static std::optional<reference::Value> constantValue(Attribute attribute, Type type) {
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return reference::Value(number.getValueAsDouble());
  if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    // An i1 is 0 or 1 here, and 0 or -1 as an APInt.
    return reference::Value(
        Format::of(type).wrapped(number.getValue().sextOrTrunc(64).getZExtValue()));
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  Format format = Format::of(type);
  std::vector<Scalar> elements;
  if (isa<FloatType>(dense.getElementType())) {
    for (const APFloat &number : dense.getValues<APFloat>())
      elements.push_back(Scalar(FloatAttr::get(dense.getElementType(), number).getValueAsDouble()));
  } else if (dense.getElementType().isIntOrIndex()) {
    for (const APInt &number : dense.getValues<APInt>())
      elements.push_back(Scalar(format.wrapped(number.sextOrTrunc(64).getZExtValue())));
  } else {
    return std::nullopt;
  }
  Array array = Array::uninitialised(dense.getElementType(), dense.getType().getShape());
  *array.storage = std::move(elements);
  return reference::Value(array);
}

/// Gives the values of one function their slots, and its ops their handlers.
class Machine::Preparer {
public:
  Preparer(Machine &machine, Code &code) : machine(machine), code(code) {}

  LogicalResult prepare(Region &region, Body &body, bool isPerElement) {
    body.isPerElement = isPerElement;
    if (region.empty())
      return success();
    if (!region.hasOneBlock())
      return machine.failUnknown(region.getParentOp(),
                                 "the evaluator knows regions of one block only");
    Block &block = region.front();
    for (BlockArgument argument : block.getArguments())
      body.arguments.push_back(define(argument));
    for (Operation &op : block) {
      if (isConstant(op))
        continue;
      Instruction instruction;
      if (failed(prepare(op, instruction, isPerElement)))
        return failure();
      if (op.hasTrait<OpTrait::IsTerminator>())
        body.terminator = std::make_shared<const Instruction>(std::move(instruction));
      else
        body.instructions.push_back(std::move(instruction));
    }
    return success();
  }

private:
  unsigned define(mlir::Value value) {
    unsigned slot = code.numSlots++;
    slots[value] = slot;
    return slot;
  }

  bool isConstant(Operation &op) {
    Attribute attribute;
    if (!op.hasTrait<OpTrait::ConstantLike>() || op.getNumResults() != 1 ||
        !matchPattern(&op, m_Constant(&attribute)))
      return false;
    std::optional<reference::Value> value = constantValue(attribute, op.getResult(0).getType());
    if (value)
      code.constants.emplace_back(define(op.getResult(0)), *value);
    return value.has_value();
  }

  LogicalResult prepare(Operation &op, Instruction &instruction, bool isPerElement) {
    instruction.op = &op;
    const OpTable &table = opTable();
    auto meaning = table.find(op.getName().getStringRef());
    instruction.handler = runUnknown;
    if (meaning != table.end()) {
      instruction.handler = meaning->second.handler;
      instruction.kernel = meaning->second.kernel;
    }
    for (mlir::Value operand : op.getOperands())
      instruction.operands.push_back(slots.at(operand));
    // Before the regions: nothing in them sees the results, but they need slots of their own.
    for (mlir::Value result : op.getResults())
      instruction.results.push_back(define(result));
    if (op.getNumOperands() > 0)
      instruction.operandFormat = Format::of(op.getOperand(0).getType());
    if (op.getNumResults() > 0)
      instruction.resultFormat = Format::of(op.getResult(0).getType());
    bool isInnerPerElement =
        isPerElement || !isa_and_nonnull<func::FuncDialect, scf::SCFDialect>(op.getDialect());
    instruction.bodies.resize(op.getNumRegions());
    for (auto [region, body] : llvm::zip_equal(op.getRegions(), instruction.bodies))
      if (failed(prepare(region, body, isInnerPerElement)))
        return failure();
    if (meaning != table.end() && meaning->second.prepare)
      return meaning->second.prepare(machine, instruction);
    return success();
  }

  Machine &machine;
  Code &code;
  llvm::DenseMap<mlir::Value, unsigned> slots;
};

Machine::Machine(ModuleOp module, WeightSource &weights, EvaluatorOptions options)
    : module(module), weights(weights), options(std::move(options)) {}

FailureOr<const Code *> Machine::code(StringRef name, Operation *user) {
  std::unique_ptr<Code> &code = codes[name];
  if (code)
    return code.get();
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function)
    return fail(user, "there is no function '" + name + "'");
  if (function.isExternal())
    return fail(function, "function '" + name + "' has no body");
  auto made = std::make_unique<Code>();
  made->function = function;
  if (failed(Preparer(*this, *made).prepare(function.getBody(), made->body, false)))
    return failure();
  code = std::move(made);
  return code.get();
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// Whether a value may be passed where `type` is expected.
static bool fits(const reference::Value &value, Type type) {
  if (auto shaped = dyn_cast<ShapedType>(type)) {
    const Array *array = std::get_if<Array>(&value);
    return array && array->element == shaped.getElementType() &&
           succeeded(verifyCompatibleShape(array->shape, shaped.getShape()));
  }
  if (isa<FloatType>(type))
    return std::holds_alternative<double>(value);
  if (type.isIntOrIndex())
    return std::holds_alternative<int64_t>(value);
  return true;
}

FailureOr<SmallVector<reference::Value>> Machine::call(const Code &code,
                                                       ArrayRef<reference::Value> arguments) {
  func::FuncOp function = code.function;
  if (arguments.size() != code.body.arguments.size())
    return fail(function, "function '" + function.getSymName() + "' takes " +
                              llvm::Twine(code.body.arguments.size()) + " arguments, found " +
                              llvm::Twine(arguments.size()));
  for (auto [number, value] : llvm::enumerate(arguments)) {
    Type type = function.getArgumentTypes()[number];
    if (fits(value, type))
      continue;
    std::string text;
    llvm::raw_string_ostream(text) << type;
    if (const Array *array = std::get_if<Array>(&value))
      llvm::raw_string_ostream(text)
          << ", found " << listText(array->shape) << " of " << array->element;
    return fail(function, "argument " + llvm::Twine(number) + " of '" + function.getSymName() +
                              "' is a " + text);
  }
  if (depth == kMaxDepth)
    return fail(function, "calls are nested deeper than " + llvm::Twine(kMaxDepth));
  Frame frame(code.numSlots);
  for (auto &[slot, value] : code.constants)
    frame[slot] = value;
  for (auto [slot, value] : llvm::zip_equal(code.body.arguments, arguments))
    frame[slot] = value;
  ++depth;
  ArrayRef<int64_t> outerIndices = std::exchange(loopIndices, {});
  LogicalResult ran = run(code.body, frame);
  loopIndices = outerIndices;
  --depth;
  if (failed(ran))
    return failure();
  SmallVector<reference::Value> results;
  for (unsigned slot : code.body.yields())
    results.push_back(frame[slot]);
  return results;
}

LogicalResult Machine::run(const Instruction &instruction, Frame &frame) {
  if (++steps > options.maxSteps)
    return giveUp(instruction.op);
  Step step{*this, instruction, frame};
  return instruction.handler(step);
}

LogicalResult Machine::run(const Body &body, Frame &frame) {
  bool observed = options.observe && !body.isPerElement;
  for (const Instruction &instruction : body.instructions) {
    if (failed(run(instruction, frame)))
      return failure();
    if (observed)
      for (auto [number, slot] : llvm::enumerate(instruction.results))
        options.observe(instruction.op, number, frame[slot]);
  }
  return success();
}

FailureOr<Scalar> Machine::runPerElement(const Body &body, Frame &frame,
                                         ArrayRef<reference::Value> arguments) {
  for (auto [slot, value] : llvm::zip_equal(body.arguments, arguments))
    frame[slot] = value;
  if (failed(run(body, frame)))
    return failure();
  return toScalar(frame[body.yields().front()]);
}

LogicalResult Machine::giveUp(Operation *op) {
  return fail(op, "evaluation was given up after " + llvm::Twine(options.maxSteps) + " steps");
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The declaration that `handle` refers to, its layer checked.
static FailureOr<attn::WeightOp> declaration(Machine &machine, SymbolTableCollection &symbols,
                                             Operation *user, WeightHandle handle) {
  auto get = cast<attn::GetWeightOp>(handle.getWeight);
  auto weight =
      symbols.lookupNearestSymbolFrom<attn::WeightOp>(handle.getWeight, get.getWeightAttr());
  if (!weight)
    return machine.fail(user, "there is no weight '" + get.getWeight() + "'");
  int64_t layers = std::max<int64_t>(weight.getLayers(), 1);
  if (handle.layer < 0 || handle.layer >= layers)
    return machine.fail(user, "reads layer " + llvm::Twine(handle.layer) + " of weight '" +
                                  get.getWeight() + "', which has " + llvm::Twine(layers));
  return weight;
}

FailureOr<Array> Machine::dense(Operation *user, WeightHandle handle) {
  FailureOr<attn::WeightOp> weight = declaration(*this, symbols, user, handle);
  if (failed(weight))
    return failure();
  auto get = cast<attn::GetWeightOp>(handle.getWeight);
  std::optional<ArrayRef<int64_t>> permuted = get.getPermuted();
  auto key = std::pair(permuted ? handle.getWeight : weight->getOperation(), handle.layer);
  if (auto known = denseWeights.find(key); known != denseWeights.end())
    return known->second;
  llvm::Expected<ArrayRef<double>> elements = weights.dense(*weight, handle.layer);
  if (!elements)
    return fail(user, llvm::toString(elements.takeError()));
  attn::WeightType type = weight->getWeightType();
  if (static_cast<int64_t>(elements->size()) != elementCount(type.getShape()))
    return fail(user, "weight '" + get.getWeight() + "' came with " +
                          llvm::Twine(elements->size()) + " elements, expected " +
                          llvm::Twine(elementCount(type.getShape())));
  Array array =
      Array::floats(type.getDequantizedType().getElementType(), type.getShape(), *elements);
  if (permuted) {
    Array view = array;
    for (auto [axis, from] : llvm::enumerate(*permuted)) {
      view.shape[axis] = array.shape[from];
      view.strides[axis] = array.strides[from];
    }
    array = view.clone();
  }
  return denseWeights.try_emplace(key, std::move(array)).first->second;
}

FailureOr<Bytes> Machine::packed(Operation *user, WeightHandle handle) {
  FailureOr<attn::WeightOp> weight = declaration(*this, symbols, user, handle);
  if (failed(weight))
    return failure();
  auto [entry, isNew] = packedWeights.try_emplace({weight->getOperation(), handle.layer});
  if (isNew) {
    llvm::Expected<std::vector<std::byte>> bytes = packWeight(weights, *weight, handle.layer);
    if (!bytes) {
      packedWeights.erase(entry);
      return fail(user, llvm::toString(bytes.takeError()));
    }
    entry->second = std::move(*bytes);
  }
  return Bytes{entry->second, 0};
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

LogicalResult Machine::fail(Operation *op, const llvm::Twine &message) {
  if (!error.empty())
    return failure(); // what came first is the cause
  failedOp = op;
  isUnknown = false;
  llvm::raw_string_ostream text(error);
  if (auto place = op->getLoc()->findInstanceOf<FileLineColLoc>()) {
    text << place.getFilename().getValue() << ':';
    if (place.getLine() != 0) // a whole file has none
      text << place.getLine() << ':' << place.getColumn() << ':';
    text << ' ';
  }
  text << '\'' << op->getName() << "': " << message;
  return failure();
}

LogicalResult Machine::failUnknown(Operation *op, const llvm::Twine &message) {
  if (error.empty()) {
    (void)fail(op, message);
    isUnknown = true;
  }
  return failure();
}

llvm::Error Machine::takeError() {
  assert(!error.empty() && "there was no error");
  return llvm::createStringError(std::exchange(error, {}));
}

const OpTable &heed::reference::opTable() {
  static const OpTable table = [] {
    OpTable made;
    for (auto add : {addArithOps, addMathOps, addFuncOps, addLoopOps, addForallOps, addAffineOps,
                     addLinalgOps, addTensorOps, addTensorSliceOps, addBufferizationOps,
                     addMemRefOps, addVectorOps, addVectorMemoryOps, addLLVMOps, addAttnLaneOps,
                     addAttnWeightOps, addAttnStepOps, addAttnCacheOps, addAttnFusedOps})
      add(made);
    return made;
  }();
  return table;
}
