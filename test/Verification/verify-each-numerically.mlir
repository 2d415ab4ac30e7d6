// Passes that keep what functions compute pass; inputs are made by type or read from a file.
// RUN: heed-opt %s --pass-pipeline='builtin.module(func.func(attn-fuse-attention),canonicalize)' --verify-each-numerically -o - 2>&1 | FileCheck %s
// RUN: echo '{"function":"attend","weights":"","sizes":[2],"pieces":[],"params":[[1,0,0,1],[0.5,1,1,0],[1,2,3,4]]}' > %t.json
// RUN: heed-opt %s --pass-pipeline='builtin.module(func.func(attn-fuse-attention))' --verify-each-numerically=%t.json -o - 2>&1 | FileCheck %s
// RUN: echo '{"function":"attend","weights":"","sizes":[2],"pieces":[],"params":[[1],[0.5,1,1,0],[1,2,3,4]]}' > %t.short.json
// RUN: not heed-opt %s --pass-pipeline='builtin.module(func.func(attn-fuse-attention))' --verify-each-numerically=%t.short.json -o - 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not heed-opt %s --canonicalize --verify-each-numerically=%t.none.json -o - 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: heed compile %examples/starter.heed --emit=tiled --verify-each-numerically -o %t.mlir

// CHECK-NOT: error
// CHECK-NOT: remark
// CHECK: attn.attention
// SHORT: error: the input's file has 1 elements for parameter 'argument 0', expected 4
// NONE: error: can't read '{{.*}}.none.json'

func.func @attend(%q: tensor<?x2xf32>, %k: tensor<?x2xf32>, %v: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %s = attn.scores %q, %k scale 0.5 : tensor<?x2xf32>, tensor<?x2xf32> -> tensor<?x?xf32>
  %m = attn.mask %s : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %c = arith.cmpi sle, %j, %i : index
    attn.yield %c : i1
  }
  %a = attn.softmax %m dimension 1 : tensor<?x?xf32>
  %o = attn.weigh %a, %v : tensor<?x?xf32>, tensor<?x2xf32> -> tensor<?x2xf32>
  return %o : tensor<?x2xf32>
}
