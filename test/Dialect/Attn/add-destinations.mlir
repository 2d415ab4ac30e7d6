// RUN: heed-opt %s -attn-add-destinations -split-input-file | FileCheck %s

#rows = affine_map<(i, c) -> (i, c)>
#row = affine_map<(i, c) -> (c)>
#each = affine_map<(i, c) -> (i)>

// CHECK-LABEL: func.func @empty
// CHECK-SAME: %[[IDS:.*]]: tensor<?xi32>, %[[T:.*]]: !attn.weight<100x64, f32>, %[[W:.*]]: !attn.weight<2x32x64, f32>)
// CHECK: %[[N:.*]] = tensor.dim %[[IDS]], %c0
// CHECK: %[[EMPTY:.*]] = tensor.empty(%[[N]]) : tensor<?x64xf32>
// CHECK: %[[E:.*]] = attn.embed %[[IDS]], %[[T]] into %[[EMPTY]] :
// CHECK: %[[ROWS:.*]] = tensor.dim %[[E]], %c0
// CHECK: %[[OTHER:.*]] = tensor.empty(%[[ROWS]]) : tensor<?x2x32xf32>
// CHECK: attn.project query %[[E]], %[[W]] into %[[OTHER]] :
func.func @empty(%ids: tensor<?xi32>, %t: !attn.weight<100x64, f32>, %w: !attn.weight<2x32x64, f32>) -> tensor<?x2x32xf32> {
  %e = attn.embed %ids, %t : tensor<?xi32>, !attn.weight<100x64, f32> -> tensor<?x64xf32>
  %q = attn.project query %e, %w : tensor<?x64xf32>, !attn.weight<2x32x64, f32> -> tensor<?x2x32xf32>
  return %q : tensor<?x2x32xf32>
}

// The residual is computed after the projection: the product is added where the sum stands, so that
// the residual dominates it. The residual's other reader is bufferization's to order.
// CHECK-LABEL: func.func @residual
// CHECK-SAME: %[[Z:.*]]: tensor<?x64xf32>, %[[W:.*]]: !attn.weight<64x64, f32>)
// CHECK-NOT: attn.project
// CHECK: %[[E:.*]] = linalg.exp
// CHECK: %[[SUM:.*]] = attn.project output %[[Z]], %[[W]] into %[[E]] accumulate
// CHECK-NOT: linalg.generic
// CHECK: return %[[SUM]], %[[E]]
func.func @residual(%z: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %p = attn.project output %z, %w : tensor<?x64xf32>, !attn.weight<64x64, f32> -> tensor<?x64xf32>
  %e = linalg.exp ins(%z : tensor<?x64xf32>) outs(%z : tensor<?x64xf32>) -> tensor<?x64xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%e, %p : tensor<?x64xf32>, tensor<?x64xf32>) outs(%z : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?x64xf32>
  return %s, %e : tensor<?x64xf32>, tensor<?x64xf32>
}

