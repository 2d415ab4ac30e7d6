// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-fuse-epilogues))' | FileCheck %s
// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-fuse-epilogues{most-weights=1}))' | FileCheck %s --check-prefix=ONE

// A gate and what it opens, each with a bias, then a rounding: one projection by two weights, whose
// epilogue does what those of both did.
// CHECK-DAG: #[[FEATURES:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @gated
// CHECK-SAME: (%[[X:.+]]: tensor<?x64xf32>, %[[G:.+]]: !attn.weight<32x64, f32>, %[[U:.+]]: !attn.weight<32x64, f32>, %[[B:.+]]: tensor<32xf32>, %[[C:.+]]: tensor<32xf32>,
// CHECK: %[[Y:.+]] = attn.project linear %[[X]], %[[G]] beside %[[U]] joins %[[B]], %[[C]] by [#[[FEATURES]], #[[FEATURES]]] into %{{.+}} : tensor<?x64xf32>, !attn.weight<32x64, f32> beside !attn.weight<32x64, f32> joins {{.*}} -> tensor<?x32xbf16> epilogue {
// CHECK-NEXT: ^bb0(%[[GATE:.+]]: f32, %[[UP:.+]]: f32, %[[OFGATE:.+]]: f32, %[[OFUP:.+]]: f32):
// CHECK-NEXT: %[[GB:.+]] = arith.addf %[[GATE]], %[[OFGATE]] : f32
// CHECK-NEXT: %[[UB:.+]] = arith.subf %[[UP]], %[[OFUP]] : f32
// CHECK-NEXT: %[[OPEN:.+]] = math.tanh %[[GB]] : f32
// CHECK-NEXT: %[[P:.+]] = arith.mulf %[[OPEN]], %[[UB]] : f32
// CHECK-NEXT: %[[N:.+]] = arith.truncf %[[P]] : f32 to bf16
// CHECK-NEXT: attn.yield %[[N]] : bf16
// CHECK-NOT: attn.project
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]

// Where one weight is the most, each keeps its bias and one its reader, which the other is
// computed before.
// ONE-LABEL: func.func @gated
// ONE-COUNT-2: attn.project linear %{{.+}}, %{{.+}} joins
// ONE: linalg.generic
// ONE: math.tanh
#features = affine_map<(d0, d1) -> (d1)>
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @gated(%x: tensor<?x64xf32>, %gate: !attn.weight<32x64, f32>, %up: !attn.weight<32x64, f32>, %b: tensor<32xf32>, %c: tensor<32xf32>, %into: tensor<?x32xf32>, %narrow: tensor<?x32xbf16>) -> tensor<?x32xbf16> {
  %g = attn.project linear %x, %gate into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %gb = linalg.generic {indexing_maps = [#all, #features, #all], iterator_types = ["parallel", "parallel"]} ins(%g, %b : tensor<?x32xf32>, tensor<32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%sum: f32, %bias: f32, %out: f32):
    %0 = arith.addf %sum, %bias : f32
    linalg.yield %0 : f32
  } -> tensor<?x32xf32>
  %u = attn.project linear %x, %up into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %ub = linalg.generic {indexing_maps = [#all, #features, #all], iterator_types = ["parallel", "parallel"]} ins(%u, %c : tensor<?x32xf32>, tensor<32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%sum: f32, %bias: f32, %out: f32):
    %0 = arith.subf %sum, %bias : f32
    linalg.yield %0 : f32
  } -> tensor<?x32xf32>
  %a = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%gb, %ub : tensor<?x32xf32>, tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%open: f32, %sum: f32, %out: f32):
    %0 = math.tanh %open : f32
    %1 = arith.mulf %0, %sum : f32
    linalg.yield %1 : f32
  } -> tensor<?x32xf32>
  %n = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<?x32xf32>) outs(%narrow : tensor<?x32xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<?x32xbf16>
  return %n : tensor<?x32xbf16>
}

// -----

// Two run beside each other, but no three, and none of another storage.
// CHECK-LABEL: func.func @apart
// CHECK-NOT: beside
// CHECK: linalg.generic
// CHECK-NOT: beside
// CHECK: linalg.generic
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @apart(%x: tensor<?x64xf32>, %w: !attn.weight<32x64, f32>, %v: !attn.weight<32x64, bf16>, %into: tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %a = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %b = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %c = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %three = linalg.generic {indexing_maps = [#all, #all, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%a, %b, %c : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%0: f32, %1: f32, %2: f32, %out: f32):
    %3 = arith.mulf %0, %1 : f32
    %4 = arith.mulf %3, %2 : f32
    linalg.yield %4 : f32
  } -> tensor<?x32xf32>
  %d = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32>
  %e = attn.project linear %x, %v into %into : tensor<?x64xf32>, !attn.weight<32x64, bf16> into tensor<?x32xf32> -> tensor<?x32xf32>
  %mixed = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%d, %e : tensor<?x32xf32>, tensor<?x32xf32>) outs(%into : tensor<?x32xf32>) {
  ^bb0(%0: f32, %1: f32, %out: f32):
    %2 = arith.mulf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x32xf32>
  return %three, %mixed : tensor<?x32xf32>, tensor<?x32xf32>
}
