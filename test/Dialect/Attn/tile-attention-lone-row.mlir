// RUN: heed-opt %s -attn-tile-attention="lanes=16 split-keys" -canonicalize -cse -split-input-file | FileCheck %s
// RUN: heed-opt %s -attn-tile-attention="lanes=16" -split-input-file | FileCheck %s --check-prefix=WHOLE

// One row: a task for each key head and 256 keys, whose lanes are the heads of the group. Tiles of
// keys are those of longer calls. Then a task for each key head joins its parts.
// WHOLE-NOT: lanes_first
// CHECK-LABEL: func.func @decode
// CHECK-SAME: %[[Q:.+]]: tensor<4x?x32xf32>, %[[K:.+]]: tensor<2x?x32xf32>, %{{.+}}: tensor<2x?x16xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[Q]], %c1
// CHECK: %[[LONE:.+]] = arith.cmpi eq, %[[ROWS]], %c1
// CHECK: scf.if %[[LONE]]
// CHECK: %[[PARTS:.+]] = arith.ceildivui %{{.+}}, %c256
// CHECK: %[[F:.+]]:3 = scf.forall (%[[G:.+]], %[[P:.+]]) in (2, %[[PARTS]]) shared_outs(%[[A:.+]] = %{{.+}}, %[[M:.+]] = %{{.+}}, %[[S:.+]] = %{{.+}}) -> (tensor<1x2x?x2x16xf32>, tensor<1x2x?x2xf32>, tensor<1x2x?x2xf32>)
// CHECK: %[[FROM:.+]] = arith.muli %[[P]], %c256
// CHECK: %[[TO:.+]] = arith.addi %[[FROM]], %c256
// CHECK: %[[BEGIN:.+]] = arith.maxsi %[[FROM]], %c0
// CHECK: %[[END:.+]] = arith.minsi %{{.+}}, %[[TO]]
// CHECK: scf.for %{{.+}} = %[[BEGIN]] to %[[END]] step %c64
// CHECK: attn.online_attention
// CHECK-SAME: key_tile 64 lanes_first : tensor<2x32xf32>, tensor<?x32xf32>, tensor<?x16xf32>, tensor<2xindex>, tensor<2xindex>, tensor<2x16xf32>, tensor<2xf32>, tensor<2xf32>
// CHECK: tensor.parallel_insert_slice %{{.+}} into %[[A]][0, %[[G]], %[[P]], 0, 0] [1, 1, 1, 2, 16]
// CHECK: tensor.parallel_insert_slice %{{.+}} into %[[M]][0, %[[G]], %[[P]], 0] [1, 1, 1, 2]
// CHECK: tensor.parallel_insert_slice %{{.+}} into %[[S]][0, %[[G]], %[[P]], 0] [1, 1, 1, 2]
// CHECK: scf.forall (%[[G:.+]]) in (2)
// CHECK: tensor.extract_slice %[[F]]#0[0, %[[G]], 0, 0, 0] [1, 1, %[[PARTS]], 2, 16]
// CHECK: arith.maxnumf
// A part that saw nothing doesn't count.
// CHECK: %[[SEEN:.+]] = arith.cmpf ogt
// CHECK: math.exp %
// CHECK: arith.select %[[SEEN]]
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[0, %{{.+}}, 0] [1, 2, 16]
// CHECK: else
// CHECK: scf.forall
func.func @decode(%Q: tensor<4x?x32xf32>, %K: tensor<2x?x32xf32>, %V: tensor<2x?x16xf32>, %past: index) -> tensor<?x4x16xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first : tensor<4x?x32xf32>, tensor<2x?x32xf32>, tensor<2x?x16xf32> -> tensor<?x4x16xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %row = arith.addi %past, %i : index
    %visible = arith.cmpi sle, %j, %row : index
    attn.yield %visible : i1
  }
  return %Z : tensor<?x4x16xf32>
}

// -----

// The first part alone starts with the sink. Elements of a batch have parts of their own.
// CHECK-LABEL: func.func @sink
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x2x?x16xf32>
// CHECK: %[[B:.+]] = tensor.dim %[[Q]], %c0
// CHECK: scf.forall (%[[E:.+]], %[[G:.+]], %[[P:.+]]) in (%[[B]], 2, %{{.+}})
// CHECK: %[[FIRST:.+]] = arith.cmpi eq, %[[P]], %c0
// CHECK: %[[LOGIT:.+]] = tensor.extract %{{.+}}[%[[E]], %{{.+}}, %c0]
// CHECK: %[[L:.+]] = arith.mulf %[[LOGIT]]
// CHECK: arith.select %[[FIRST]], %[[L]], %{{.+}}
// CHECK: attn.online_attention
// CHECK-SAME: lanes_first
func.func @sink(%Q: tensor<?x2x?x16xf32>, %K: tensor<1x2x?x16xf32>, %sink: tensor<?x2x?xf32>) -> tensor<?x2x?x16xf32> {
  %Z = attn.attention %Q, %K, %K sink %sink scale 1.0 : tensor<?x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<?x2x?xf32> -> tensor<?x2x?x16xf32>
  return %Z : tensor<?x2x?x16xf32>
}

// -----

// Nine heads fill lanes, and components that don't fill vectors have no such form.
// CHECK-LABEL: func.func @many_heads
// CHECK-NOT: lanes_first
func.func @many_heads(%Q: tensor<9x?x16xf32>, %K: tensor<1x?x16xf32>) -> tensor<9x?x16xf32> {
  %Z = attn.attention %Q, %K, %K scale 1.0 : tensor<9x?x16xf32>, tensor<1x?x16xf32>, tensor<1x?x16xf32> -> tensor<9x?x16xf32>
  return %Z : tensor<9x?x16xf32>
}

// CHECK-LABEL: func.func @odd_depth
// CHECK-NOT: lanes_first
func.func @odd_depth(%Q: tensor<2x?x8xf32>, %K: tensor<1x?x8xf32>, %V: tensor<1x?x16xf32>) -> tensor<2x?x16xf32> {
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<2x?x8xf32>, tensor<1x?x8xf32>, tensor<1x?x16xf32> -> tensor<2x?x16xf32>
  return %Z : tensor<2x?x16xf32>
}
