// RUN: heed-opt %s -attn-derive-cache="required" | FileCheck %s
attn.weight @embed : !attn.weight<32x8, f32> tensor "embed"
attn.weight @position : !attn.weight<64x8, f32> tensor "position"
attn.weight @Wq : !attn.weight<2x4x8, f32> tensor "{l}.q" layers 2
attn.weight @Wk : !attn.weight<1x4x8, f32> tensor "{l}.k" layers 2
attn.weight @Wo : !attn.weight<8x2x4, f32> tensor "{l}.o" layers 2

// Two layers of grouped attention: both caches go through the loop.
// CHECK-LABEL: func.func @layers
// CHECK-SAME: %[[TOKENS:.*]]: tensor<?xi32> {heed.arg = "param", heed.name = "tokens"},
// CHECK-SAME: %[[PAST:.*]]: index {heed.arg = "past", heed.name = "past"},
// CHECK-SAME: %[[FIRST:.*]]: index {heed.arg = "first", heed.name = "first"},
// CHECK-SAME: %[[CACHE:.*]]: tensor<2x1x?x4xf32> {heed.arg = "cache", heed.name = "K"}, %[[VCACHE:.*]]: tensor<2x1x?x4xf32> {heed.arg = "cache", heed.name = "V"})
// CHECK-SAME: -> (tensor<?x8xf32>, tensor<2x1x?x4xf32>, tensor<2x1x?x4xf32>) attributes {heed.kind = "step"}
func.func @layers(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[TOKENS]]
  // CHECK: %[[LENGTH:.*]] = arith.addi %[[PAST]], %[[N]]
  // CHECK: %[[ASKED:.*]] = arith.subi %[[N]], %[[FIRST]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %table = attn.get_weight @embed : !attn.weight<32x8, f32>
  // CHECK: %[[E:.*]] = attn.embed %[[TOKENS]]
  %E0 = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  // CHECK: %[[LOOP:.*]]:3 = scf.for %[[L:.*]] = {{.*}} iter_args(%{{.*}} = %[[E]], %[[C:.*]] = %[[CACHE]], %[[VC:.*]] = %[[VCACHE]])
  %E2 = scf.for %l = %c0 to %c2 step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    %n = tensor.dim %tokens, %c0 : tensor<?xi32>
    %Wq = attn.get_weight @Wq[%l] : !attn.weight<2x4x8, f32>
    %Wk = attn.get_weight @Wk[%l] : !attn.weight<1x4x8, f32>
    %Wo = attn.get_weight @Wo[%l] : !attn.weight<8x2x4, f32>
    %q = attn.project query %E, %Wq : tensor<?x8xf32>, !attn.weight<2x4x8, f32> -> tensor<?x2x4xf32>
    %k = attn.project key %E, %Wk : tensor<?x8xf32>, !attn.weight<1x4x8, f32> -> tensor<?x1x4xf32>
    %qe = tensor.empty(%n) : tensor<2x?x4xf32>
    %Q = linalg.transpose ins(%q : tensor<?x2x4xf32>) outs(%qe : tensor<2x?x4xf32>) permutation = [1, 0, 2]
    // CHECK: %[[K:.*]] = linalg.transpose {{.*}} outs({{.*}} : tensor<1x?x4xf32>)
    // CHECK: %[[APPENDED:.*]] = attn.cache_append %[[K]] into %[[C]] layer %[[L]] at %[[PAST]]
    // CHECK: %[[ALL:.*]] = attn.cache_read %[[APPENDED]] layer %[[L]] length %[[LENGTH]]
    %ke = tensor.empty(%n) : tensor<1x?x4xf32>
    %K = linalg.transpose ins(%k : tensor<?x1x4xf32>) outs(%ke : tensor<1x?x4xf32>) permutation = [1, 0, 2] loc("K")
    // CHECK: %[[VAPPENDED:.*]] = attn.cache_append %{{.*}} into %[[VC]] layer %[[L]] at %[[PAST]]
    // CHECK: %[[VALL:.*]] = attn.cache_read %[[VAPPENDED]] layer %[[L]] length %[[LENGTH]]
    %ve = tensor.empty(%n) : tensor<1x?x4xf32>
    %V = linalg.transpose ins(%k : tensor<?x1x4xf32>) outs(%ve : tensor<1x?x4xf32>) permutation = [1, 0, 2]
    // CHECK: attn.scores %{{.*}}, %[[ALL]]
    %S = attn.scores %Q, %K scale 0.5 : tensor<2x?x4xf32>, tensor<1x?x4xf32> -> tensor<2x?x?xf32>
    // CHECK: attn.mask
    // CHECK: ^bb0(%{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
    // CHECK: %[[ROW:.*]] = arith.addi %[[PAST]], %[[I]]
    // CHECK: arith.cmpi sle, %[[J]], %[[ROW]]
    %M = attn.mask %S : tensor<2x?x?xf32> {
    ^bb0(%h: index, %i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      attn.yield %visible : i1
    }
    %A = attn.softmax %M dimension 2 : tensor<2x?x?xf32>
    // CHECK: attn.weigh %{{.*}}, %[[VALL]]
    %Z = attn.weigh %A, %V : tensor<2x?x?xf32>, tensor<1x?x4xf32> -> tensor<2x?x4xf32>
    %ze = tensor.empty(%n) : tensor<?x2x4xf32>
    %Zt = linalg.transpose ins(%Z : tensor<2x?x4xf32>) outs(%ze : tensor<?x2x4xf32>) permutation = [1, 0, 2]
    %dE = attn.project output %Zt, %Wo contracted 2 : tensor<?x2x4xf32>, !attn.weight<8x2x4, f32> -> tensor<?x8xf32>
    // CHECK: scf.yield %{{.*}}, %[[APPENDED]], %[[VAPPENDED]]
    scf.yield %dE : tensor<?x8xf32>
  }
  // CHECK: %[[R:.*]] = tensor.extract_slice %[[LOOP]]#0[%[[FIRST]], 0] [%[[ASKED]], 8] [1, 1]
  // CHECK: return %[[R]], %[[LOOP]]#1, %[[LOOP]]#2
  return %E2 : tensor<?x8xf32>
}

