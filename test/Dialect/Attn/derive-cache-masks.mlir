// RUN: heed-opt %s -attn-derive-cache="required" | FileCheck %s

attn.weight @table : !attn.weight<32x8, f32> tensor "t"

// Each of these masks hides later rows, however it is spelled; all attentions read one cache.
// CHECK-LABEL: func.func @spellings
// CHECK-SAME: heed.kind = "step"
// CHECK: attn.cache_append
// CHECK-NOT: attn.cache_append
func.func @spellings(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>

  // i - j >= 0
  %M1 = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %distance = arith.subi %i, %j : index
    %v = arith.cmpi sge, %distance, %c0 : index
    attn.yield %v : i1
  }
  // j < i || j == 0: the first row is before every row.
  %M2 = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %earlier = arith.cmpi slt, %j, %i : index
    %start = arith.cmpi eq, %j, %c0 : index
    %v = arith.ori %earlier, %start : i1
    attn.yield %v : i1
  }
  // 2 * j <= 2 * i + 1, as whole numbers
  %M3 = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %jj = arith.muli %c2, %j : index
    %ii = arith.muli %i, %c2 : index
    %next = arith.addi %ii, %c1 : index
    %v = arith.cmpi ule, %jj, %next : index
    attn.yield %v : i1
  }
  // j > i ? false : i != j
  %M4 = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %false = arith.constant false
    %later = arith.cmpi sgt, %j, %i : index
    %other = arith.cmpi ne, %i, %j : index
    %v = arith.select %later, %false, %other : i1
    attn.yield %v : i1
  }
  // Of two masks one is enough.
  %M5 = attn.mask %M4 : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %v = arith.cmpi ne, %j, %c1 : index
    attn.yield %v : i1
  }
  // Of a disjunction both must: j <= i && (i - j < 4 || far).
  %M6 = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %c4 = arith.constant 4 : index
    %earlier = arith.cmpi sle, %j, %i : index
    %distance = arith.subi %i, %j : index
    %near = arith.cmpi slt, %distance, %c4 : index
    %row = arith.remui %i, %c4 : index
    %global = arith.cmpi eq, %row, %c1 : index
    %seen = arith.ori %near, %global : i1
    %v = arith.andi %earlier, %seen : i1
    attn.yield %v : i1
  }
  %A6 = attn.softmax %M6 dimension 1 : tensor<?x?xf32>
  %Z6 = attn.weigh %A6, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %A1 = attn.softmax %M1 dimension 1 : tensor<?x?xf32>
  %A2 = attn.softmax %M2 dimension 1 : tensor<?x?xf32>
  %A3 = attn.softmax %M3 dimension 1 : tensor<?x?xf32>
  %A5 = attn.softmax %M5 dimension 1 : tensor<?x?xf32>
  %Z1 = attn.weigh %A1, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %Z2 = attn.weigh %A2, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %Z3 = attn.weigh %A3, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %Z5 = attn.weigh %A5, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %Z = linalg.generic {
      indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%Z1, %Z2, %Z3, %Z5, %Z6 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %d: f32, %f: f32, %out: f32):
    %ab = arith.addf %a, %b : f32
    %abc = arith.addf %ab, %c : f32
    %abcd = arith.addf %abc, %d : f32
    %all = arith.addf %abcd, %f : f32
    linalg.yield %all : f32
  } -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}
