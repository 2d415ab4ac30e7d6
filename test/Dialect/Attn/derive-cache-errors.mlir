// RUN: heed-opt %s -allow-unregistered-dialect -split-input-file -verify-diagnostics -attn-derive-cache="required"
// RUN: heed-opt %s -allow-unregistered-dialect -split-input-file -attn-derive-cache | FileCheck %s

// Without `required` nothing changes.
// CHECK-LABEL: func.func @looks_ahead(%{{.*}}: tensor<?xi32>) -> tensor<?x8xf32> attributes {heed.kind = "plain"}
attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @looks_ahead(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  // expected-error @below {{found mask 'j <= i + 1': row i reads rows after it, so no cache can be derived; expected a mask that implies 'j <= i' [E0701]}}
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %c1 = arith.constant 1 : index
    %next = arith.addi %i, %c1 : index
    %visible = arith.cmpi sle, %j, %next : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}

// -----

// Two refusals, one for each mask.
attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @prefix_and_window(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %c4 = arith.constant 4 : index
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  // expected-error @below {{found mask 'j < 4 || j <= i': row i reads rows after it}}
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %prefix = arith.cmpi slt, %j, %c4 : index
    %earlier = arith.cmpi sle, %j, %i : index
    %visible = arith.ori %prefix, %earlier : i1
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  // expected-error @below {{found mask '(t - s) * 2 < 8 && !(s == t)': row t reads rows after it, so no cache can be derived; expected a mask that implies 's <= t' [E0701]}}
  %M2 = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index loc("t"), %j: index loc("s")):
    %true = arith.constant true
    %c2 = arith.constant 2 : index
    %c8 = arith.constant 8 : index
    %distance = arith.subi %i, %j : index
    %twice = arith.muli %distance, %c2 : index
    %near = arith.cmpi slt, %twice, %c8 : index
    %same = arith.cmpi eq, %j, %i : index
    %other = arith.xori %same, %true : i1
    %visible = arith.andi %near, %other : i1
    attn.yield %visible : i1
  }
  %A2 = attn.softmax %M2 dimension 1 : tensor<?x?xf32>
  %Z2 = attn.weigh %A2, %Z : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z2 : tensor<?x8xf32>
}

// -----

// A row sees the rest of its block.
attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @blocks(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  // expected-error @below {{found mask 'j / 4 <= i / 4': row i reads rows after it, so no cache can be derived; expected a mask that implies 'j <= i' [E0701]}}
  %M = attn.mask %S : tensor<?x?xf32> {
  ^bb0(%i: index, %j: index):
    %c4 = arith.constant 4 : index
    %ofKey = arith.divui %j, %c4 : index
    %ofRow = arith.divui %i, %c4 : index
    %visible = arith.cmpi sle, %ofKey, %ofRow : index
    attn.yield %visible : i1
  }
  %A = attn.softmax %M dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}

// -----

attn.weight @table : !attn.weight<32x8, f32> tensor "t"
func.func @no_mask(%tokens: tensor<?xi32>) -> tensor<?x8xf32> {
  %t = attn.get_weight @table : !attn.weight<32x8, f32>
  %E = attn.embed %tokens, %t : tensor<?xi32>, !attn.weight<32x8, f32> -> tensor<?x8xf32>
  %S = attn.scores %E, %E scale 1.0 : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  // expected-error @below {{found no mask before this softmax: row i reads rows after it}}
  %A = attn.softmax %S dimension 1 : tensor<?x?xf32>
  %Z = attn.weigh %A, %E : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %D = arith.addf %A, %A : tensor<?x?xf32>
  // expected-error @below {{found values weighed by something else than a masked softmax over their rows}}
  %Y = attn.weigh %D, %Z : tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Y : tensor<?x8xf32>
}
