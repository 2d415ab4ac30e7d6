// RUN: heed-opt %s -allow-unregistered-dialect -convert-weights-to-llvm | FileCheck %s

// The table of weights has an address for each layer of each weight, in the order of declarations.
// CHECK-NOT: attn.weight
attn.weight @first : !attn.weight<8, f32> tensor "a"
attn.weight @layers : !attn.weight<16x8, f32> tensor "b.{l}" layers 30
attn.weight @last : !attn.weight<4x8, f32> tensor "c"

// CHECK-LABEL: func.func @f_entry
// CHECK-SAME: %[[CONTEXT:.*]]: !llvm.ptr, %[[L:.*]]: index)
// CHECK: %[[TABLE:.*]] = llvm.load %[[CONTEXT]] invariant
// CHECK: %[[FROM:.*]] = llvm.mlir.constant(1 : i64)
// CHECK: %[[LAYER:.*]] = arith.index_cast %[[L]] : index to i64
// CHECK: %[[PLACE:.*]] = arith.addi %[[FROM]], %[[LAYER]]
// CHECK: %[[ADDRESS_OF:.*]] = llvm.getelementptr %[[TABLE]][%[[PLACE]]]
// CHECK: %[[ADDRESS:.*]] = llvm.load %[[ADDRESS_OF]] invariant
// What is announced is a prefetch that knows how much follows.
// CHECK: %[[FIRST:.*]] = llvm.getelementptr %[[ADDRESS]][%{{.*}}] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK: "llvm.intr.prefetch"(%[[FIRST]]) <{{.*}}> {heed.bytes = 128 : i64}
// One prefetch for each cache line, to the first level.
// CHECK: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}> : (!llvm.ptr) -> ()
// CHECK: llvm.getelementptr %{{.*}}[64] :
// CHECK: "llvm.intr.prefetch"
// Or to the second.
// CHECK: "llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}> : (!llvm.ptr) -> ()
// CHECK-NOT: "llvm.intr.prefetch"
// The last weight comes behind all 30 layers. Its dense copy is a memref at the address.
// CHECK: llvm.mlir.constant(31 : i64)
// CHECK: %[[DENSE:.*]] = llvm.load
// CHECK: llvm.insertvalue %[[DENSE]]
// CHECK: %[[MEMREF:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<4x8xf32>
// CHECK: "test.use"(%[[ADDRESS]], %[[MEMREF]])
func.func @f_entry(%context: !llvm.ptr, %l: index) attributes {heed.entry = "f"} {
  %w = attn.get_weight @layers[%l] : !attn.weight<16x8, f32>
  %p = builtin.unrealized_conversion_cast %w : !attn.weight<16x8, f32> to !llvm.ptr
  attn.announce %w[%l], 128 : !attn.weight<16x8, f32>
  attn.prefetch %w[%l], 80 : !attn.weight<16x8, f32>
  attn.prefetch %w[%l], 64 level 2 : !attn.weight<16x8, f32>
  %c = attn.get_weight @last : !attn.weight<4x8, f32>
  %d = attn.dequantize %c : !attn.weight<4x8, f32> -> memref<4x8xf32>
  "test.use"(%p, %d) : (!llvm.ptr, memref<4x8xf32>) -> ()
  return
}
