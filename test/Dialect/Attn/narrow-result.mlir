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