// Kept: the product is read elsewhere too; a bias isn't a residual; a difference isn't a sum.
// CHECK-LABEL: func.func @no_residual
// CHECK: attn.project linear {{.*}} into %{{[a-z0-9_]+}} :
// CHECK: arith.addf
// CHECK: attn.project linear {{.*}} into %{{[a-z0-9_]+}} :
// CHECK: arith.addf
// CHECK: attn.project linear {{.*}} into %{{[a-z0-9_]+}} :
// CHECK: arith.subf
func.func @no_residual(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>, %bias: tensor<64xf32>, %out: tensor<?x64xf32>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %p = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<64x64, f32> -> tensor<?x64xf32>
  %s = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %p : tensor<?x64xf32>, tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?x64xf32>
  %q = attn.project linear %s, %w : tensor<?x64xf32>, !attn.weight<64x64, f32> -> tensor<?x64xf32>
  %biased = linalg.generic {indexing_maps = [#row, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%bias, %q : tensor<64xf32>, tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?x64xf32>
  %r = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<64x64, f32> -> tensor<?x64xf32>
  %difference = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %r : tensor<?x64xf32>, tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %less = arith.subf %a, %b : f32
    linalg.yield %less : f32
  } -> tensor<?x64xf32>
  return %p, %s, %biased, %difference : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}

// A product that a loop adds again and again is computed once, before the loop.
// CHECK-LABEL: func.func @sum_in_loop
// CHECK: %[[P:.*]] = attn.project
// CHECK-SAME: into %{{[a-z0-9_]+}} :
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[P]]
func.func @sum_in_loop(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>, %from: index, %to: index, %step: index) -> tensor<?x64xf32> {
  %p = attn.project linear %x, %w : tensor<?x64xf32>, !attn.weight<64x64, f32> -> tensor<?x64xf32>
  %r = scf.for %l = %from to %to step %step iter_args(%e = %x) -> tensor<?x64xf32> {
    %s = linalg.generic {indexing_maps = [#rows, #rows, #rows], iterator_types = ["parallel", "parallel"]}
        ins(%e, %p : tensor<?x64xf32>, tensor<?x64xf32>) outs(%e : tensor<?x64xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    } -> tensor<?x64xf32>
    scf.yield %s : tensor<?x64xf32>
  }
  return %r : tensor<?x64xf32>
}

// What a loop carries on stays in one buffer, whether a round updates it in place or not.
// CHECK-LABEL: func.func @computed_elsewhere
// CHECK: scf.for {{.*}} iter_args(%[[E:.*]] = %{{.*}}, %[[F:.*]] = %{{.*}})
// CHECK: %[[SUM:.*]] = linalg.generic
// CHECK: %[[UPDATED:.*]] = attn.project linear %{{.*}}, %{{.*}} into %[[F]] accumulate
// CHECK: %[[RETURNED:.*]] = bufferization.materialize_in_destination %[[SUM]] in %[[E]]
// CHECK: scf.yield %[[RETURNED]], %[[UPDATED]]
func.func @computed_elsewhere(%x: tensor<?x64xf32>, %w: !attn.weight<64x64, f32>, %out: tensor<?x64xf32>, %from: index, %to: index, %step: index) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %r:2 = scf.for %l = %from to %to step %step iter_args(%e = %x, %f = %out) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
    %s = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]}
        ins(%e : tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %double = arith.addf %a, %a : f32
      linalg.yield %double : f32
    } -> tensor<?x64xf32>
    %p = attn.project linear %s, %w into %f accumulate : tensor<?x64xf32>, !attn.weight<64x64, f32> into tensor<?x64xf32> -> tensor<?x64xf32>
    scf.yield %s, %p : tensor<?x64xf32>, tensor<?x64xf32>
  }
  return %r#0, %r#1 : tensor<?x64xf32>, tensor<?x64xf32>
}

// Zeros that every round adds to are filled in the round; of those that two ops add to each has its own.
// CHECK-LABEL: func.func @zeros
// CHECK-SAME: %{{.*}}: tensor<?x64xf32>, %[[N:[a-z0-9]+]]: index
// CHECK: scf.for
// CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?xf32>
// CHECK-NEXT: %[[ZEROS:.*]] = linalg.fill ins(%{{.*}}) outs(%[[E]]
// CHECK-NEXT: linalg.generic {{.*}} outs(%[[ZEROS]]
// CHECK: %[[F:.*]] = linalg.fill
// CHECK-NEXT: linalg.generic {{.*}} outs(%[[F]]
func.func @zeros(%x: tensor<?x64xf32>, %n: index, %from: index, %to: index, %step: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %r = scf.for %l = %from to %to step %step iter_args(%last = %zeros) -> tensor<?xf32> {
    %sums = linalg.generic {indexing_maps = [#rows, #each], iterator_types = ["parallel", "reduction"]}
        ins(%x : tensor<?x64xf32>) outs(%zeros : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %sum = arith.addf %a, %o : f32
      linalg.yield %sum : f32
    } -> tensor<?xf32>
    scf.yield %sums : tensor<?xf32>
  }
  %s = linalg.generic {indexing_maps = [#rows, #each], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x64xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %product = arith.mulf %a, %a : f32
    %sum = arith.addf %product, %o : f32
    linalg.yield %sum : f32
  } -> tensor<?xf32>
  return %r, %s : tensor<?xf32>, tensor<?xf32>
}
