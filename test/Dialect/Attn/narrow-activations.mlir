// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-activations{int8=true bf16=true}))' | FileCheck %s
// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-activations{int8=true}))' | FileCheck %s --check-prefix=INT8
// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-activations{int8=true vnni=false}))' | FileCheck %s --check-prefix=WORDS
// RUN: heed-opt %s -split-input-file -pass-pipeline='builtin.module(func.func(attn-narrow-activations))' | FileCheck %s --check-prefix=PRECISE

// Queries and keys read the same rows, which are rounded once; four bits leave room for rows that are
// centred, a zero point wants integer sums, times what is stored too much.
// CHECK-LABEL: func.func @shared
// CHECK-SAME: (%[[X:.+]]: tensor<?x64xf32>,
// CHECK-DAG: %[[CENTRED:.+]]:5 = attn.quantize %[[X]] times -8 into {{.*}} centred {{.*}} -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x4xbf16>, tensor<?x2xf32>
// CHECK-DAG: %[[WITHZERO:.+]]:3 = attn.quantize %[[X]] times -128 into {{.*}} -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi32>
// CHECK-NOT: attn.quantize
// CHECK: attn.project query %[[CENTRED]]#0, %{{.*}} quantized %[[CENTRED]]#1, %[[CENTRED]]#2 centred %[[CENTRED]]#3, %[[CENTRED]]#4 :
// CHECK: attn.project key %[[CENTRED]]#0, %{{.*}} quantized %[[CENTRED]]#1, %[[CENTRED]]#2 centred %[[CENTRED]]#3, %[[CENTRED]]#4 :
// CHECK: attn.project value %[[WITHZERO]]#0, %{{.*}} quantized %[[WITHZERO]]#1, %[[WITHZERO]]#2 :
// Centres are multiplied as bf16. Where that can't be, mins want scaled sums.
// INT8-LABEL: func.func @shared
// INT8-DAG: %[[WITHMIN:.+]]:3 = attn.quantize %{{.*}} into {{.*}} -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xf32>
// INT8-DAG: %[[WITHZERO:.+]]:3 = attn.quantize %{{.*}} times -128 into
// INT8-NOT: attn.quantize
// INT8: attn.project query %[[WITHMIN]]#0, %{{.*}} quantized %[[WITHMIN]]#1, %[[WITHMIN]]#2 :
// Where fours of bytes aren't multiplied, rows that meet weights of eight bits have 16.
// WORDS-LABEL: func.func @shared
// WORDS-DAG: %[[FEW:.+]]:3 = attn.quantize %{{.*}} into {{.*}} -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xf32>
// WORDS-DAG: %[[MANY:.+]]:3 = attn.quantize %{{.*}} times -128 into {{.*}} -> tensor<?x64xi16>, tensor<?x2xf32>, tensor<?x2xi32>
// WORDS-NOT: attn.quantize
// WORDS: attn.project query %[[FEW]]#0,
// WORDS: attn.project key %[[FEW]]#0,
// WORDS: attn.project value %[[MANY]]#0, %{{.*}} quantized %[[MANY]]#1, %[[MANY]]#2 :
// PRECISE-LABEL: func.func @shared
// PRECISE-NOT: attn.quantize
func.func @shared(%x: tensor<?x64xf32>, %Wq: !attn.weight<32x64, q4_1>, %Wk: !attn.weight<16x64, q4_1>, %Wv: !attn.weight<16x64, q8_0>)
    -> (tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %q = attn.project query %x, %Wq : tensor<?x64xf32>, !attn.weight<32x64, q4_1> -> tensor<?x32xf32>
  %k = attn.project key %x, %Wk : tensor<?x64xf32>, !attn.weight<16x64, q4_1> -> tensor<?x16xf32>
  %v = attn.project value %x, %Wv : tensor<?x64xf32>, !attn.weight<16x64, q8_0> -> tensor<?x16xf32>
  return %q, %k, %v : tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

// A row of several axes; scales of 16 columns want a sum for each.
// CHECK-LABEL: func.func @heads
// CHECK: %[[Z:.+]]:3 = attn.quantize %{{.+}} contracted 2 group 16 times -128 into {{.*}} -> tensor<?x4x64xi8>, tensor<?x8xf32>, tensor<?x16xi32>
// CHECK: attn.project output %[[Z]]#0, %{{.*}} contracted 2 quantized %[[Z]]#1, %[[Z]]#2 into %{{.*}} accumulate
func.func @heads(%z: tensor<?x4x64xf32>, %w: !attn.weight<32x4x64, q6_k>, %e: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %r = attn.project output %z, %w contracted 2 into %e accumulate
    : tensor<?x4x64xf32>, !attn.weight<32x4x64, q6_k> into tensor<?x32xf32> -> tensor<?x32xf32>
  return %r : tensor<?x32xf32>
}

// -----

// bf16 weights take bf16 rows; weights in f32 leave their rows alone, and so do those that have
// both block formats and floats.
// CHECK-LABEL: func.func @floats
// CHECK: %[[N:.+]] = linalg.generic {{.*}} outs({{.*}} : tensor<?x64xbf16>)
// CHECK: arith.truncf
// CHECK: attn.project linear %[[N]], %{{.*}} : tensor<?x64xbf16>, !attn.weight<32x64, bf16> -> tensor<?x32xf32>
// CHECK: attn.project linear %{{.*}}, %{{.*}} : tensor<?x64xf32>, !attn.weight<32x64, f32>
// CHECK: attn.project linear %{{.*}}, %{{.*}} : tensor<?x64xf32>, !attn.weight<32x64, f16|q8_0>
// PRECISE-LABEL: func.func @floats
// PRECISE-NOT: bf16>, !attn
func.func @floats(%x: tensor<?x64xf32>, %a: !attn.weight<32x64, bf16>, %b: !attn.weight<32x64, f32>, %c: !attn.weight<32x64, f16|q8_0>)
    -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) {
  %0 = attn.project linear %x, %a : tensor<?x64xf32>, !attn.weight<32x64, bf16> -> tensor<?x32xf32>
  %1 = attn.project linear %x, %b : tensor<?x64xf32>, !attn.weight<32x64, f32> -> tensor<?x32xf32>
  %2 = attn.project linear %x, %c : tensor<?x64xf32>, !attn.weight<32x64, f16|q8_0> -> tensor<?x32xf32>
  return %0, %1, %2 : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

// Keys read all rows, queries some of them: these are some of what was rounded for the keys. Rows that
// nobody reads whole are rounded themselves.
// CHECK-LABEL: func.func @some_rows
// CHECK-SAME: (%[[X:.+]]: tensor<?x64xf32>, %[[Y:.+]]: tensor<?x64xf32>, {{.*}}, %[[FROM:[a-z0-9]+]]: index, %[[N:[a-z0-9]+]]: index)
// CHECK: %[[ALL:.+]]:5 = attn.quantize %[[X]] times -8 into
// CHECK-DAG: %[[QUANTS:.+]] = tensor.extract_slice %[[ALL]]#0[%[[FROM]], 0] [%[[N]], 64] [1, 1]
// CHECK-DAG: %[[SCALES:.+]] = tensor.extract_slice %[[ALL]]#1[%[[FROM]], 0] [%[[N]], 2] [1, 1]
// CHECK-DAG: %[[SUMS:.+]] = tensor.extract_slice %[[ALL]]#2[%[[FROM]], 0] [%[[N]], 2] [1, 1]
// CHECK-DAG: %[[CENTRES:.+]] = tensor.extract_slice %[[ALL]]#3[%[[FROM]], 0] [%[[N]], 4] [1, 1]
// CHECK-DAG: %[[CROSSES:.+]] = tensor.extract_slice %[[ALL]]#4[%[[FROM]], 0] [%[[N]], 2] [1, 1]
// CHECK: attn.project query %[[QUANTS]], %{{.*}} quantized %[[SCALES]], %[[SUMS]] centred %[[CENTRES]], %[[CROSSES]] :
// CHECK: attn.project key %[[ALL]]#0,
// CHECK: %[[SOME:.+]] = tensor.extract_slice %[[Y]]
// CHECK: %[[OWN:.+]]:5 = attn.quantize %[[SOME]] times -8 into
// CHECK: attn.project linear %[[OWN]]#0,
func.func @some_rows(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %Wq: !attn.weight<32x64, q4_1>, %Wk: !attn.weight<16x64, q4_1>, %from: index, %n: index)
    -> (tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %rows = tensor.extract_slice %x[%from, 0] [%n, 64] [1, 1] : tensor<?x64xf32> to tensor<?x64xf32>
  %q = attn.project query %rows, %Wq : tensor<?x64xf32>, !attn.weight<32x64, q4_1> -> tensor<?x32xf32>
  %k = attn.project key %x, %Wk : tensor<?x64xf32>, !attn.weight<16x64, q4_1> -> tensor<?x16xf32>
  %own = tensor.extract_slice %y[%from, 0] [%n, 64] [1, 1] : tensor<?x64xf32> to tensor<?x64xf32>
  %u = attn.project linear %own, %Wk : tensor<?x64xf32>, !attn.weight<16x64, q4_1> -> tensor<?x16xf32>
  return %q, %k, %u : tensor<?x32xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

// The same of rows in bf16.
// CHECK-LABEL: func.func @some_rows_of_bf16
// CHECK-SAME: (%[[X:.+]]: tensor<?x64xf32>,
// CHECK: %[[ALL:.+]] = linalg.generic {{.*}} ins(%[[X]] : {{.*}} outs({{.*}} : tensor<?x64xbf16>)
// CHECK: %[[ROWS:.+]] = tensor.extract_slice %[[ALL]]
// CHECK: attn.project query %[[ROWS]],
// CHECK: attn.project key %[[ALL]],
func.func @some_rows_of_bf16(%x: tensor<?x64xf32>, %Wq: !attn.weight<32x64, bf16>, %from: index, %n: index) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %rows = tensor.extract_slice %x[%from, 0] [%n, 64] [1, 1] : tensor<?x64xf32> to tensor<?x64xf32>
  %q = attn.project query %rows, %Wq : tensor<?x64xf32>, !attn.weight<32x64, bf16> -> tensor<?x32xf32>
  %k = attn.project key %x, %Wq : tensor<?x64xf32>, !attn.weight<32x64, bf16> -> tensor<?x32xf32>
  return %q, %k : tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

// A step's logits are of rows in f32 where the weights are bf16, with what follows number by number;
// its other rows are rounded.
// CHECK-LABEL: func.func @logits
// CHECK: %[[N:.+]] = linalg.generic {{.*}} outs({{.*}} : tensor<?x64xbf16>)
// CHECK: %[[H:.+]] = attn.project linear %[[N]], %{{.*}} : tensor<?x64xbf16>
// CHECK: attn.project linear %[[H]], %{{.*}} : tensor<?x64xf32>, !attn.weight<96x64, bf16> -> tensor<?x96xf32>
// Of a function that isn't a step all rows are asked for.
// CHECK-LABEL: func.func @no_step
// CHECK: attn.project linear %{{.*}}, %{{.*}} : tensor<?x64xbf16>
func.func @logits(%x: tensor<?x64xf32>, %a: !attn.weight<64x64, bf16>, %b: !attn.weight<96x64, bf16>, %into: tensor<?x96xf32>)
    -> tensor<?x96xf32> attributes {heed.kind = "step"} {
  %0 = attn.project linear %x, %a : tensor<?x64xf32>, !attn.weight<64x64, bf16> -> tensor<?x64xf32>
  %1 = attn.project linear %0, %b : tensor<?x64xf32>, !attn.weight<96x64, bf16> -> tensor<?x96xf32>
  %2 = linalg.tanh ins(%1 : tensor<?x96xf32>) outs(%into : tensor<?x96xf32>) -> tensor<?x96xf32>
  return %2 : tensor<?x96xf32>
}
func.func @no_step(%x: tensor<?x64xf32>, %a: !attn.weight<64x64, bf16>) -> tensor<?x64xf32> {
  %0 = attn.project linear %x, %a : tensor<?x64xf32>, !attn.weight<64x64, bf16> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