#row = affine_map<(i, c) -> (i, c)>

// Outside of loops, without heads, keys that are values too: one cache. Rows as numbers, tables read at rows, score modifiers.
// CHECK-LABEL: func.func @rows_as_numbers
// CHECK-SAME: %[[PAST:[^:]*]]: index {heed.arg = "past"
// CHECK-SAME: tensor<1x576x8xf32> {heed.arg = "cache", heed.name = "K", heed.window = 16 : i64}) -> (tensor<?x8xf32>, tensor<1x576x8xf32>) attributes {heed.chunk = 512 : i64, heed.kind = "step"}
func.func @rows_as_numbers(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  // CHECK: %[[N:.*]] = tensor.dim
  // CHECK: %[[LENGTH:.*]] = arith.addi %[[PAST]], %[[N]]
  %c0 = arith.constant 0 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %w = attn.get_weight @position : !attn.weight<64x8, f32>
  %P = attn.dequantize %w : !attn.weight<64x8, f32> -> tensor<64x8xf32>
  // CHECK: %[[TABLE:.*]] = tensor.extract_slice %{{.*}}[%[[PAST]], 0] [%[[N]], 8] [1, 1] : tensor<64x8xf32> to tensor<?x8xf32>
  // CHECK: linalg.generic {{.*}} ins(%[[TABLE]] :
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %Q = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%P : tensor<64x8xf32>) outs(%empty : tensor<?x8xf32>) {
  ^bb0(%p: f32, %out: f32):
    // A row's token is found at its place in this call; its number is its place in the context.
    // CHECK: %[[I:.*]] = linalg.index 0
    // CHECK: %[[ROW:.*]] = arith.addi %[[PAST]], %[[I]]
    // CHECK: tensor.extract %{{.*}}[%[[I]]]
    // CHECK: arith.index_cast %[[ROW]]
    %i = linalg.index 0 : index
    %token = tensor.extract %tokens[%i] : tensor<?xi32>
    %number = arith.index_cast %i : index to i32
    %sum = arith.addi %token, %number : i32
    %float = arith.sitofp %sum : i32 to f32
    linalg.yield %float : f32
  } -> tensor<?x8xf32>
  %K = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%Q : tensor<?x8xf32>) outs(%empty : tensor<?x8xf32>) {
  ^bb0(%q: f32, %out: f32):
    %negative = arith.negf %q : f32
    linalg.yield %negative : f32
  } -> tensor<?x8xf32>
  // CHECK: %[[APPENDED:.*]] = attn.cache_append %{{.*}} layer %{{.*}} at %[[PAST]] : tensor<?x8xf32> into tensor<1x576x8xf32>
  // CHECK: %[[ALL:.*]] = attn.cache_read %[[APPENDED]] layer %{{.*}} length %[[LENGTH]]
  // CHECK: attn.scores %{{.*}}, %[[ALL]]
  %S = attn.scores %Q, %K scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  // CHECK: %[[MODIFIED:.*]] = tensor.empty(%[[N]], %[[LENGTH]]) : tensor<?x?xf32>
  // CHECK: linalg.generic {{.*}} outs(%[[MODIFIED]] :
  %se = tensor.empty(%n, %n) : tensor<?x?xf32>
  %B = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%S : tensor<?x?xf32>) outs(%se : tensor<?x?xf32>) {
  ^bb0(%s: f32, %out: f32):
    // CHECK: %[[I:.*]] = linalg.index 0
    // CHECK: %[[ROW:.*]] = arith.addi %[[PAST]], %[[I]]
    // CHECK: %[[J:.*]] = linalg.index 1
    // CHECK: arith.subi %[[J]], %[[ROW]]
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %distance = arith.subi %j, %i : index
    %int = arith.index_cast %distance : index to i32
    %float = arith.sitofp %int : i32 to f32
    %biased = arith.addf %s, %float : f32
    linalg.yield %biased : f32
  } -> tensor<?x?xf32>
  // A window beside causality: !(i < j) && i - j < 16.
  %M = attn.mask %B : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %true = arith.constant true
    %c16 = arith.constant 16 : index
    %later = arith.cmpi slt, %i, %j : index
    %earlier = arith.xori %later, %true : i1
    %distance = arith.subi %i, %j : index
    %near = arith.cmpi slt, %distance, %c16 : index
    %visible = arith.andi %near, %earlier : i1
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
  // CHECK: attn.weigh %{{.*}}, %[[ALL]] :
  %Z = attn.weigh %A, %K : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @another_signature
// CHECK-SAME: attributes {heed.kind = "plain"}
func.func @another_signature(%E: tensor<?x8xf32>) -> tensor<?x8xf32> {
  return %E : tensor<?x8xf32>
}
