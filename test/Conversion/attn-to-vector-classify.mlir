// RUN: heed-opt %s -convert-attn-to-vector | FileCheck %s

// What the rows determine is computed before the loop over keys, what a key determines once for
// all lanes.
// CHECK-LABEL: func.func @documents
// CHECK-SAME: %[[HEADS:.*]]: memref<32xindex>, %[[ROWS:.*]]: memref<32xindex>, %[[FIRST:.*]]: index, %[[COUNT:.*]]: index, %[[SEGMENT:.*]]: memref<?xi32>)
// CHECK-COUNT-32: memref.load %[[SEGMENT]]
// CHECK-NOT: memref.load
// CHECK: %[[SEEN:.*]]:2 = scf.for %[[T:.*]] = %{{.*}} to %[[COUNT]] {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (vector<16xi1>, vector<16xi1>)
// CHECK: %[[J:.*]] = arith.addi %[[FIRST]], %[[T]]
// CHECK: %[[THEIRS:.*]] = memref.load %[[SEGMENT]][%[[J]]]
// CHECK: %[[ALIKE:.*]] = vector.broadcast %[[THEIRS]]
// CHECK: arith.cmpi eq, %{{.*}}, %[[ALIKE]] : vector<16xi32>
// CHECK: arith.ori
// CHECK: arith.andi
// CHECK: %[[ANY:.*]] = vector.reduction <or>, %[[SEEN]]#0
// CHECK: %[[ALL:.*]] = vector.reduction <and>, %[[SEEN]]#1
// CHECK: return %[[ANY]], %[[ALL]]
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
