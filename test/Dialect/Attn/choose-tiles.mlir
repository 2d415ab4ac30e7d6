// RUN: heed-opt %s -attn-choose-tiles | FileCheck %s
// RUN: heed-opt %s -attn-choose-tiles="native-lanes=8" | FileCheck %s --check-prefix=NARROW
// RUN: heed-opt %s -attn-choose-tiles="tiles=1536x576:f32:f32=7x3x12,1536x576:q4_1:i8=5x2x2,2*1536x576:q4_1:i8=3x4x4" | FileCheck %s --check-prefix=NAMED

// As many sums as 32 registers hold beside what is multiplied, or 16 of half the length.
// CHECK-LABEL: func.func @floats
// CHECK: tile <rows = 6, panels = 4, part = 4>
// NARROW-LABEL: func.func @floats
// NARROW: tile <rows = 6, panels = 1
// NAMED-LABEL: func.func @floats
// NAMED: tile <rows = 7, panels = 3, part = 12>
func.func @floats(%x: tensor<?x576xf32>, %w: !attn.weight<1536x576, f32>) -> tensor<?x1536xf32> {
  %y = attn.project linear %x, %w : tensor<?x576xf32>, !attn.weight<1536x576, f32> -> tensor<?x1536xf32>
  return %y : tensor<?x1536xf32>
}

// Of bytes each sum has a second one beside it.
// CHECK-LABEL: func.func @bytes
// CHECK: tile <rows = 6, panels = 2, part = 2>
// NARROW-LABEL: func.func @bytes
// NARROW: tile <rows = 3, panels = 1, part = 1>
// NAMED-LABEL: func.func @bytes
// NAMED: tile <rows = 5, panels = 2, part = 2>
func.func @bytes(%x: tensor<?x576xi8>, %scales: tensor<?x18xf32>, %sums: tensor<?x18xf32>, %w: !attn.weight<1536x576, q4_1>) -> tensor<?x1536xf32> {
  %y = attn.project linear %x, %w quantized %scales, %sums : tensor<?x576xi8>, !attn.weight<1536x576, q4_1> of tensor<?x18xf32>, tensor<?x18xf32> -> tensor<?x1536xf32>
  return %y : tensor<?x1536xf32>
}

// A single row needs no tile of many, and a tile that is there stays.
// CHECK-LABEL: func.func @known
// CHECK: tile <rows = 1,
// CHECK: tile <rows = 3, panels = 1, part = 2>
// NAMED-LABEL: func.func @known
// NAMED: tile <rows = 3, panels = 1, part = 2>
func.func @known(%x: tensor<576xf32>, %w: !attn.weight<1536x576, f32>, %v: !attn.weight<576x1536, f32>) -> tensor<576xf32> {
  %y = attn.project linear %x, %w : tensor<576xf32>, !attn.weight<1536x576, f32> -> tensor<1536xf32>
  %z = attn.project linear %y, %v tile <rows = 3, panels = 1, part = 2> : tensor<1536xf32>, !attn.weight<576x1536, f32> -> tensor<576xf32>
  return %z : tensor<576xf32>
}

// Of two weights a tile has as many panels of one as of the other, and a kind of their own.
// CHECK-LABEL: func.func @beside
// CHECK: tile <rows = 6, panels = 2, part = 2>
// NARROW-LABEL: func.func @beside
// NARROW: tile <rows = 1, panels = 2, part = 2>
// NAMED-LABEL: func.func @beside
// NAMED: tile <rows = 3, panels = 4, part = 4>
func.func @beside(%x: tensor<?x576xi8>, %scales: tensor<?x18xf32>, %sums: tensor<?x18xf32>, %w: !attn.weight<1536x576, q4_1>, %v: !attn.weight<1536x576, q4_1>) -> tensor<?x1536xf32> {
  %y = attn.project linear %x, %w beside %v quantized %scales, %sums : tensor<?x576xi8>, !attn.weight<1536x576, q4_1> beside !attn.weight<1536x576, q4_1> of tensor<?x18xf32>, tensor<?x18xf32> -> tensor<?x1536xf32> epilogue {
  ^bb0(%gate: f32, %up: f32):
    %0 = arith.mulf %gate, %up : f32
    attn.yield %0 : f32
  }
  return %y : tensor<?x1536xf32>
}
