// RUN: heed-opt %s -attn-tile-attention="lanes=16" -canonicalize -cse -split-input-file | FileCheck %s

// Nine heads, three to a key head: a tile is 5 rows times the 3 heads of one key head, in 16 lanes.
// Keys up to the last that some row sees are folded, without the mask where all rows see them.

// CHECK-LABEL: func.func @causal
// CHECK-SAME: %[[Q:.*]]: tensor<9x?x64xf32>, %[[K:.*]]: tensor<3x?x64xf32>, %[[V:.*]]: tensor<3x?x48xf32>, %[[PAST:.*]]: index)
// CHECK-DAG: %[[ROWS:.*]] = tensor.dim %[[Q]], %c1
// CHECK-DAG: %[[KEYS:.*]] = tensor.dim %[[K]], %c1
// CHECK-DAG: %[[TILES:.*]] = arith.ceildivui %[[ROWS]], %c5
// CHECK: scf.forall (%[[G:.*]], %[[T:.*]]) in (3, %[[TILES]]) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<?x9x48xf32>)
// The longest tile first: tile TILES - 1 - T.
// CHECK: %[[LAST:.*]] = arith.subi %[[TILES]], %c1
// CHECK: %[[TILE:.*]] = arith.subi %[[LAST]], %[[T]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[TILE]], %c5
// CHECK: %[[HEAD:.*]] = arith.muli %[[G]], %c3
// CHECK: %[[LEFT:.*]] = arith.subi %[[ROWS]], %[[FIRST]]
// CHECK: %[[COUNT:.*]] = arith.minui %[[LEFT]], %c5
// CHECK: arith.divui %{{.*}}, %c3
// CHECK: arith.remui %{{.*}}, %c3
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<48x16xf32>)
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<16xf32>)
// CHECK: %[[END:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: %[[STATE:.*]]:3 = scf.for %[[J:.*]] = %c0 to %[[END]] step %c64
// CHECK: %[[NEXT:.*]] = arith.addi %[[J]], %c64
// CHECK: %[[STOP:.*]] = arith.minsi %[[NEXT]], %[[END]]
// CHECK: %[[TAKEN:.*]] = arith.subi %[[STOP]], %[[J]]
// Every row of the tile sees all of these keys where the first one sees the last.
// CHECK: %[[ALL:.*]] = arith.cmpi sle
// CHECK: scf.if %[[ALL]]
// CHECK: %[[KS:.*]] = tensor.extract_slice %[[K]][%[[G]], %[[J]], 0] [1, %[[TAKEN]], 64]
// CHECK: %[[VS:.*]] = tensor.extract_slice %[[V]][%[[G]], %[[J]], 0] [1, %[[TAKEN]], 48]
// CHECK: attn.online_attention %{{.*}}, %[[KS]], %[[VS]] lanes %{{.*}}, %{{.*}} start %[[J]]
// CHECK-SAME: scale {{0.125|1.250000e-01}} key_tile 64
// CHECK-NOT: mask
// CHECK: else
// CHECK: attn.online_attention
// CHECK: mask
// CHECK: arith.addi %[[PAST]], %{{.*}}
// CHECK: arith.cmpi sle
// CHECK-NOT: scf.for %
// A row that saw nothing yields zeros. Lanes become rows again.
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[STATE]]#0, %[[STATE]]#2 :
// CHECK: arith.cmpf ogt
// CHECK: arith.select
// CHECK: %[[L:.*]] = linalg.transpose ins(%[[W]] : tensor<48x16xf32>) outs(%{{.*}} : tensor<16x48xf32>) permutation = [1, 0]
// CHECK: %[[Z:.*]] = linalg.generic
// CHECK: tensor.extract %[[L]]
// CHECK: tensor.parallel_insert_slice %[[Z]] into %[[OUT]][%[[FIRST]], %[[HEAD]], 0] [%[[COUNT]], 3, 48] [1, 1, 1]
// CHECK-NOT: attn.attention
func.func @causal(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>, %V: tensor<3x?x48xf32>, %past: index) -> tensor<?x9x48xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x48xf32> -> tensor<?x9x48xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %row = arith.addi %past, %i : index
    %visible = arith.cmpi sle, %j, %row : index
    attn.yield %visible : i1
  }
  return %Z : tensor<?x9x48xf32>
}

// -----

// One head, no mask: one sweep over all keys. The score's region goes into the tile.
// CHECK-LABEL: func.func @single_head
// CHECK-SAME: %[[Q:.*]]: tensor<?x64xf32>, %[[K:.*]]: tensor<?x64xf32>, %[[V:.*]]: tensor<?x32xf32>)
// CHECK: %[[KEYS:.*]] = tensor.dim %[[K]], %c0
// CHECK: scf.forall (%{{.*}}) in (%{{.*}})
// CHECK: scf.for %[[J:.*]] = %c0 to %[[KEYS]] step %c64
// CHECK: tensor.extract_slice %[[K]][%[[J]], 0] [%{{.*}}, 64] [1, 1] : tensor<?x64xf32> to tensor<?x64xf32>
// CHECK: attn.online_attention
// CHECK-SAME: score
// CHECK: math.tanh
// CHECK-NOT: mask
// CHECK-NOT: scf.for %
// CHECK: tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%{{.*}}, 0] [%{{.*}}, 32] [1, 1]
func.func @single_head(%Q: tensor<?x64xf32>, %K: tensor<?x64xf32>, %V: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x32xf32> -> tensor<?x32xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    %capped = math.tanh %s : f32
    attn.yield %capped : f32
  }
  return %Z : tensor<?x32xf32>
}

// -----

// More heads in a group than lanes: a task has a part of the group.
// CHECK-LABEL: func.func @large_group
// CHECK: scf.forall (%[[G:.*]], %[[PART:.*]], %{{.*}}) in (2, 2, %{{.*}})
// CHECK-DAG: arith.muli %[[G]], %c24
// CHECK-DAG: arith.muli %[[PART]], %c12
// CHECK: tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%{{.*}}, %{{.*}}, 0] [12, %{{.*}}, 8]
func.func @large_group(%Q: tensor<48x?x8xf32>, %K: tensor<2x?x8xf32>, %V: tensor<2x?x8xf32>) -> tensor<48x?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<48x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<48x?x8xf32>
  return %Z : tensor<48x?x8xf32>
}
