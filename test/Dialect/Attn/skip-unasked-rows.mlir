// RUN: heed-opt %s -split-input-file -attn-skip-unasked-rows -cse | FileCheck %s

#row = affine_map<(i, c) -> (i, c)>

// Keys are of all rows; queries, attention and the residual of those that the last round is asked for.
// The table, made before the loop, is sliced, not made again.
// CHECK-LABEL: func.func @layers
// CHECK-SAME: (%[[E0:.+]]: tensor<?x8xf32>, %[[P:.+]]: tensor<?x8xf32>, %{{.+}}: !attn.weight<2x4x8, f32>, %{{.+}}: !attn.weight<8x2x4, f32>, %[[ASKFROM:.+]]: index, %{{.+}}: index)
// CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.+]] = arith.constant 1 : index
// CHECK-DAG: %[[END:.+]] = arith.constant 30 : index
// CHECK-DAG: %[[N:.+]] = tensor.dim %[[E0]]
// CHECK: scf.for %[[L:.+]] = %{{.+}} to %[[END]] step %[[ONE]] iter_args(%[[E:.+]] = %[[E0]])
// CHECK-NEXT: %[[NEXT:.+]] = arith.addi %[[L]], %[[ONE]]
// CHECK-NEXT: %[[LAST:.+]] = arith.cmpi sge, %[[NEXT]], %[[END]]
// CHECK-NEXT: %[[FROM:.+]] = arith.select %[[LAST]], %[[ASKFROM]], %[[ZERO]]
// CHECK-NEXT: %[[ROWS:.+]] = arith.subi %[[N]], %[[FROM]] overflow<nuw>
// CHECK: %[[K:.+]] = attn.project key %[[E]],
// CHECK: %[[KH:.+]] = linalg.transpose ins(%[[K]]
// CHECK-DAG: %[[ESOME:.+]] = tensor.extract_slice %[[E]][%[[FROM]], 0] [%[[ROWS]], 8] [1, 1]
// CHECK-DAG: %[[PSOME:.+]] = tensor.extract_slice %[[P]][%[[FROM]], 0] [%[[ROWS]], 8] [1, 1]
// CHECK: %[[X:.+]] = linalg.generic {{.*}} ins(%[[ESOME]], %[[PSOME]]
// CHECK: linalg.index 0
// CHECK-NEXT: arith.addi %[[FROM]]
// CHECK: %[[Q:.+]] = attn.project query %[[X]],
// CHECK: %[[QH:.+]] = linalg.transpose ins(%[[Q]]
// CHECK: attn.attention %[[QH]], %[[KH]], %[[KH]] scale 5.000000e-01 rows_first
// CHECK-NEXT: ^bb0(%{{.+}}: index, %[[I:.+]]: index, %[[J:.+]]: index):
// CHECK-NEXT: %[[ROW:.+]] = arith.addi %[[FROM]], %[[I]]
// CHECK-NEXT: arith.cmpi sle, %[[J]], %[[ROW]]
// CHECK: attn.project output
// CHECK: %[[SUM:.+]] = linalg.generic {{.*}} ins(%[[ESOME]],
// CHECK: %[[PUT:.+]] = tensor.insert_slice %[[SUM]] into %[[E]][%[[FROM]], 0] [%[[ROWS]], 8] [1, 1]
// CHECK: scf.yield %[[PUT]]
func.func @layers(%E0: tensor<?x8xf32>, %positions: tensor<?x8xf32>, %Wq: !attn.weight<2x4x8, f32>, %Wo: !attn.weight<8x2x4, f32>,
                  %first: index, %asked: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c30 = arith.constant 30 : index
  %n = tensor.dim %E0, %c0 : tensor<?x8xf32>
  %wide = tensor.empty(%n) : tensor<?x8xf32>
  %heads = tensor.empty(%n) : tensor<2x?x4xf32>
  %r = scf.for %l = %c0 to %c30 step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    %X = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%E, %positions : tensor<?x8xf32>, tensor<?x8xf32>) outs(%wide : tensor<?x8xf32>) {
    ^bb0(%e: f32, %p: f32, %out: f32):
      %i = linalg.index 0 : index
      %int = arith.index_cast %i : index to i32
      %number = arith.sitofp %int : i32 to f32
      %s = arith.mulf %e, %p : f32
      %x = arith.mulf %s, %number : f32
      linalg.yield %x : f32
    } -> tensor<?x8xf32>
    %q = attn.project query %X, %Wq : tensor<?x8xf32>, !attn.weight<2x4x8, f32> -> tensor<?x2x4xf32>
    %Q = linalg.transpose ins(%q : tensor<?x2x4xf32>) outs(%heads : tensor<2x?x4xf32>) permutation = [1, 0, 2]
    %k = attn.project key %E, %Wq : tensor<?x8xf32>, !attn.weight<2x4x8, f32> -> tensor<?x2x4xf32>
    %K = linalg.transpose ins(%k : tensor<?x2x4xf32>) outs(%heads : tensor<2x?x4xf32>) permutation = [1, 0, 2]
    %Z = attn.attention %Q, %K, %K scale 0.5 rows_first : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<?x2x4xf32> mask {
    ^bb0(%h: index, %i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      attn.yield %visible : i1
    }
    %U = attn.project output %Z, %Wo contracted 2 : tensor<?x2x4xf32>, !attn.weight<8x2x4, f32> -> tensor<?x8xf32>
    %F = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%E, %U : tensor<?x8xf32>, tensor<?x8xf32>) outs(%wide : tensor<?x8xf32>) {
    ^bb0(%e: f32, %u: f32, %out: f32):
      %s = arith.addf %e, %u : f32
      linalg.yield %s : f32
    } -> tensor<?x8xf32>
    scf.yield %F : tensor<?x8xf32>
  }
  %some = tensor.extract_slice %r[%first, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  return %some : tensor<?x8xf32>
}

