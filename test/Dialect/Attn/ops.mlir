// RUN: heed-opt %s | heed-opt | FileCheck %s

// Each op in each of its forms: printed, parsed and printed again.

// CHECK: attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "blk.{l}.attn_q.weight" layers 30
attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "blk.{l}.attn_q.weight" layers 30
// CHECK: attn.weight @embed : !attn.weight<128x64, q8_0> tensor "token_embd.weight"
attn.weight @embed : !attn.weight<128x64, q8_0> tensor "token_embd.weight"
// CHECK: attn.weight @unembed : !attn.weight<128x64, q8_0> tensor "output.weight" else "token_embd.weight"
attn.weight @unembed : !attn.weight<128x64, q8_0> tensor "output.weight" else "token_embd.weight"
// CHECK: attn.weight @Vup : !attn.weight<9x576x64, f32> tensor "Vup"
attn.weight @Vup : !attn.weight<9x576x64, f32> tensor "Vup"
// CHECK: attn.weight @down : !attn.weight<64x256, q4_k|q6_k> tensor "blk.{l}.down" layers 2
attn.weight @down : !attn.weight<64x256, q6_k|q4_k> tensor "blk.{l}.down" layers 2

// CHECK-LABEL: func.func @weights
func.func @weights(%ids: tensor<?xi32>, %x: tensor<?x576xf32>, %l: index) -> (tensor<9x64x576xf32>, tensor<?x64xf32>, tensor<?x9x64xf32>) {
  // CHECK: %[[WQ:.+]] = attn.get_weight @Wq[%{{.*}}] : !attn.weight<9x64x576, q4_1>
  %Wq = attn.get_weight @Wq[%l] : !attn.weight<9x64x576, q4_1>
  // CHECK: attn.get_weight @Vup permuted [1, 0, 2] : !attn.weight<576x9x64, f32>
  %Vup = attn.get_weight @Vup permuted [1, 0, 2] : !attn.weight<576x9x64, f32>
  %embed = attn.get_weight @embed : !attn.weight<128x64, q8_0>
  %offset = arith.constant 64 : index
  // CHECK: attn.announce %[[WQ]][%{{.*}}], 23040 : !attn.weight<9x64x576, q4_1>
  attn.announce %Wq[%offset], 23040 : !attn.weight<9x64x576, q4_1>
  // CHECK: attn.prefetch %[[WQ]][%{{.*}}], 320 : !attn.weight<9x64x576, q4_1>
  attn.prefetch %Wq[%offset], 320 : !attn.weight<9x64x576, q4_1>
  // CHECK: attn.prefetch %[[WQ]][%{{.*}}], 64 level 2 : !attn.weight<9x64x576, q4_1>
  attn.prefetch %Wq[%offset], 64 level 2 : !attn.weight<9x64x576, q4_1>
  // CHECK: attn.dequantize %[[WQ]] : !attn.weight<9x64x576, q4_1> -> tensor<9x64x576xf32>
  %dense = attn.dequantize %Wq : !attn.weight<9x64x576, q4_1> -> tensor<9x64x576xf32>
  // CHECK: attn.embed %{{.*}}, %{{.*}} : tensor<?xi32>, !attn.weight<128x64, q8_0> -> tensor<?x64xf32>
  %E = attn.embed %ids, %embed : tensor<?xi32>, !attn.weight<128x64, q8_0> -> tensor<?x64xf32>
  // CHECK: %[[Q:.+]] = attn.project query %{{.*}}, %[[WQ]] : tensor<?x576xf32>, !attn.weight<9x64x576, q4_1> -> tensor<?x9x64xf32>
  %Q = attn.project query %x, %Wq : tensor<?x576xf32>, !attn.weight<9x64x576, q4_1> -> tensor<?x9x64xf32>
  // CHECK: attn.project output %[[Q]], %{{.*}} contracted 2 into %{{.*}} accumulate : tensor<?x9x64xf32>, !attn.weight<576x9x64, f32> into tensor<?x576xf32> -> tensor<?x576xf32>
  %dE = attn.project output %Q, %Vup contracted 2 into %x accumulate : tensor<?x9x64xf32>, !attn.weight<576x9x64, f32> into tensor<?x576xf32> -> tensor<?x576xf32>
  return %dense, %E, %Q : tensor<9x64x576xf32>, tensor<?x64xf32>, tensor<?x9x64xf32>
}

