// RUN: heed-opt %s -attn-tile-attention="lanes=16 key-tile=8" -canonicalize -cse -split-input-file | FileCheck %s

// Which keys a tile of 16 rows visits follows from the mask's predicate (KeyBounds.h).

// A window has three sweeps: keys that only its first rows see, keys that all see, keys that only
// its last rows see. Row i sees i - 127 … i.
// CHECK-LABEL: func.func @window
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c16
// CHECK: %[[PAST_LAST:.*]] = arith.addi %[[FIRST]], %{{.*}}
// CHECK-DAG: %[[PAST_FIRST:.*]] = arith.addi %[[FIRST]], %c1
// CHECK-DAG: arith.minsi %{{.*}}, %[[PAST_LAST]]
// CHECK-DAG: arith.minsi %{{.*}}, %[[PAST_FIRST]]
// CHECK-DAG: %[[FROM_FIRST:.*]] = arith.addi %[[FIRST]], %c-127
// CHECK-DAG: %[[FROM_LAST:.*]] = arith.addi %[[PAST_LAST]], %c-128
// CHECK-DAG: arith.maxsi %[[FROM_FIRST]], %c0
// CHECK-DAG: arith.maxsi %[[FROM_LAST]], %c0
// CHECK: scf.for %{{.*}} = %[[LO:.*]] to %[[FULL_LO:.*]] step %c8
// CHECK: mask
// CHECK: scf.for %{{.*}} = %[[FULL_LO]] to %[[FULL_HI:.*]] step %c8
// CHECK-NOT: mask
// CHECK: scf.for %{{.*}} = %[[FULL_HI]] to %[[HI:.*]] step %c8
// CHECK: mask
// CHECK-NOT: scf.for %
func.func @window(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %c128 = arith.constant 128 : index
    %earlier = arith.cmpi sle, %j, %i : index
    %distance = arith.subi %i, %j : index
    %near = arith.cmpi slt, %distance, %c128 : index
    %visible = arith.andi %earlier, %near : i1
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}

// -----

// Where a part of the conjunction isn't understood, the rest still bounds the keys, and every tile
// has the mask.
// CHECK-LABEL: func.func @half_understood
// CHECK: %[[TILE:.*]] = arith.muli %{{.*}}, %c16
// CHECK: %[[PAST_LAST:.*]] = arith.addi %[[TILE]], %{{.*}}
// CHECK: %[[END:.*]] = arith.minsi %{{.*}}, %[[PAST_LAST]]
// CHECK: %[[HI:.*]] = arith.maxsi %[[END]], %c0
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[HI]] step %c8
// CHECK: mask
// CHECK: tensor.extract
// CHECK-NOT: scf.for %
func.func @half_understood(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>, %segment: tensor<?xi32>) -> tensor<?x8xf32> {
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

// A disjunction bounds nothing: all keys are visited with the mask.
// CHECK-LABEL: func.func @disjunction
// CHECK: %[[KEYS:.*]] = tensor.dim %arg1, %c0
// CHECK: scf.for %{{.*}} = %c0 to %[[KEYS]] step %c8
// CHECK: arith.ori
// CHECK-NOT: scf.for %
func.func @disjunction(%Q: tensor<?x8xf32>, %K: tensor<?x8xf32>, %V: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %c4 = arith.constant 4 : index
    %prefix = arith.cmpi slt, %j, %c4 : index
    %earlier = arith.cmpi sle, %j, %i : index
    %visible = arith.ori %prefix, %earlier : i1
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}
