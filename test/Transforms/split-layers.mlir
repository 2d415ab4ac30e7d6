// RUN: heed-opt %s --heed-split-layers --canonicalize | FileCheck %s
// RUN: heed-opt %s --heed-split-layers=max-copies=1 --verify-diagnostics --canonicalize | FileCheck %s --check-prefix=WHOLE

func.func private @local(%x: tensor<4xf32>, %layer: index) -> tensor<4xf32>
func.func private @global(%x: tensor<4xf32>, %layer: index) -> tensor<4xf32>

// Two periods of three layers, and one layer more.
// CHECK-LABEL: @alternating(
// WHOLE-LABEL: @alternating(
func.func @alternating(%e: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c7 = arith.constant 7 : index
  // CHECK: scf.for %[[P:.*]] = %c0 to %c2 step %c1 iter_args(%[[E:.*]] =
  // CHECK:   %[[BASE:.*]] = arith.muli %[[P]], %c3
  // CHECK:   %[[INNER:.*]] = scf.for %[[R:.*]] = %c0 to %c2 step %c1 iter_args(%[[X:.*]] = %[[E]])
  // CHECK:     %[[L:.*]] = arith.addi %[[BASE]], %[[R]]
  // CHECK:     %[[Y:.*]] = func.call @local(%[[X]], %[[L]])
  // CHECK:     scf.yield %[[Y]]
  // CHECK:   %[[LAST:.*]] = arith.addi %[[BASE]], %c2
  // CHECK:   %[[Z:.*]] = func.call @global(%[[INNER]], %[[LAST]])
  // CHECK:   scf.yield %[[Z]]
  // CHECK: call @local({{.*}}, %c6)
  // WHOLE: scf.for %{{.*}} = %c0 to %c7
  // WHOLE: scf.if
  // expected-remark @below {{its layers stay in one loop: they would need 3 copies of the code, and at most 1 are made}}
  %r = scf.for %l = %c0 to %c7 step %c1 iter_args(%x = %e) -> (tensor<4xf32>) {
    %m = arith.remui %l, %c3 : index
    %isGlobal = arith.cmpi eq, %m, %c2 : index
    %y = scf.if %isGlobal -> (tensor<4xf32>) {
      %g = func.call @global(%x, %l) : (tensor<4xf32>, index) -> tensor<4xf32>
      scf.yield %g : tensor<4xf32>
    } else {
      %g = func.call @local(%x, %l) : (tensor<4xf32>, index) -> tensor<4xf32>
      scf.yield %g : tensor<4xf32>
    }
    scf.yield %y : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// The first layers differ from the rest: two loops, one after the other.
// CHECK-LABEL: @front(
func.func @front(%e: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c9 = arith.constant 9 : index
  // CHECK: scf.for %{{.*}} = %c0 to %c3
  // CHECK-NOT: @global
  // CHECK: scf.for %{{.*}} = %c3 to %c9
  // CHECK-NOT: @local
  // CHECK: return
  // expected-remark @below {{its layers stay in one loop: they would need 2 copies of the code, and at most 1 are made}}
  %r = scf.for %l = %c0 to %c9 step %c1 iter_args(%x = %e) -> (tensor<4xf32>) {
    %isLocal = arith.cmpi slt, %l, %c3 : index
    %y = scf.if %isLocal -> (tensor<4xf32>) {
      %g = func.call @local(%x, %l) : (tensor<4xf32>, index) -> tensor<4xf32>
      scf.yield %g : tensor<4xf32>
    } else {
      %g = func.call @global(%x, %l) : (tensor<4xf32>, index) -> tensor<4xf32>
      scf.yield %g : tensor<4xf32>
    }
    scf.yield %y : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// A condition that more than the layer decides is none, nor is one in a loop of unknown length.
// CHECK-LABEL: @unknown(
func.func @unknown(%e: tensor<4xf32>, %n: index, %flag: i1) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // CHECK-COUNT-2: scf.for
  // CHECK-NOT: scf.for
  %r = scf.for %l = %c0 to %n step %c1 iter_args(%x = %e) -> (tensor<4xf32>) {
    %first = arith.cmpi eq, %l, %c0 : index
    %y = arith.select %first, %e, %x : tensor<4xf32>
    scf.yield %y : tensor<4xf32>
  }
  %s = scf.for %l = %c0 to %c4 step %c1 iter_args(%x = %r) -> (tensor<4xf32>) {
    %g = func.call @global(%x, %l) : (tensor<4xf32>, index) -> tensor<4xf32>
    %y = arith.select %flag, %g, %x : tensor<4xf32>
    scf.yield %y : tensor<4xf32>
  }
  return %s : tensor<4xf32>
}