// CHECK-LABEL: func.func @weights_in_memory
func.func @weights_in_memory(%half: !attn.weight<128x64, f16>, %ids: memref<?xi32>, %x: memref<?x576xf32>, %e: memref<?x64xf32>, %q: memref<?x9x64xf32>, %l: index) {
  %Wq = attn.get_weight @Wq[%l] : !attn.weight<9x64x576, q4_1>
  %embed = attn.get_weight @embed : !attn.weight<128x64, q8_0>
  // CHECK: attn.embed %{{.*}}, %{{.*}} into %{{.*}} : memref<?xi32>, !attn.weight<128x64, q8_0> into memref<?x64xf32>
  attn.embed %ids, %embed into %e : memref<?xi32>, !attn.weight<128x64, q8_0> into memref<?x64xf32>
  // CHECK: attn.embed %{{.*}}, %{{.*}} in_rows into %{{.*}} : memref<?xi32>, !attn.weight<128x64, f16> into memref<?x64xf32>
  attn.embed %ids, %half in_rows into %e : memref<?xi32>, !attn.weight<128x64, f16> into memref<?x64xf32>
  // CHECK: attn.project query %{{.*}}, %{{.*}} into %{{.*}} : memref<?x576xf32>, !attn.weight<9x64x576, q4_1> into memref<?x9x64xf32>
  attn.project query %x, %Wq into %q : memref<?x576xf32>, !attn.weight<9x64x576, q4_1> into memref<?x9x64xf32>
  return
}

// CHECK-LABEL: func.func @steps
// CHECK-SAME: %[[Q:.+]]: tensor<9x?x64xf32>, %[[K:.+]]: tensor<3x?x64xf32>, %[[V:.+]]: tensor<3x?x32xf32>
func.func @steps(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>, %V: tensor<3x?x32xf32>) -> tensor<9x?x32xf32> {
  // CHECK: %[[S:.+]] = attn.scores %[[Q]], %[[K]] scale 1.250000e-01 : tensor<9x?x64xf32>, tensor<3x?x64xf32> -> tensor<9x?x?xf32>
  %S = attn.scores %Q, %K scale 0.125 : tensor<9x?x64xf32>, tensor<3x?x64xf32> -> tensor<9x?x?xf32>
  // CHECK: %[[M:.+]] = attn.mask %[[S]] : tensor<9x?x?xf32> {
  // CHECK-NEXT: ^bb0(%h: index, %i: index, %j: index):
  // CHECK-NEXT: %[[VISIBLE:.+]] = arith.cmpi sle, %j, %i : index
  // CHECK-NEXT: attn.yield %[[VISIBLE]] : i1
  %M = attn.mask %S : tensor<9x?x?xf32> {
  ^bb0(%head: index, %row: index, %key: index):
    %visible = arith.cmpi sle, %key, %row : index
    attn.yield %visible : i1
  }
  // CHECK: %[[A:.+]] = attn.softmax %[[M]] dimension 2 : tensor<9x?x?xf32>
  %A = attn.softmax %M dimension 2 : tensor<9x?x?xf32>
  // CHECK: attn.weigh %[[A]], %[[V]] : tensor<9x?x?xf32>, tensor<3x?x32xf32> -> tensor<9x?x32xf32>
  %Z = attn.weigh %A, %V : tensor<9x?x?xf32>, tensor<3x?x32xf32> -> tensor<9x?x32xf32>
  return %Z : tensor<9x?x32xf32>
}

// CHECK-LABEL: func.func @sink
// CHECK: attn.softmax %{{.+}} sink %{{.+}} dimension 2 : tensor<9x?x?xf32>, tensor<9x?xf32>
func.func @sink(%S: tensor<9x?x?xf32>, %sink: tensor<9x?xf32>) -> tensor<9x?x?xf32> {
  %A = attn.softmax %S sink %sink dimension 2 : tensor<9x?x?xf32>, tensor<9x?xf32>
  return %A : tensor<9x?x?xf32>
}

// Without heads the axis h is absent, and so is its name.
// CHECK-LABEL: func.func @mask_without_heads
func.func @mask_without_heads(%S: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: ^bb0(%i: index, %j: index):
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%a: index, %b: index):
    %visible = arith.cmpi ule, %b, %a : index
    attn.yield %visible : i1
  }
  return %M : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @cache
func.func @cache(%K: tensor<3x?x64xf32>, %c0: tensor<30x3x?x64xf32>, %l: index, %past: index, %len: index) -> tensor<3x?x64xf32> {
  // CHECK: %[[C:.+]] = attn.cache_append %{{.*}} into %{{.*}} layer %{{.*}} at %{{.*}} : tensor<3x?x64xf32> into tensor<30x3x?x64xf32>
  %c1 = attn.cache_append %K into %c0 layer %l at %past : tensor<3x?x64xf32> into tensor<30x3x?x64xf32>
  // CHECK: attn.cache_read %[[C]] layer %{{.*}} length %{{.*}} : tensor<30x3x?x64xf32> -> tensor<3x?x64xf32>
  %all = attn.cache_read %c1 layer %l length %len : tensor<30x3x?x64xf32> -> tensor<3x?x64xf32>
  return %all : tensor<3x?x64xf32>
}
