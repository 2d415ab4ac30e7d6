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
