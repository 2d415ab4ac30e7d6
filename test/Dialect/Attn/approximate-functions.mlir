// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-approximate-functions))' | FileCheck %s

// A GELU, rounded to bf16 where a projection stores its sums.
// CHECK-LABEL: func.func @epilogue
// CHECK: math.erf %{{.+}} fastmath<afn> : f32
func.func @epilogue(%x: tensor<?x64xf32>, %w: !attn.weight<32x64, f32>, %into: tensor<?x32xbf16>) -> tensor<?x32xbf16> {
  %one = arith.constant 1.0 : f32
  %y = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xbf16> -> tensor<?x32xbf16> epilogue {
  ^bb0(%sum: f32):
    %0 = math.erf %sum : f32
    %1 = arith.addf %0, %one : f32
    %2 = arith.mulf %sum, %1 : f32
    %3 = arith.truncf %2 : f32 to bf16
    attn.yield %3 : bf16
  }
  return %y : tensor<?x32xbf16>
}

// The same, whose rows stay f32.
// CHECK-LABEL: func.func @exact
// CHECK: math.erf %{{[^ ]+}} : f32
func.func @exact(%x: tensor<?x64xf32>, %w: !attn.weight<32x64, f32>, %into: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %y = attn.project linear %x, %w into %into : tensor<?x64xf32>, !attn.weight<32x64, f32> into tensor<?x32xf32> -> tensor<?x32xf32> epilogue {
  ^bb0(%sum: f32):
    %0 = math.erf %sum : f32
    attn.yield %0 : f32
  }
  return %y : tensor<?x32xf32>
}

// -----

#all = affine_map<(d0, d1) -> (d0, d1)>

// A gate, quantised by the op that alone reads it. Asking how many rows there are reads none.
// CHECK-LABEL: func.func @gate
// CHECK: math.exp %{{.+}} fastmath<afn> : f32
func.func @gate(%g: tensor<?x64xf32>, %u: tensor<?x64xf32>, %into: tensor<?x64xf32>, %q: tensor<?x64xi8>, %s: tensor<?x2xf32>, %n: tensor<?x2xi32>) -> (tensor<?x64xi8>, index) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %a = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%g, %u : tensor<?x64xf32>, tensor<?x64xf32>) outs(%into : tensor<?x64xf32>) {
  ^bb0(%x: f32, %y: f32, %out: f32):
    %0 = arith.negf %x : f32
    %1 = math.exp %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.divf %x, %2 : f32
    %4 = arith.mulf %3, %y : f32
    linalg.yield %4 : f32
  } -> tensor<?x64xf32>
  %rows = tensor.dim %a, %c0 : tensor<?x64xf32>
  %r:3 = attn.quantize %a times -128 into %q, %s, %n : tensor<?x64xf32>, tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>
  return %r#0, %rows : tensor<?x64xi8>, index
}

// -----

#all = affine_map<(d0, d1) -> (d0, d1)>

// The rounding is an op of its own; or somebody else reads the values too.
// CHECK-LABEL: func.func @readers
// CHECK: math.tanh %{{.+}} fastmath<afn> : f32
// CHECK: math.tanh %{{[^ ]+}} : f32
func.func @readers(%x: tensor<?x64xf32>, %into: tensor<?x64xf32>, %narrow: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xf32>) {
  %t = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x64xf32>) outs(%into : tensor<?x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.tanh %in : f32
    linalg.yield %0 : f32
  } -> tensor<?x64xf32>
  %n = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%t : tensor<?x64xf32>) outs(%narrow : tensor<?x64xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<?x64xbf16>
  %u = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x64xf32>) outs(%into : tensor<?x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.tanh %in : f32
    linalg.yield %0 : f32
  } -> tensor<?x64xf32>
  %m = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]} ins(%u : tensor<?x64xf32>) outs(%narrow : tensor<?x64xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<?x64xbf16>
  return %n, %m, %u : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xf32>
}

// -----

#all = affine_map<(d0, d1) -> (d0, d1)>

// What a constant could cancel, what has another function behind it, a sum with a residual, and
// f16, which has more digits, stay exact.
// CHECK-LABEL: func.func @others
// CHECK-NOT: afn
func.func @others(%x: tensor<?x64xf32>, %e: tensor<?x64xf32>, %b: tensor<?x64xbf16>, %h: tensor<?x64xf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xf16>) {
  %minus = arith.constant -1.0 : f32
  %r:4 = linalg.generic {indexing_maps = [#all, #all, #all, #all, #all, #all], iterator_types = ["parallel", "parallel"]} ins(%x, %e : tensor<?x64xf32>, tensor<?x64xf32>) outs(%b, %b, %b, %h : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xf16>) {
  ^bb0(%in: f32, %old: f32, %o0: bf16, %o1: bf16, %o2: bf16, %o3: f16):
    %0 = math.exp %in : f32
    %1 = arith.addf %0, %minus : f32
    %2 = arith.truncf %1 : f32 to bf16
    %3 = math.exp %old : f32
    %4 = math.log %3 : f32
    %5 = arith.truncf %4 : f32 to bf16
    %6 = math.tanh %in : f32
    %7 = arith.addf %6, %old : f32
    %8 = arith.truncf %7 : f32 to bf16
    %9 = math.erf %in : f32
    %10 = arith.truncf %9 : f32 to f16
    linalg.yield %2, %5, %8, %10 : bf16, bf16, bf16, f16
  } -> (tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xf16>)
  return %r#0, %r#1, %r#2, %r#3 : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xf16>
}
