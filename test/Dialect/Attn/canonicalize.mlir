// RUN: heed-opt %s --canonicalize | FileCheck %s

attn.weight @Wq : !attn.weight<8x32, f32> tensor "q"

// An order that changes nothing.
// CHECK-LABEL: func.func @permuted_identity
// CHECK-NEXT: attn.get_weight @Wq : !attn.weight<8x32, f32>
func.func @permuted_identity() -> !attn.weight<8x32, f32> {
  %w = attn.get_weight @Wq permuted [0, 1] : !attn.weight<8x32, f32>
  return %w : !attn.weight<8x32, f32>
}

// An order that changes something.
// CHECK-LABEL: func.func @permuted
// CHECK-NEXT: attn.get_weight @Wq permuted [1, 0]
func.func @permuted() -> !attn.weight<32x8, f32> {
  %w = attn.get_weight @Wq permuted [1, 0] : !attn.weight<32x8, f32>
  return %w : !attn.weight<32x8, f32>
}

// A mask that hides nothing.
// CHECK-LABEL: func.func @mask_shows_all
// CHECK-SAME: %[[S:.+]]: tensor<?x?xf32>
// CHECK-NEXT: return %[[S]]
func.func @mask_shows_all(%S: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %visible = arith.cmpi sge, %j, %j : index
    attn.yield %visible : i1
  }
  return %M : tensor<?x?xf32>
}

// A mask that hides everything stays: its rows become zeros, not the scores'.
// CHECK-LABEL: func.func @mask_hides_all
// CHECK: attn.mask
func.func @mask_hides_all(%S: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %visible = arith.constant false
    attn.yield %visible : i1
  }
  return %M : tensor<?x?xf32>
}

// Regions that change nothing.
// CHECK-LABEL: func.func @attention_regions
// CHECK-NEXT: attn.attention {{.*}} -> tensor<?x8xf32>{{$}}
// CHECK-NEXT: return
func.func @attention_regions(%Q: tensor<?x4xf32>, %K: tensor<?x4xf32>, %V: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.5 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    attn.yield %s : f32
  } mask {
  ^bb0(%h: index, %i: index, %j: index):
    %visible = arith.constant true
    attn.yield %visible : i1
  }
  return %Z : tensor<?x8xf32>
}

// One region changes nothing, the other does.
// CHECK-LABEL: func.func @online_regions
// CHECK: attn.online_attention
// CHECK-NOT: score
// CHECK-SAME: mask {
func.func @online_regions(%q: memref<4x16xf32>, %k: memref<?x4xf32>, %lanes: memref<16xindex>, %j: index, %acc: memref<4x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %k lanes %lanes, %lanes start %j into %acc, %max, %sum scale 1.0 key_tile 8
    : memref<4x16xf32>, memref<?x4xf32>, memref<?x4xf32>, memref<16xindex>, memref<16xindex>,
      memref<4x16xf32>, memref<16xf32>, memref<16xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %t: index):
    attn.yield %s : f32
  } mask {
  ^bb0(%h: index, %i: index, %t: index):
    %visible = arith.cmpi sle, %t, %i : index
    attn.yield %visible : i1
  }
  return
}

// A sink of -inf takes no weight, one of 0 does.
// CHECK-LABEL: func.func @sinks
// CHECK: attn.softmax %{{.+}} dimension 2 : tensor<9x?x?xf32>
// CHECK: attn.softmax %{{.+}} sink %{{.+}} dimension 2
// CHECK: attn.attention %{{.+}}, %{{.+}}, %{{.+}} scale
func.func @sinks(%S: tensor<9x?x?xf32>, %Q: tensor<9x?x8xf32>, %into: tensor<9x?xf32>) -> (tensor<9x?x?xf32>, tensor<9x?x?xf32>, tensor<9x?x8xf32>) {
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %none = linalg.fill ins(%lowest : f32) outs(%into : tensor<9x?xf32>) -> tensor<9x?xf32>
  %some = linalg.fill ins(%zero : f32) outs(%into : tensor<9x?xf32>) -> tensor<9x?xf32>
  %A = attn.softmax %S sink %none dimension 2 : tensor<9x?x?xf32>, tensor<9x?xf32>
  %B = attn.softmax %S sink %some dimension 2 : tensor<9x?x?xf32>, tensor<9x?xf32>
  %Z = attn.attention %Q, %Q, %Q sink %none scale 1.0 : tensor<9x?x8xf32>, tensor<9x?x8xf32>, tensor<9x?x8xf32>, tensor<9x?xf32> -> tensor<9x?x8xf32>
  return %A, %B, %Z : tensor<9x?x?xf32>, tensor<9x?x?xf32>, tensor<9x?x8xf32>
}
