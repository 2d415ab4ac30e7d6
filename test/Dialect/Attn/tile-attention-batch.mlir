// RUN: heed-opt %s -attn-tile-attention="lanes=16" -canonicalize -cse -split-input-file | FileCheck %s

// Each element of a batch has tasks of its own. Its length is read once and bounds the keys; keys
// and values that the batch shares are element 0's.

// CHECK-LABEL: func.func @padded
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x6x?x8xf32>, %[[K:[^:]+]]: tensor<?x2x?x8xf32>, %[[V:[^:]+]]: tensor<1x2x?x4xf32>, %[[LENGTHS:[^:]+]]: tensor<?xi32>
// CHECK-DAG: %[[B:.+]] = tensor.dim %[[Q]], %c0
// CHECK: scf.forall (%[[E:.+]], %[[G:.+]], %{{.+}}) in (%[[B]], 2, %{{.+}}) shared_outs(%{{.+}}) -> (tensor<?x?x6x4xf32>)
// CHECK: tensor.extract %[[Q]][%[[E]], %{{.+}}, %{{.+}}, %{{.+}}]
// CHECK: %[[L:.+]] = tensor.extract %[[LENGTHS]][%[[E]]]
// CHECK: %[[LENGTH:.+]] = arith.index_cast %[[L]]
// CHECK: arith.minsi %{{.+}}, %[[LENGTH]]
// CHECK: scf.for
// CHECK: tensor.extract_slice %[[K]][%[[E]], %[[G]], %{{.+}}, 0] [1, 1, %{{.+}}, 8]
// CHECK: tensor.extract_slice %[[V]][0, %[[G]], %{{.+}}, 0] [1, 1, %{{.+}}, 4]
// CHECK: attn.online_attention
// CHECK: scf.forall.in_parallel
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[E]], %{{.+}}, %{{.+}}, 0] [1, %{{.+}}, 3, 4]
func.func @padded(%Q: tensor<?x6x?x8xf32>, %K: tensor<?x2x?x8xf32>, %V: tensor<1x2x?x4xf32>,
                  %lengths: tensor<?xi32>) -> tensor<?x?x6x4xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 rows_first : tensor<?x6x?x8xf32>, tensor<?x2x?x8xf32>, tensor<1x2x?x4xf32> -> tensor<?x?x6x4xf32> mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %l = tensor.extract %lengths[%b] : tensor<?xi32>
    %length = arith.index_cast %l : i32 to index
    %visible = arith.cmpi slt, %j, %length : index
    attn.yield %visible : i1
  }
  return %Z : tensor<?x?x6x4xf32>
}

// -----

// Heads whose number isn't known are a batch.
// CHECK-LABEL: func.func @no_heads
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x?x8xf32>
// CHECK: scf.forall (%[[E:.+]], %{{.+}}) in (%{{.+}}, %{{.+}}) shared_outs(%{{.+}}) -> (tensor<?x?x8xf32>)
// CHECK: tensor.extract_slice %{{.+}}[%[[E]], %{{.+}}, 0] [1, %{{.+}}, 8]
// CHECK: arith.addi %{{.+}}, %[[E]]
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[E]], %{{.+}}, 0] [1, %{{.+}}, 8]
func.func @no_heads(%Q: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %Z = attn.attention %Q, %Q, %Q scale 1.0 : tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32> mask {
  ^bb0(%h: index, %i: index, %j: index):
    %last = arith.addi %i, %h : index
    %odd = arith.xori %last, %j : index
    %visible = arith.cmpi sle, %j, %odd : index
    attn.yield %visible : i1
  }
  return %Z : tensor<?x?x8xf32>
}

// -----

// Seventeen heads that share keys don't fit in sixteen lanes: nine and eight of them do.
// CHECK-LABEL: func.func @parts
// CHECK: scf.forall (%[[PART:.+]], %{{.+}}) in (2, %{{.+}})
// CHECK: %[[FIRST:.+]] = arith.muli %[[PART]], %c9
// CHECK: %[[LEFT:.+]] = arith.subi %c17, %[[FIRST]]
// CHECK: %[[COUNT:.+]] = arith.minui %[[LEFT]], %c9
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[FIRST]], %{{.+}}, 0] [%[[COUNT]], %{{.+}}, 8]
func.func @parts(%Q: tensor<17x?x8xf32>, %K: tensor<1x?x8xf32>) -> tensor<17x?x8xf32> {
  %Z = attn.attention %Q, %K, %K scale 1.0 : tensor<17x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x8xf32> -> tensor<17x?x8xf32>
  return %Z : tensor<17x?x8xf32>
}
