// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-fuse-epilogues))' | FileCheck %s

// A bias and an activation, then the rounding that the next projection asks for: one epilogue. A
// tensor's size is no use of its elements.
// CHECK-DAG: #[[FEATURES:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @activation
// CHECK-SAME: (%[[X:.+]]: tensor<?x64xf32>, %[[W:.+]]: !attn.weight<32x64, f32>, %[[B:.+]]: tensor<32xf32>
// CHECK: %[[Y:.+]] = attn.project linear %[[X]], %[[W]] joins %[[B]] by [#[[FEATURES]]] into %{{.+}} : {{.*}} joins tensor<32xf32> into tensor<?x32xbf16> -> tensor<?x32xbf16> epilogue {
// CHECK-NEXT: ^bb0(%[[SUM:.+]]: f32, %[[BIAS:.+]]: f32):
// CHECK-NEXT: %[[BIASED:.+]] = arith.addf %[[SUM]], %[[BIAS]] : f32
// CHECK-NEXT: %[[A:.+]] = math.tanh %[[BIASED]] : f32
// CHECK-NEXT: %[[N:.+]] = arith.truncf %[[A]] : f32 to bf16
// CHECK-NEXT: attn.yield %[[N]] : bf16
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
#rows = affine_map<(d0, d1) -> (d0)>
#features = affine_map<(d0, d1) -> (d1)>
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @activation(%x: tensor<?x64xf32>, %w: !attn.weight<32x64, f32>, %b: tensor<32xf32>, %into: tensor<?x32xf32>) -> tensor<?x32xbf16> {
  %c0 = arith.constant 0 : index
  %p = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %a = linalg.generic {indexing_maps = [#features, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%b, %p : tensor<32xf32>, tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%bias: f32, %sum: f32, %out: f32):
    %0 = arith.addf %sum, %bias : f32
    %1 = math.tanh %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x32xf32>
  %size = tensor.dim %a, %c0 : tensor<?x32xf32>
  %narrow = tensor.empty(%size) : tensor<?x32xbf16>
  %n = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<?x32xf32>) outs(%narrow : tensor<?x32xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<?x32xbf16>
  return %n : tensor<?x32xbf16>
}

// A residual has all axes, a factor of each row those of rows. The residual is computed after the
// projection, which moves behind it.
// CHECK-LABEL: func.func @residual
// CHECK: %[[E:.+]] = linalg.copy
// CHECK: attn.project output %{{.+}}, %{{.+}} joins %[[E]], %{{.+}} by [#{{.+}}, #{{.+}}] into %{{.+}} : {{.*}} joins tensor<?x32xf32>, tensor<?xf32>
// CHECK-NOT: linalg.generic
func.func @residual(%x: tensor<?x64xf32>, %w: !attn.weight<32x64, f32>, %e: tensor<?x32xf32>, %r: tensor<?xf32>, %into: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %p = attn.project output %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %late = linalg.copy ins(%e : tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) -> tensor<?x32xf32>
  %s = linalg.generic {indexing_maps = [#all, #all, #rows, #all], iterator_types = ["parallel", "parallel"]} ins(%late, %p, %r : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%old: f32, %sum: f32, %factor: f32, %out: f32):
    %0 = arith.mulf %sum, %factor : f32
    %1 = arith.addf %old, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x32xf32>
  return %s : tensor<?x32xf32>
}

// -----

// Heads first, and then a bias of each head's features.
// CHECK: #[[OFHEADS:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: func.func @heads
// CHECK: %[[N:.+]] = tensor.dim %{{.+}}, %c0
// CHECK: %[[INTO:.+]] = tensor.empty(%[[N]]) : tensor<2x?x16xf32>
// CHECK: attn.project query %{{.+}}, %{{.+}} heads_first joins %{{.+}} by [#[[OFHEADS]]] into %[[INTO]] : {{.*}} -> tensor<2x?x16xf32> epilogue {
// CHECK-NOT: linalg
func.func @heads(%x: tensor<?x64xf32>, %w: !attn.weight<2x16x64, f32>, %b: tensor<2x16xf32>, %into: tensor<?x2x16xf32>, %t: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %p = attn.project query %x, %w into %into : tensor<?x64xf32>, !attn.weight<2x16x64, f32> into tensor<?x2x16xf32> -> tensor<?x2x16xf32>
  %q = linalg.transpose ins(%p : tensor<?x2x16xf32>) outs(%t : tensor<2x?x16xf32>) permutation = [1, 0, 2]
  %s = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%q, %b : tensor<2x?x16xf32>, tensor<2x16xf32>) outs(%t : tensor<2x?x16xf32>) {
  ^bb0(%sum: f32, %bias: f32, %out: f32):
    %0 = arith.addf %sum, %bias : f32
    linalg.yield %0 : f32
  } -> tensor<2x?x16xf32>
  return %s : tensor<2x?x16xf32>
}

// -----

// What stays: heads that a vector would share, a sine, a projection of other rows, a projection
// that is read twice or adds to its destination.
// CHECK-LABEL: func.func @stays
// CHECK: linalg.transpose
// CHECK-COUNT-4: linalg.generic
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @stays(%x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %w3: !attn.weight<4x8x64, f32>, %w: !attn.weight<32x64, f32>, %into3: tensor<?x4x8xf32>, %t: tensor<4x?x8xf32>, %into: tensor<?x32xf32>)
    -> (tensor<4x?x8xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) {
  %p3 = attn.project query %x, %w3 into %into3 : tensor<?x64xf32>, !attn.weight<4x8x64, f32> into tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  %q = linalg.transpose ins(%p3 : tensor<?x4x8xf32>) outs(%t : tensor<4x?x8xf32>) permutation = [1, 0, 2]
  %a = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %sine = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%sum: f32, %out: f32):
    %0 = math.sin %sum : f32
    linalg.yield %0 : f32
  } -> tensor<?x32xf32>
  %b = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %c = attn.project linear %z, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %gated = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%b, %c : tensor<?x32xf32>, tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%gate: f32, %up: f32, %out: f32):
    %0 = arith.mulf %gate, %up : f32
    linalg.yield %0 : f32
  } -> tensor<?x32xf32>
  %d = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %half = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%d : tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%sum: f32, %out: f32):
    %0 = arith.addf %sum, %sum : f32
    linalg.yield %0 : f32
  } -> tensor<?x32xf32>
  %e = attn.project linear %x, %w into %into accumulate : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %more = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%e : tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%sum: f32, %out: f32):
    %0 = arith.addf %sum, %sum : f32
    linalg.yield %0 : f32
  } -> tensor<?x32xf32>
  return %q, %sine, %gated, %half, %d, %more : tensor<4x?x8xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>
}
