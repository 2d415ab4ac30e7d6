// RUN: heed-opt %s -attn-assign-layouts -split-input-file | FileCheck %s

// A table in f32 that embeddings alone read lies as the file has it; they read its nearest rows.
// CHECK: attn.weight @word {{.*}} {heed.cols = 1 : i64, heed.layout = 0 : i64, heed.rows = 3200 : i64}
// CHECK-LABEL: func.func @dense
// CHECK-SAME: (%[[IDS:.*]]: tensor<?xi32>, %[[INTO:.*]]: tensor<?x32xf32>)
// CHECK: %[[TABLE:.*]] = attn.dequantize %{{.*}} : !attn.weight<100x32, f32> -> tensor<100x32xf32>
// CHECK: linalg.generic {{.*}} ins(%[[IDS]] : tensor<?xi32>) outs(%[[INTO]] : tensor<?x32xf32>)
// CHECK: %[[ID:.*]] = arith.index_cast
// CHECK: %[[NOT_BELOW:.*]] = arith.maxsi %[[ID]], %c0
// CHECK: %[[ROW:.*]] = arith.minsi %[[NOT_BELOW]], %c99
// CHECK: tensor.extract %[[TABLE]][%[[ROW]],
// CHECK-NOT: attn.embed
attn.weight @word : !attn.weight<100x32, f32> tensor "t"
func.func @dense(%ids: tensor<?xi32>, %into: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %t = attn.get_weight @word : !attn.weight<100x32, f32>
  %e = attn.embed %ids, %t into %into : tensor<?xi32>, !attn.weight<100x32, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  return %e : tensor<?x32xf32>
}

// -----

// One in bf16 or f16 stays so, its rows one after the other (layout 2). Rows that aren't of whole
// vectors are read from panels.
// CHECK: attn.weight @word {{.*}} {heed.cols = 32 : i64, heed.layout = 2 : i64, heed.rows = 100 : i64}
// CHECK: attn.weight @half {{.*}} {heed.cols = 48 : i64, heed.layout = 2 : i64, heed.rows = 100 : i64}
// CHECK: attn.weight @odd {{.*}} {heed.cols = 24 : i64, heed.layout = 1 : i64, heed.rows = 100 : i64}
// CHECK-LABEL: func.func @rows
// CHECK: attn.embed %{{.*}}, %{{.*}} in_rows into
// CHECK: attn.embed %{{.*}}, %{{.*}} in_rows into
// CHECK: attn.embed %{{.*}}, %{{.*}} into
attn.weight @word : !attn.weight<100x32, bf16> tensor "t"
attn.weight @half : !attn.weight<100x48, f16> tensor "h"
attn.weight @odd : !attn.weight<100x24, bf16> tensor "o"
func.func @rows(%ids: tensor<?xi32>, %a: tensor<?x32xf32>, %b: tensor<?x48xf32>, %c: tensor<?x24xf32>) -> (tensor<?x32xf32>, tensor<?x48xf32>, tensor<?x24xf32>) {
  %t = attn.get_weight @word : !attn.weight<100x32, bf16>
  %h = attn.get_weight @half : !attn.weight<100x48, f16>
  %o = attn.get_weight @odd : !attn.weight<100x24, bf16>
  %0 = attn.embed %ids, %t into %a : tensor<?xi32>, !attn.weight<100x32, bf16> into tensor<?x32xf32> -> tensor<?x32xf32>
  %1 = attn.embed %ids, %h into %b : tensor<?xi32>, !attn.weight<100x48, f16> into tensor<?x48xf32> -> tensor<?x48xf32>
  %2 = attn.embed %ids, %o into %c : tensor<?xi32>, !attn.weight<100x24, bf16> into tensor<?x24xf32> -> tensor<?x24xf32>
  return %0, %1, %2 : tensor<?x32xf32>, tensor<?x48xf32>, tensor<?x24xf32>
}

// -----

// An unembedding that may be the same tensor wants its panels, and the table isn't held twice; one that
// is stored otherwise, or is another tensor, changes nothing.
// CHECK: attn.weight @embed : {{.*}} heed.layout = 1
// CHECK: attn.weight @unembed : {{.*}} heed.layout = 1
// CHECK: attn.weight @alone : {{.*}} heed.layout = 0
// CHECK: attn.weight @narrow : {{.*}} heed.layout = 1
// CHECK: attn.weight @other : {{.*}} heed.layout = 1
// CHECK-LABEL: func.func @shared
// CHECK: attn.embed
// CHECK-NOT: attn.embed
attn.weight @embed : !attn.weight<100x32, f32> tensor "t"
attn.weight @unembed : !attn.weight<100x32, f32> tensor "o" else "t"
attn.weight @alone : !attn.weight<100x32, f32> tensor "a"
attn.weight @narrow : !attn.weight<100x32, bf16> tensor "n" else "a"
attn.weight @other : !attn.weight<100x32, f32> tensor "x"
func.func @shared(%ids: tensor<?xi32>, %a: tensor<?x32xf32>, %b: tensor<?x32xf32>)
    -> (tensor<?x100xf32>, tensor<?x100xf32>, tensor<?x100xf32>) {
  %t = attn.get_weight @embed : !attn.weight<100x32, f32>
  %o = attn.get_weight @unembed : !attn.weight<100x32, f32>
  %s = attn.get_weight @alone : !attn.weight<100x32, f32>
  %n = attn.get_weight @narrow : !attn.weight<100x32, bf16>
  %x = attn.get_weight @other : !attn.weight<100x32, f32>
  %e = attn.embed %ids, %t into %a : tensor<?xi32>, !attn.weight<100x32, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %f = attn.embed %ids, %s into %b : tensor<?xi32>, !attn.weight<100x32, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %u = attn.project linear %e, %o : tensor<?x32xf32>, !attn.weight<100x32, f32> -> tensor<?x100xf32>
  %v = attn.project linear %f, %n : tensor<?x32xf32>, !attn.weight<100x32, bf16> -> tensor<?x100xf32>
  %w = attn.project linear %f, %x : tensor<?x32xf32>, !attn.weight<100x32, f32> -> tensor<?x100xf32>
  return %u, %v, %w : tensor<?x100xf32>, tensor<?x100xf32>, tensor<?x100xf32>
}
