// RUN: heed-opt %s -attn-assign-layouts -split-input-file | FileCheck %s

// Projections read panels (layout 1) of the matrix features x contracted, whatever axes it has;
// embeddings read rows of a table.
// CHECK: attn.weight @Wq {{.*}} {heed.cols = 576 : i64, heed.layout = 1 : i64, heed.rows = 576 : i64}
// CHECK: attn.weight @Wo {{.*}} layers 30 {heed.cols = 576 : i64, heed.layout = 1 : i64, heed.rows = 64 : i64}
// CHECK: attn.weight @table {{.*}} {heed.cols = 32 : i64, heed.layout = 1 : i64, heed.rows = 100 : i64}
// CHECK: attn.weight @gain {{.*}} {heed.cols = 1 : i64, heed.layout = 0 : i64, heed.rows = 32 : i64}
// Nothing reads this one.
// CHECK-NOT: attn.weight @unread
attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "q"
attn.weight @Wo : !attn.weight<64x9x64, q4_0> tensor "o.{l}" layers 30
attn.weight @table : !attn.weight<100x32, q8_0> tensor "t"
attn.weight @gain : !attn.weight<32, f32> tensor "g"
attn.weight @unread : !attn.weight<32, f32> tensor "u"
func.func @uses(%x: tensor<?x576xf32>, %z: tensor<?x9x64xf32>, %ids: tensor<?xi32>, %l: index)
    -> (tensor<?x9x64xf32>, tensor<?x64xf32>, tensor<?x32xf32>, tensor<32xf32>) {
  %wq = attn.get_weight @Wq : !attn.weight<9x64x576, q4_1>
  %wo = attn.get_weight @Wo[%l] : !attn.weight<64x9x64, q4_0>
  %t = attn.get_weight @table : !attn.weight<100x32, q8_0>
  %g = attn.get_weight @gain : !attn.weight<32, f32>
  %q = attn.project query %x, %wq : tensor<?x576xf32>, !attn.weight<9x64x576, q4_1> -> tensor<?x9x64xf32>
  %o = attn.project output %z, %wo contracted 2 : tensor<?x9x64xf32>, !attn.weight<64x9x64, q4_0> -> tensor<?x64xf32>
  %e = attn.embed %ids, %t : tensor<?xi32>, !attn.weight<100x32, q8_0> -> tensor<?x32xf32>
  %d = attn.dequantize %g : !attn.weight<32, f32> -> tensor<32xf32>
  return %q, %o, %e, %d : tensor<?x9x64xf32>, tensor<?x64xf32>, tensor<?x32xf32>, tensor<32xf32>
}

// -----

// An embedding and the unembedding that shares its table want the same panels: one weight. Where a
// third reader wants dense rows, the weight is declared, and loaded, a second time.
// CHECK: attn.weight @table : {{.*}} heed.layout = 1
// CHECK: attn.weight @[[DENSE:table_.*]] : !attn.weight<100x32, q8_0> tensor "t" {heed.cols = 1 : i64, heed.layout = 0 : i64, heed.rows = 3200 : i64}
// CHECK-LABEL: func.func @tied
// CHECK-DAG: %[[PANELS:.*]] = attn.get_weight @table :
// CHECK-DAG: %[[OTHER:.*]] = attn.get_weight @[[DENSE]] :
// CHECK: attn.embed %{{.*}}, %[[PANELS]]
// CHECK: attn.project linear %{{.*}}, %[[PANELS]]
// CHECK: attn.dequantize %[[OTHER]]
attn.weight @table : !attn.weight<100x32, q8_0> tensor "t"
func.func @tied(%ids: tensor<?xi32>) -> (tensor<?x100xf32>, tensor<100x32xf32>) {
  %t = attn.get_weight @table : !attn.weight<100x32, q8_0>
  %e = attn.embed %ids, %t : tensor<?xi32>, !attn.weight<100x32, q8_0> -> tensor<?x32xf32>
  %u = attn.project linear %e, %t : tensor<?x32xf32>, !attn.weight<100x32, q8_0> -> tensor<?x100xf32>
  %d = attn.dequantize %t : !attn.weight<100x32, q8_0> -> tensor<100x32xf32>
  return %u, %d : tensor<?x100xf32>, tensor<100x32xf32>
}

// -----

// The order in which the runtime packs the axes is part of the layout; another order is another copy.
// CHECK: attn.weight @Vup : {{.*}} {heed.cols = 12 : i64, heed.layout = 1 : i64, heed.permuted = array<i64: 1, 0, 2>, heed.rows = 8 : i64}
// CHECK: attn.weight @[[COPY:Vup_.*]] : {{.*}} {heed.cols = 4 : i64, heed.layout = 1 : i64, heed.rows = 24 : i64}
// CHECK-LABEL: func.func @orders
// CHECK: attn.get_weight @Vup permuted [1, 0, 2]
// CHECK: attn.get_weight @[[COPY]] :
attn.weight @Vup : !attn.weight<3x8x4, f32> tensor "v"
func.func @orders(%z: tensor<?x3x4xf32>, %x: tensor<?x4xf32>) -> (tensor<?x8xf32>, tensor<?x3x8xf32>) {
  %up = attn.get_weight @Vup permuted [1, 0, 2] : !attn.weight<8x3x4, f32>
  %as_is = attn.get_weight @Vup : !attn.weight<3x8x4, f32>
  %a = attn.project output %z, %up contracted 2 : tensor<?x3x4xf32>, !attn.weight<8x3x4, f32> -> tensor<?x8xf32>
  %b = attn.project linear %x, %as_is : tensor<?x4xf32>, !attn.weight<3x8x4, f32> -> tensor<?x3x8xf32>
  return %a, %b : tensor<?x8xf32>, tensor<?x3x8xf32>
}

// -----

// Matrices of heads begin with a panel each; those of whole panels lie there anyway.
// CHECK: attn.weight @odd : {{.*}} {heed.cols = 4 : i64, heed.layout = 1 : i64, heed.matrices = 5 : i64, heed.rows = 65 : i64}
// CHECK: attn.weight @even : {{.*}} {heed.cols = 4 : i64, heed.layout = 1 : i64, heed.rows = 160 : i64}
// CHECK-NOT: attn.weight @
attn.weight @odd : !attn.weight<5x13x4, f32> tensor "o"
attn.weight @even : !attn.weight<5x32x4, f32> tensor "e"
func.func @heads(%z: tensor<?x5x4xf32>, %x: tensor<?x4xf32>) -> (tensor<?x5x13xf32>, tensor<?x5x32xf32>, tensor<?x5x32xf32>) {
  %odd = attn.get_weight @odd : !attn.weight<5x13x4, f32>
  %even = attn.get_weight @even : !attn.weight<5x32x4, f32>
  %a = attn.project linear %z, %odd per_head : tensor<?x5x4xf32>, !attn.weight<5x13x4, f32> -> tensor<?x5x13xf32>
  %b = attn.project linear %z, %even per_head : tensor<?x5x4xf32>, !attn.weight<5x32x4, f32> -> tensor<?x5x32xf32>
  %c = attn.project linear %x, %even : tensor<?x4xf32>, !attn.weight<5x32x4, f32> -> tensor<?x5x32xf32>
  return %a, %b, %c : tensor<?x5x13xf32>, tensor<?x5x32xf32>, tensor<?x5x32xf32>
}
