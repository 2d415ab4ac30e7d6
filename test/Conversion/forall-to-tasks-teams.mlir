// RUN: heed-opt %s -allow-unregistered-dialect -convert-forall-to-tasks -canonicalize -split-input-file | FileCheck %s

// All that lies between the first parallel loop and the last is run by one team. Memory is allocated in
// front of it, of no size where a branch isn't taken, and freed behind it; what has other effects is a
// task by itself, ops beside each other one together.
// CHECK: func.func @h_entry
// CHECK: memref.alloc() : memref<8xf32>
// CHECK: %[[SIZE:.*]] = arith.select %{{.*}}, %{{.*}}, %c0
// CHECK: memref.alloc(%[[SIZE]]) : memref<?xf32>
// CHECK-NOT: memref.store
// CHECK: call @heed_run_team
// CHECK-NOT: call
// CHECK: memref.dealloc
// CHECK: memref.dealloc
// CHECK: func.func private @h_entry_team
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.dealloc
// CHECK: call @heed_run_tasks
// CHECK-NOT: memref.copy
// CHECK: call @heed_run_tasks
// CHECK: scf.for
// CHECK: scf.if
// CHECK: func.call @heed_run_tasks
// CHECK-NOT: call
// CHECK: func.func private
// CHECK: memref.store
// CHECK: func.func private
// CHECK: memref.copy
// CHECK: scf.for
// CHECK: func.func private
func.func @h_entry(%context: !llvm.ptr, %n: index, %x: f32, %m: memref<8xf32>) attributes {heed.entry = "h"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.forall (%i) in (8) {
    memref.store %x, %m[%i] : memref<8xf32>
  }
  %table = memref.alloc() : memref<8xf32>
  memref.copy %m, %table : memref<8xf32> to memref<8xf32>
  scf.for %i = %c0 to %c8 step %c1 {
    memref.store %x, %table[%i] : memref<8xf32>
  }
  scf.for %l = %c0 to %n step %c1 {
    %many = arith.cmpi ugt, %n, %c8 : index
    scf.if %many {
      %rest = arith.subi %n, %c8 : index
      %inner = memref.alloc(%rest) : memref<?xf32>
      scf.forall (%i) in (%rest) {
        %y = memref.load %table[%c0] : memref<8xf32>
        memref.store %y, %inner[%i] : memref<?xf32>
      }
      memref.dealloc %inner : memref<?xf32>
    }
  }
  memref.dealloc %table : memref<8xf32>
  return
}

// -----

// A bound that tasks wrote must be read when they are done, so these are two teams.
// CHECK: func.func @k_entry
// CHECK: call @heed_run_team
// CHECK: %[[BOUND:.*]] = memref.load
// CHECK: call @heed_run_team
// CHECK: func.func private @k_entry_team(
// CHECK: func.func private @k_entry_team_0(
func.func @k_entry(%context: !llvm.ptr, %n: index, %m: memref<?xindex>) attributes {heed.entry = "k"} {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (%n) {
    memref.store %i, %m[%i] : memref<?xindex>
  }
  %bound = memref.load %m[%c0] : memref<?xindex>
  scf.forall (%i) in (%bound) {
    memref.store %c0, %m[%i] : memref<?xindex>
  }
  return
}

// -----

// What a task reads first is found by its index, without its work: a function asks memory for 1024 bytes
// from an offset on, and gives their number.
// CHECK: func.func private @p_entry_team
// CHECK: %[[TOUCH:.*]] = builtin.unrealized_conversion_cast %{{.*}} : (!llvm.ptr, i64, i64) -> i64 to !llvm.ptr
// CHECK: call @heed_run_tasks(%{{.*}}, %{{.*}}, %[[TOUCH]], %{{.*}}, %{{.*}})
// CHECK: func.func private @p_entry_task(
// CHECK-NOT: llvm.intr.prefetch
// CHECK: func.func private @p_entry_task_touch(%{{.*}}: !llvm.ptr, %[[NUMBER:.*]]: i64, %[[OFFSET:.*]]: i64) -> i64
// CHECK-NOT: memref.store
// CHECK: %[[AT:.*]] = arith.index_cast %[[NUMBER]]
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi ult, %[[AT]], %{{.*}}
// CHECK: %[[BYTES:.*]] = arith.select %[[IS_FIRST]], %[[ALL:.*]], %[[NONE:.*]] : i64
// CHECK: scf.if %[[IS_FIRST]]
// CHECK: %[[BEGIN:.*]] = llvm.getelementptr %{{.*}}[%[[OFFSET]]]
// CHECK: "llvm.intr.prefetch"(%[[BEGIN]])
// CHECK: %[[LAST:.*]] = llvm.getelementptr %[[BEGIN]][960]
// CHECK: "llvm.intr.prefetch"(%[[LAST]])
// CHECK-NOT: llvm.intr.prefetch
// CHECK: return %[[BYTES]]
func.func @p_entry(%context: !llvm.ptr, %w: !llvm.ptr, %m: memref<8xf32>, %x: f32) attributes {heed.entry = "p"} {
  %c4 = arith.constant 4 : index
  %c4096 = arith.constant 4096 : i64
  scf.forall (%i) in (8) {
    memref.store %x, %m[%i] : memref<8xf32>
    %isFirst = arith.cmpi ult, %i, %c4 : index
    scf.if %isFirst {
      %number = arith.index_cast %i : index to i64
      %offset = arith.muli %number, %c4096 : i64
      %first = llvm.getelementptr %w[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, i8
      "llvm.intr.prefetch"(%first) <{cache = 1 : i32, hint = 2 : i32, rw = 0 : i32}> {heed.bytes = 4096 : i64} : (!llvm.ptr) -> ()
      memref.store %x, %m[%i] : memref<8xf32>
    }
  }
  return
}
