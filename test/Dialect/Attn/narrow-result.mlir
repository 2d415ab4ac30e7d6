// RUN: heed-opt %s -attn-narrow-result | FileCheck %s

attn.weight @table : !attn.weight<32x8, f32> tensor "t"
#row = affine_map<(i, c) -> (i, c)>
#scalar = affine_map<(i, c) -> (i)>

// Norm and unembedding are computed for the asked rows; the loop's result is sliced.
// CHECK-LABEL: func.func @unembedding
// CHECK-SAME: %[[E:.*]]: tensor<?x8xf32>, %[[FIRST:.*]]: index
func.func @unembedding(%E: tensor<?x8xf32>, %first: index) -> tensor<?x32xf32> attributes {heed.kind = "step"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  // CHECK: %[[N:.*]] = tensor.dim %[[E]]
  // CHECK: %[[ASKED:.*]] = arith.subi %[[N]], %[[FIRST]]
  %n = tensor.dim %E, %c0 : tensor<?x8xf32>
  %asked = arith.subi %n, %first : index
  // CHECK: %[[LOOP:.*]] = scf.for
  %X = scf.for %l = %c0 to %c2 step %c1 iter_args(%x = %E) -> tensor<?x8xf32> {
    scf.yield %x : tensor<?x8xf32>
  }
  // CHECK-DAG: %[[ROWS:.*]] = tensor.extract_slice %[[LOOP]][%[[FIRST]], 0] [%[[ASKED]], 8] [1, 1]
  // CHECK-DAG: %[[SUMS:.*]] = tensor.empty(%[[ASKED]]) : tensor<?xf32>
  // CHECK: linalg.fill ins(%{{.*}}) outs(%[[SUMS]] :
  %se = tensor.empty(%n) : tensor<?xf32>
  %sf = linalg.fill ins(%zero : f32) outs(%se : tensor<?xf32>) -> tensor<?xf32>
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
  %sum = linalg.generic {indexing_maps = [#row, #scalar], iterator_types = ["parallel", "reduction"]}
      ins(%X : tensor<?x8xf32>) outs(%sf : tensor<?xf32>) {
  ^bb0(%x: f32, %acc: f32):
    %s = arith.addf %x, %acc : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  // CHECK: %[[NORM:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[SUM]] : tensor<?x8xf32>, tensor<?xf32>)
  %ne = tensor.empty(%n) : tensor<?x8xf32>
  %norm = linalg.generic {indexing_maps = [#row, #scalar, #row], iterator_types = ["parallel", "parallel"]}
      ins(%X, %sum : tensor<?x8xf32>, tensor<?xf32>) outs(%ne : tensor<?x8xf32>) {
  ^bb0(%x: f32, %s: f32, %out: f32):
    %i = linalg.index 0 : index
    // CHECK: %[[I:.*]] = linalg.index 0
    // CHECK: arith.addi %[[FIRST]], %[[I]]
    %int = arith.index_cast %i : index to i32
    %float = arith.sitofp %int : i32 to f32
    %d = arith.divf %x, %s : f32
    %y = arith.addf %d, %float : f32
    linalg.yield %y : f32
  } -> tensor<?x8xf32>
  // CHECK: %[[R:.*]] = attn.project linear %[[NORM]]
  %w = attn.get_weight @table : !attn.weight<32x8, f32>
  %logits = attn.project linear %norm, %w : tensor<?x8xf32>, !attn.weight<32x8, f32> -> tensor<?x32xf32>
  // CHECK-NEXT: return %[[R]]
  %r = tensor.extract_slice %logits[%first, 0] [%asked, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
  return %r : tensor<?x32xf32>
}

// What is computed whole anyway is sliced, not computed twice.
// CHECK-LABEL: func.func @used_whole
func.func @used_whole(%tokens: tensor<?xi32>, %first: index, %asked: index) -> (tensor<?x8xf32>, tensor<?x8xf32>) attributes {heed.kind = "step"} {
  // CHECK: %[[E:.*]] = attn.embed
  // CHECK: tensor.extract_slice %[[E]]
  // CHECK-NOT: attn.embed
  %w = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %w : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %r = tensor.extract_slice %E[%first, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  return %r, %E : tensor<?x8xf32>, tensor<?x8xf32>
}

// Through a transposition, rows are another axis; embeddings are of the asked tokens alone.
// CHECK-LABEL: func.func @transposed
// CHECK-SAME: %[[TOKENS:.*]]: tensor<?xi32>, %[[FIRST:.*]]: index, %[[ASKED:.*]]: index
func.func @transposed(%tokens: tensor<?xi32>, %first: index, %asked: index) -> tensor<?x8xf32> attributes {heed.kind = "step"} {
  // CHECK: %[[IDS:.*]] = tensor.extract_slice %[[TOKENS]][%[[FIRST]]] [%[[ASKED]]] [1]
  // CHECK: attn.embed %[[IDS]]
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %w = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %w : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  // CHECK: linalg.transpose {{.*}} outs(%{{.*}} : tensor<8x?xf32>) permutation = [1, 0]
  %te = tensor.empty(%n) : tensor<8x?xf32>
  %T = linalg.transpose ins(%E : tensor<?x8xf32>) outs(%te : tensor<8x?xf32>) permutation = [1, 0]
  %be = tensor.empty(%n) : tensor<?x8xf32>
  // CHECK: %[[R:.*]] = linalg.transpose
  %B = linalg.transpose ins(%T : tensor<8x?xf32>) outs(%be : tensor<?x8xf32>) permutation = [1, 0]
  // CHECK-NEXT: return %[[R]]
  %r = tensor.extract_slice %B[%first, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// Of attention the queries are narrowed, whose row numbers the regions ask for; keys stay whole. Sinks have
// rows too. What is put together from several tensors is put together from their rows.
// CHECK-LABEL: func.func @attention
// CHECK-SAME: (%[[A:.+]]: tensor<2x?x4xf32>, %[[B:.+]]: tensor<2x?x2xf32>, %[[K:.+]]: tensor<2x?x6xf32>, %[[SINK:.+]]: tensor<2x?xf32>, %[[FIRST:.+]]: index, %[[ASKED:.+]]: index)
func.func @attention(%a: tensor<2x?x4xf32>, %b: tensor<2x?x2xf32>, %K: tensor<2x?x6xf32>, %sink: tensor<2x?xf32>, %first: index, %asked: index) -> tensor<?x2x6xf32> attributes {heed.kind = "step"} {
  // CHECK-DAG: %[[SOMESINK:.+]] = tensor.extract_slice %[[SINK]][0, %[[FIRST]]] [2, %[[ASKED]]] [1, 1]
  // CHECK-DAG: %[[SOMEA:.+]] = tensor.extract_slice %[[A]][0, %[[FIRST]], 0] [2, %[[ASKED]], 4] [1, 1, 1]
  // CHECK-DAG: %[[SOMEB:.+]] = tensor.extract_slice %[[B]][0, %[[FIRST]], 0] [2, %[[ASKED]], 2] [1, 1, 1]
  // CHECK-DAG: %[[Q:.+]] = tensor.concat dim(2) %[[SOMEA]], %[[SOMEB]]
  %Q = tensor.concat dim(2) %a, %b : (tensor<2x?x4xf32>, tensor<2x?x2xf32>) -> tensor<2x?x6xf32>
  // CHECK: %[[R:.+]] = attn.attention %[[Q]], %[[K]], %[[K]] sink %[[SOMESINK]] scale 5.000000e-01 rows_first
  %Z = attn.attention %Q, %K, %K sink %sink scale 0.5 rows_first : tensor<2x?x6xf32>, tensor<2x?x6xf32>, tensor<2x?x6xf32>, tensor<2x?xf32> -> tensor<?x2x6xf32>
  // CHECK: score {
  // CHECK-NEXT: ^bb0(%{{.+}}: f32, %{{.+}}: index, %[[SI:.+]]: index, %[[SJ:.+]]: index):
  // CHECK-NEXT: %[[SROW:.+]] = arith.addi %[[FIRST]], %[[SI]]
  // CHECK-NEXT: arith.subi %[[SROW]], %[[SJ]]
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    %far = arith.subi %i, %j : index
    %int = arith.index_cast %far : index to i32
    %float = arith.sitofp %int : i32 to f32
    %t = arith.addf %s, %float : f32
    attn.yield %t : f32
  } mask {
  // CHECK: ^bb0(%{{.+}}: index, %[[MI:.+]]: index, %[[MJ:.+]]: index):
  // CHECK-NEXT: %[[MROW:.+]] = arith.addi %[[FIRST]], %[[MI]]
  // CHECK-NEXT: arith.cmpi sle, %[[MJ]], %[[MROW]]
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.cmpi sle, %j, %i : index
    attn.yield %visible : i1
  }
  // CHECK: return %[[R]]
  %r = tensor.extract_slice %Z[%first, 0, 0] [%asked, 2, 6] [1, 1, 1] : tensor<?x2x6xf32> to tensor<?x2x6xf32>
  return %r : tensor<?x2x6xf32>
}
