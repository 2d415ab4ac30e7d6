// RUN: heed-opt %s -heed-fuse-elementwise -split-input-file | FileCheck %s

#rows = affine_map<(i, c) -> (i, c)>
#columns = affine_map<(i, c) -> (c)>

// CHECK-LABEL: func.func @only_reader
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK-NEXT: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @only_reader(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %empty = tensor.empty() : tensor<4x8xf32>
  %e = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = math.exp %a : f32
    linalg.yield %v : f32
  } -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%e, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.mulf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

#rows = affine_map<(i, c) -> (i, c)>
#columns = affine_map<(i, c) -> (c)>

// A table of cosines that each row reads again isn't computed again for each row.
// CHECK-LABEL: func.func @costly_table
// CHECK: linalg.generic
// CHECK: math.cos
// CHECK: linalg.generic
// CHECK-NOT: math.cos
// CHECK: arith.mulf
func.func @costly_table(%x: tensor<4x8xf32>, %angles: tensor<8xf32>) -> tensor<4x8xf32> {
  %row = tensor.empty() : tensor<8xf32>
  %table = linalg.generic {indexing_maps = [affine_map<(c) -> (c)>, affine_map<(c) -> (c)>], iterator_types = ["parallel"]}
      ins(%angles : tensor<8xf32>) outs(%row : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = math.cos %a : f32
    linalg.yield %v : f32
  } -> tensor<8xf32>
  %empty = tensor.empty() : tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#columns, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%table, %x : tensor<8xf32>, tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.mulf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// What has another reader, or is read in a loop that it isn't part of, is stored.
// CHECK-LABEL: func.func @stays
// CHECK: %[[E:.*]] = linalg.generic
// CHECK: math.absf
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} ins(%[[E]]
func.func @stays(%x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %empty = tensor.empty() : tensor<8xf32>
  %e = linalg.generic {indexing_maps = [affine_map<(c) -> (c)>, affine_map<(c) -> (c)>], iterator_types = ["parallel"]}
      ins(%x : tensor<8xf32>) outs(%empty : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = math.absf %a : f32
    linalg.yield %v : f32
  } -> tensor<8xf32>
  %r = scf.for %l = %c0 to %n step %c1 iter_args(%sum = %x) -> tensor<8xf32> {
    %y = linalg.generic {indexing_maps = [affine_map<(c) -> (c)>, affine_map<(c) -> (c)>, affine_map<(c) -> (c)>], iterator_types = ["parallel"]}
        ins(%e, %sum : tensor<8xf32>, tensor<8xf32>) outs(%empty : tensor<8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %v = arith.addf %a, %b : f32
      linalg.yield %v : f32
    } -> tensor<8xf32>
    scf.yield %y : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

#all = affine_map<(h, i, k) -> (h, i, k)>
#swapped = affine_map<(h, i, k) -> (h, i, 1 - k)>

// Heads in front of rows are read where the product left them; the transposed copy is of no use then.
// CHECK-DAG: #[[$THERE:.+]] = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
// CHECK-DAG: #[[$SWAPPED:.+]] = affine_map<(d0, d1, d2) -> (d1, d0, -d2 + 1)>
// CHECK-LABEL: func.func @transposed
// CHECK-SAME: %[[X:.+]]: tensor<4x9x2xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {indexing_maps = [#[[$THERE]], #[[$SWAPPED]], {{.*}}ins(%[[X]], %[[X]] :
func.func @transposed(%x: tensor<4x9x2xf32>) -> tensor<9x4x2xf32> {
  %empty = tensor.empty() : tensor<9x4x2xf32>
  %t = linalg.transpose ins(%x : tensor<4x9x2xf32>) outs(%empty : tensor<9x4x2xf32>) permutation = [1, 0, 2]
  %y = linalg.generic {indexing_maps = [#all, #swapped, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %t : tensor<9x4x2xf32>, tensor<9x4x2xf32>) outs(%empty : tensor<9x4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.mulf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<9x4x2xf32>
  return %y : tensor<9x4x2xf32>
}

// -----

#all = affine_map<(i, c) -> (i, c)>

// Not where neighbours would be read far from each other.
// CHECK-LABEL: func.func @columns_first
// CHECK: linalg.transpose
func.func @columns_first(%x: tensor<4x9xf32>) -> tensor<9x4xf32> {
  %empty = tensor.empty() : tensor<9x4xf32>
  %t = linalg.transpose ins(%x : tensor<4x9xf32>) outs(%empty : tensor<9x4xf32>) permutation = [1, 0]
  %y = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<9x4xf32>) outs(%empty : tensor<9x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = math.exp %a : f32
    linalg.yield %v : f32
  } -> tensor<9x4xf32>
  return %y : tensor<9x4xf32>
}
