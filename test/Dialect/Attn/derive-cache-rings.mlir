// RUN: heed-opt %s -attn-derive-cache="required chunk=100 key-tile=32" | FileCheck %s
// RUN: heed-opt %s -attn-derive-cache="required cache-type=f16" | FileCheck %s --check-prefix=F16
// RUN: heed-opt %s -attn-derive-cache="required cache-type=int8 chunk=100 key-tile=32" | FileCheck %s --check-prefix=I8
// RUN: not heed-opt %s -attn-derive-cache="cache-type=f64" 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not heed-opt %s -attn-derive-cache="chunk=0" 2>&1 | FileCheck %s --check-prefix=CHUNK
// TYPE: found cache-type=f64, expected f32, f16, bf16 or int8
// CHUNK: found chunk=0 and key-tile=64, expected positive numbers
attn.weight @embed : !attn.weight<32x8, f32> tensor "embed"

// 9 - 1 + 100 rows, in whole tiles of 32; the two loops' values have caches of their own, and those of
// the inner loop count through both.
// CHECK-LABEL: func.func @nested
// CHECK-SAME: %[[PAST:[^:]*]]: index {heed.arg = "past"
// CHECK-SAME: tensor<6x128x8xf32> {heed.arg = "cache", heed.name = "K", heed.window = 9 : i64}, %{{[^:]*}}: tensor<2x?x8xf32> {heed.arg = "cache", heed.name = "K2"}
// CHECK-SAME: heed.chunk = 100
// F16: tensor<6x576x8xf16> {heed.arg = "cache", heed.name = "K", heed.window = 9 : i64}, %{{[^:]*}}: tensor<2x?x8xf16> {heed.arg = "cache", heed.name = "K2"}
// I8: func.func @nested
// I8-SAME: tensor<6x128x8xi8> {heed.arg = "cache", heed.name = "K", heed.window = 9 : i64}, %{{[^:]*}}: tensor<6x128x1xf32> {heed.arg = "cache", heed.name = "K_scale", heed.window = 9 : i64}, %{{[^:]*}}: tensor<2x?x8xi8> {heed.arg = "cache", heed.name = "K2"}, %{{[^:]*}}: tensor<2x?x1xf32> {heed.arg = "cache", heed.name = "K2_scale"})
func.func @nested(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c9 = arith.constant 9 : index
  %table = attn.get_weight @embed : !attn.weight<32x8, f32>
  %E0 = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  // CHECK: scf.for %[[O:[a-z0-9]*]] =
  %E2 = scf.for %o = %c0 to %c2 step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    // CHECK: scf.for %[[R:[a-z0-9]*]] =
    %local = scf.for %r = %c0 to %c3 step %c1 iter_args(%X = %E) -> tensor<?x8xf32> {
      %n = tensor.dim %tokens, %c0 : tensor<?xi32>
      %e = tensor.empty(%n) : tensor<?x8xf32>
      // CHECK: %[[K:.*]] = linalg.exp
      // CHECK: %[[THREE:.*]] = arith.constant 3
      // CHECK: %[[OUTER:.*]] = arith.muli %[[O]], %[[THREE]]
      // CHECK: %[[LAYER:.*]] = arith.addi %[[OUTER]], %[[R]]
      // CHECK: attn.cache_append %[[K]] into %{{.*}} layer %[[LAYER]] at %[[PAST]]
      // I8: %[[QUANTS:[a-z0-9_]*]], %[[SCALES:[a-z0-9_]*]] = attn.cache_append %{{.*}} into %{{.*}} scales %{{.*}} layer
      // I8: attn.cache_read %[[QUANTS]] scales %[[SCALES]] layer
      %K = linalg.exp ins(%X : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> loc("K")
      %S = attn.scores %X, %K scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
      %M = attn.mask %S : tensor<?x?xf32> {
      ^bb0(%i: index, %j: index):
        %earlier = arith.cmpi sle, %j, %i : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %c9 : index
        %visible = arith.andi %near, %earlier : i1
        attn.yield %visible : i1
      }
      %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
      %Z = attn.weigh %A, %K : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
      scf.yield %Z : tensor<?x8xf32>
    }
    %n = tensor.dim %tokens, %c0 : tensor<?xi32>
    %e = tensor.empty(%n) : tensor<?x8xf32>
    // CHECK: attn.cache_append %{{.*}} into %{{.*}} layer %[[O]] at %[[PAST]]
    %K = linalg.exp ins(%local : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32> loc("K")
    %S = attn.scores %local, %K scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
    %M = attn.mask %S : tensor<?x?xf32> {
    ^bb0(%i: index, %j: index):
      %earlier = arith.cmpi sle, %j, %i : index
      attn.yield %earlier : i1
    }
    %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
    %Z = attn.weigh %A, %K : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
    scf.yield %Z : tensor<?x8xf32>
  }
  return %E2 : tensor<?x8xf32>
}

// A context no longer than the ring is kept whole; so is what one of two readers sees whole.
// CHECK-LABEL: func.func @short_context
// CHECK-SAME: tensor<1x?x8xf32> {heed.arg = "cache", heed.name = "K"})
func.func @short_context(%tokens: tensor<?xi32>) -> tensor<?x8xf32> attributes {heed.sizes = ["n"], heed.bounds = array<i64: 128>} {
  %c9 = arith.constant 9 : index
  %table = attn.get_weight @embed : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %table : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %earlier = arith.cmpi sle, %j, %i : index
    %last = arith.addi %j, %c9 : index
    %near = arith.cmpi sgt, %last, %i : index
    %visible = arith.andi %near, %earlier : i1
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}
