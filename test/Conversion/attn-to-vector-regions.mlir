// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// What a score region does is done in lanes. The mask is evaluated first: lanes that it hides read nothing of the
// table. A power of a constant is an exponential.
// CHECK-LABEL: func.func @table
// CHECK-SAME: %[[TABLE:[a-z0-9]+]]: memref<4x32xf32>
// CHECK: %[[VISIBLE:.*]] = arith.cmpi sle, {{.*}} vector<16xindex>
// CHECK: %[[ROW:.*]] = arith.muli %{{.*}} : vector<16xi32>
// CHECK: %[[AT:.*]] = arith.addi %[[ROW]], %{{.*}} : vector<16xi32>
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[TABLE]]
// CHECK: vector.gather %[[FLAT]][%{{.*}}] [%[[AT]]], %[[VISIBLE]],
// CHECK: %[[POWER:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: math.exp %[[POWER]] : vector<16xf32>
// CHECK-NOT: math.powf
// CHECK: arith.select %[[VISIBLE]]
func.func @table(%q: memref<8x16xf32>, %k: memref<?x8xf32>, %heads: memref<16xindex>, %table: memref<4x32xf32>,
                 %start: index, %acc: memref<8x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 0.125 key_tile 64
    : memref<8x16xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    %half = arith.constant 0.5 : f32
    %distance = arith.subi %i, %j : index
    %b = memref.load %table[%h, %distance] : memref<4x32xf32>
    %p = math.powf %half, %b : f32
    %biased = arith.addf %s, %p : f32
    attn.yield %biased : f32
  } mask {
  ^bb0(%h: index, %i: index, %j: index):
    %v = arith.cmpi sle, %j, %i : index
    attn.yield %v : i1
  }
  return
}

// -----

// What depends on the rows alone is read before the loop over keys: integers are gathered too, and a table that
// isn't contiguous is read lane by lane. What depends on the key alone is read once for all lanes.
// CHECK-LABEL: func.func @kinds
// CHECK-SAME: %[[GROUP:[a-z0-9]+]]: memref<?xi32>, %[[PART:[a-z0-9]+]]: memref<8xf32, strided<[2]>>
// CHECK: vector.gather %[[GROUP]]{{.*}} into vector<16xi32>
// CHECK-COUNT-16: memref.load %[[PART]]
// CHECK: scf.for
// CHECK: %[[OF_KEY:.*]] = memref.load %[[GROUP]]
// CHECK: vector.broadcast %[[OF_KEY]] : i32 to vector<16xi32>
func.func @kinds(%q: memref<8x16xf32>, %k: memref<?x8xf32>, %heads: memref<16xindex>, %group: memref<?xi32>, %part: memref<8xf32, strided<[2]>>,
                 %start: index, %acc: memref<8x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 0.125 key_tile 64
    : memref<8x16xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    %key = memref.load %group[%j] : memref<?xi32>
    %row = memref.load %group[%i] : memref<?xi32>
    %same = arith.cmpi eq, %row, %key : i32
    %b = memref.load %part[%h] : memref<8xf32, strided<[2]>>
    %chosen = arith.select %same, %s, %b : f32
    attn.yield %chosen : f32
  }
  return
}
