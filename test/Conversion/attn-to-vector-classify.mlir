// RUN: heed-opt %s -convert-attn-to-vector | FileCheck %s

// What the rows determine is computed before the loop over keys, what a key determines once for
// all lanes.
// CHECK-LABEL: func.func @documents
// CHECK-SAME: %[[HEADS:.*]]: memref<32xindex>, %[[ROWS:.*]]: memref<32xindex>, %[[FIRST:.*]]: index, %[[COUNT:.*]]: index, %[[SEGMENT:.*]]: memref<?xi32>)
// CHECK-COUNT-2: vector.gather %[[SEGMENT]]
// CHECK-NOT: memref.load
// The loop ends as soon as something visible and something hidden is found.
// CHECK: %[[SEEN:.*]]:3 = scf.while (%[[T:.*]] = %{{.*}}, %[[ANY:.*]] = %{{.*}}, %[[ALL:.*]] = %{{.*}})
// CHECK: %[[LEFT:.*]] = arith.cmpi slt, %[[T]], %[[COUNT]]
// CHECK: %[[NONE:.*]] = arith.xori %[[ANY]]
// CHECK: %[[OPEN:.*]] = arith.ori %[[NONE]], %[[ALL]]
// CHECK: arith.andi %[[LEFT]], %[[OPEN]]
// CHECK: %[[J:.*]] = arith.addi %[[FIRST]],
// CHECK: %[[THEIRS:.*]] = memref.load %[[SEGMENT]][%[[J]]]
// CHECK: %[[ALIKE:.*]] = vector.broadcast %[[THEIRS]]
// CHECK: arith.cmpi eq, %{{.*}}, %[[ALIKE]] : vector<16xi32>
// CHECK: vector.reduction <or>
// CHECK: vector.reduction <and>
// CHECK: return %[[SEEN]]#1, %[[SEEN]]#2
func.func @documents(%heads: memref<32xindex>, %rows: memref<32xindex>, %first: index, %count: index, %segment: memref<?xi32>) -> (i1, i1) {
  %any, %all = attn.classify_keys lanes %heads, %rows keys %first, %count : memref<32xindex>, memref<32xindex> mask {
  ^bb0(%h: index, %i: index, %j: index):
    %mine = memref.load %segment[%i] : memref<?xi32>
    %theirs = memref.load %segment[%j] : memref<?xi32>
    %same = arith.cmpi eq, %mine, %theirs : i32
    attn.yield %same : i1
  }
  return %any, %all : i1, i1
}