// -----

#row = affine_map<(i, c) -> (i, c)>
#back = affine_map<(i, c) -> (7 - i, c)>

// A result read whole, one of which two parts are read, and one whose rows come from other rows.
// CHECK-LABEL: func.func @kept
// CHECK-NOT: insert_slice
// CHECK-NOT: arith.select
func.func @kept(%E0: tensor<?x8xf32>, %F0: tensor<8x8xf32>, %W: !attn.weight<8x8, f32>, %first: index, %second: index, %asked: index)
    -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %whole = scf.for %l = %c0 to %c3 step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    %G = attn.project linear %E, %W : tensor<?x8xf32>, !attn.weight<8x8, f32> -> tensor<?x8xf32>
    scf.yield %G : tensor<?x8xf32>
  }
  %parts = scf.for %l = %c0 to %c3 step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    %G = attn.project linear %E, %W : tensor<?x8xf32>, !attn.weight<8x8, f32> -> tensor<?x8xf32>
    scf.yield %G : tensor<?x8xf32>
  }
  %backwards = scf.for %l = %c0 to %c3 step %c1 iter_args(%F = %F0) -> tensor<8x8xf32> {
    %empty = tensor.empty() : tensor<8x8xf32>
    %G = linalg.generic {indexing_maps = [#back, #row], iterator_types = ["parallel", "parallel"]}
        ins(%F : tensor<8x8xf32>) outs(%empty : tensor<8x8xf32>) {
    ^bb0(%f: f32, %out: f32):
      linalg.yield %f : f32
    } -> tensor<8x8xf32>
    scf.yield %G : tensor<8x8xf32>
  }
  %a = tensor.extract_slice %parts[%first, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  %b = tensor.extract_slice %parts[%second, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  %c = tensor.extract_slice %backwards[%first, 0] [%asked, 8] [1, 1] : tensor<8x8xf32> to tensor<?x8xf32>
  return %whole, %a, %b, %c : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}
