// RUN: heed-opt %s -convert-forall-to-tasks -canonicalize | FileCheck %s

// Which rounds take the branch is known in the team alone, so its memory is there in any case, of a size
// that cannot be wrong. A difference can: then each round has a team.
// CHECK: func.func @q_entry
// CHECK: %[[PARTS:.*]] = arith.ceildivui
// CHECK: memref.alloc(%[[PARTS]]) : memref<?xindex>
// CHECK: call @heed_run_team
// CHECK: memref.dealloc
// CHECK: scf.for
// CHECK: %[[SIZE:.*]] = arith.select
// CHECK: memref.alloc(%[[SIZE]]) : memref<?xindex>
// CHECK: call @heed_run_team
func.func @q_entry(%context: !llvm.ptr, %n: index) attributes {heed.entry = "q"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %l = %c0 to %n step %c1 {
    %isLast = arith.cmpi eq, %l, %c8 : index
    scf.if %isLast {
      %parts = arith.ceildivui %n, %c8 : index
      %memory = memref.alloc(%parts) : memref<?xindex>
      scf.forall (%i) in (%parts) {
        memref.store %i, %memory[%i] : memref<?xindex>
      }
      memref.dealloc %memory : memref<?xindex>
    }
  }
  scf.for %l = %c0 to %n step %c1 {
    %isLast = arith.cmpi eq, %l, %c8 : index
    scf.if %isLast {
      %rest = arith.subi %n, %c8 : index
      %memory = memref.alloc(%rest) : memref<?xindex>
      scf.forall (%i) in (%rest) {
        memref.store %i, %memory[%i] : memref<?xindex>
      }
      memref.dealloc %memory : memref<?xindex>
    }
  }
  return
}
