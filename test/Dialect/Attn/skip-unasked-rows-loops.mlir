// Loops that aren't one layer a round.
// RUN: heed-opt %s -split-input-file -attn-skip-unasked-rows -cse | FileCheck %s

// The inner loop's last round, in the outer loop's last one.
// CHECK-LABEL: func.func @loop_in_loop
// CHECK-SAME: %[[ASKFROM:[a-z0-9]+]]: index, %{{.+}}: index)
// CHECK: scf.for {{.*}} iter_args(%[[OUTER:.+]] =
// CHECK: %[[FROM:.+]] = arith.select %{{.+}}, %[[ASKFROM]], %{{.+}}
// CHECK: scf.for {{.*}} iter_args(%[[INNER:.+]] = %[[OUTER]])
// CHECK: %[[INNERFROM:.+]] = arith.select %{{.+}}, %[[FROM]], %{{.+}}
// CHECK: %[[ROWS:.+]] = arith.subi %{{.+}}, %[[INNERFROM]] overflow<nuw>
// CHECK: tensor.extract_slice %[[INNER]][%[[INNERFROM]], 0] [%[[ROWS]], 8]
// CHECK: attn.project
// CHECK: tensor.insert_slice %{{.+}} into %[[INNER]][%[[INNERFROM]], 0] [%[[ROWS]], 8]
func.func @loop_in_loop(%E0: tensor<?x8xf32>, %W: !attn.weight<8x8, f32>, %first: index, %asked: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %l = %c0 to %c3 step %c1 iter_args(%E = %E0) -> tensor<?x8xf32> {
    %s = scf.for %m = %c0 to %c3 step %c1 iter_args(%F = %E) -> tensor<?x8xf32> {
      %G = attn.project linear %F, %W : tensor<?x8xf32>, !attn.weight<8x8, f32> -> tensor<?x8xf32>
      scf.yield %G : tensor<?x8xf32>
    }
    scf.yield %s : tensor<?x8xf32>
  }
  %some = tensor.extract_slice %r[%first, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  return %some : tensor<?x8xf32>
}

// -----

#row = affine_map<(i, c) -> (i, c)>

// Two layers in a round: the second one's rows are put into the residual that the first one left, which
// is where the carried tensor was.
// CHECK-LABEL: func.func @pairs
// CHECK: scf.for {{.*}} iter_args(%[[E:[a-z0-9]+]] =
// CHECK: attn.project linear %[[E]]
// CHECK: %[[F:.+]] = linalg.generic {{.*}} ins(%[[E]],
// CHECK: attn.project key %[[F]]
// CHECK: %[[SOME:.+]] = tensor.extract_slice %[[F]]
// CHECK: %[[U:.+]] = attn.project linear %[[SOME]]
// CHECK: %[[G:.+]] = linalg.generic {{.*}} ins(%[[SOME]], %[[U]]
// CHECK: tensor.insert_slice %[[G]] into %[[F]]
func.func @pairs(%E0: tensor<?x8xf32>, %C0: tensor<4x8x8xf32>, %W: !attn.weight<8x8, f32>, %first: index, %asked: index) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %n = tensor.dim %E0, %c0 : tensor<?x8xf32>
  %wide = tensor.empty(%n) : tensor<?x8xf32>
  %r:2 = scf.for %l = %c0 to %c3 step %c1 iter_args(%E = %E0, %K0 = %E0) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
    %T = attn.project linear %E, %W : tensor<?x8xf32>, !attn.weight<8x8, f32> -> tensor<?x8xf32>
    %F = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%E, %T : tensor<?x8xf32>, tensor<?x8xf32>) outs(%wide : tensor<?x8xf32>) {
    ^bb0(%e: f32, %u: f32, %out: f32):
      %s = arith.addf %e, %u : f32
      linalg.yield %s : f32
    } -> tensor<?x8xf32>
    %K = attn.project key %F, %W : tensor<?x8xf32>, !attn.weight<8x8, f32> -> tensor<?x8xf32>
    %U = attn.project linear %F, %W : tensor<?x8xf32>, !attn.weight<8x8, f32> -> tensor<?x8xf32>
    %G = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
        ins(%F, %U : tensor<?x8xf32>, tensor<?x8xf32>) outs(%wide : tensor<?x8xf32>) {
    ^bb0(%e: f32, %u: f32, %out: f32):
      %s = arith.addf %e, %u : f32
      linalg.yield %s : f32
    } -> tensor<?x8xf32>
    scf.yield %G, %K : tensor<?x8xf32>, tensor<?x8xf32>
  }
  %some = tensor.extract_slice %r#0[%first, 0] [%asked, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  return %some, %r#1 : tensor<?x8xf32>, tensor<?x8xf32>
}
