// RUN: heed-opt %s -attn-tile-attention="lanes=16 key-tile=8" -canonicalize -cse -split-input-file | FileCheck %s

// Which keys a tile of 16 rows visits follows from the mask's predicate (KeyRanges.h).

// A window is one range, the first key that the first row sees up to the last that the last row
// sees, in tiles at multiples of 8. A comparison tells tiles that all rows see.
// CHECK-LABEL: func.func @window
// CHECK: %[[KEYS:.*]] = tensor.dim %{{.*}}, %c0
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c16
// CHECK-DAG: %[[HI:.*]] = arith.minsi %{{.*}}, %{{.*}}
// CHECK-DAG: %[[LO:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: %[[SOME:.*]] = arith.cmpi slt, %[[LO]], %[[HI]]
// CHECK: %[[END:.*]] = arith.select %[[SOME]], %[[HI]], %c0
// CHECK: %[[NTH:.*]] = arith.divui %[[LO]], %c8
// CHECK: %[[START:.*]] = arith.muli %[[NTH]], %c8
// CHECK: scf.for %[[J:.*]] = %[[START]] to %[[END]] step %c8
// CHECK: %[[AT:.*]] = arith.maxsi %[[J]], %[[LO]]
// CHECK: arith.minsi %{{.*}}, %[[END]]
// CHECK: %[[ALL:.*]] = arith.andi
// CHECK: scf.if %[[ALL]]
// CHECK: attn.online_attention {{.*}} start %[[AT]]
// CHECK-NOT: mask
// CHECK: } else {
// CHECK: attn.online_attention
// CHECK-SAME: mask
// CHECK-NOT: scf.for %
// CHECK-NOT: attn.classify_keys
func.func @window(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>, %past: index) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %c128 = arith.constant 128 : index
    %row = arith.addi %past, %i : index
    %earlier = arith.cmpi sle, %j, %row : index
    %distance = arith.subi %row, %j : index
    %near = arith.cmpi slt, %distance, %c128 : index
    %visible = arith.andi %earlier, %near : i1
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}

// -----

// Documents: the least and the greatest number of the rows, once, and those of each tile of keys.
// Where they leave it open, the mask itself is asked.
// CHECK-LABEL: func.func @documents
// CHECK-SAME: %[[SEGMENT:[a-z0-9]*]]: tensor<?xi32>)
// CHECK: %[[MINE:.*]]:2 = scf.for
// CHECK: tensor.extract %[[SEGMENT]]
// CHECK: arith.minsi
// CHECK: arith.maxsi
// CHECK: scf.for
// CHECK: %[[THEIRS:.*]]:2 = scf.for
// CHECK: tensor.extract %[[SEGMENT]]
// CHECK-DAG: arith.subi %[[MINE]]#0, %[[THEIRS]]#1
// CHECK-DAG: arith.subi %[[MINE]]#1, %[[THEIRS]]#0
// CHECK: %[[CLASS:.*]]:2 = scf.if
// CHECK: scf.yield
// CHECK: else
// CHECK: %[[CHECKED:.*]]:2 = attn.classify_keys
// CHECK: scf.yield %[[CHECKED]]#0, %[[CHECKED]]#1
// CHECK: scf.if %[[CLASS]]#1
// CHECK: attn.online_attention
// CHECK-NOT: mask
// CHECK: else
// CHECK: scf.if %[[CLASS]]#0
// CHECK: attn.online_attention
// CHECK-SAME: mask
func.func @documents(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>, %segment: tensor<?xi32>) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %mine = tensor.extract %segment[%i] : tensor<?xi32>
    %theirs = tensor.extract %segment[%j] : tensor<?xi32>
    %same = arith.cmpi eq, %mine, %theirs : i32
    %earlier = arith.cmpi sle, %j, %i : index
    %visible = arith.andi %same, %earlier : i1
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}

// -----

// A window with sinks is two ranges, whose gap isn't visited: one body, for both.
// CHECK-LABEL: func.func @sinks
// CHECK: scf.for %[[NUMBER:.*]] = %c0 to %c2 step %c1
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi sle, %[[NUMBER]], %c0
// CHECK: %[[FROM:.*]] = arith.select %[[IS_FIRST]]
// CHECK: %[[TO:.*]] = arith.select %[[IS_FIRST]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[TO]] step %c8
// CHECK: attn.online_attention
// CHECK: attn.online_attention
// CHECK-NOT: attn.online_attention
func.func @sinks(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %c4 = arith.constant 4 : index
    %c100 = arith.constant 100 : index
    %earlier = arith.cmpi sle, %j, %i : index
    %distance = arith.subi %i, %j : index
    %near = arith.cmpi slt, %distance, %c100 : index
    %sink = arith.cmpi slt, %j, %c4 : index
    %seen = arith.ori %near, %sink : i1
    %visible = arith.andi %earlier, %seen : i1
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}

// -----

// Of a predicate that nothing is known of, every tile is asked.
// CHECK-LABEL: func.func @unknown
// CHECK: %[[KEYS:.*]] = tensor.dim %arg1, %c0
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c8
// CHECK: %[[CHECKED:.*]]:2 = attn.classify_keys
// CHECK: scf.if %[[CHECKED]]#1
// CHECK: scf.if %[[CHECKED]]#0
func.func @unknown(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>, %shown: tensor<?x?xi1>) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = tensor.extract %shown[%i, %j] : tensor<?x?xi1>
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}
