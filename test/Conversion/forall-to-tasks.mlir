// RUN: heed-opt %s -allow-unregistered-dialect -convert-forall-to-tasks -canonicalize -split-input-file | FileCheck %s

// The loop becomes the body of a team, and its body that of a task; what they use goes through structs:
// the team's on the stack of its caller, the task's on that of each thread, reserved outside of the
// thread's loop. Constants are made again inside.
// CHECK: func.func private @heed_run_tasks(!llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64)
// CHECK: func.func private @heed_run_team(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64)
// CHECK: func.func @f_entry
// CHECK-SAME: %[[CONTEXT:.*]]: !llvm.ptr, %[[N:.*]]: index, %[[M:.*]]: memref<?x4xf32>)
// CHECK: %[[TEAM_VALUES:.*]] = llvm.alloca {{.*}} x !llvm.struct<([[FIELDS:.*]])> :
// CHECK: %[[END:.*]] = llvm.getelementptr %{{.*}}[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<([[FIELDS]])>
// CHECK: %[[BYTES:.*]] = llvm.ptrtoint %[[END]]
// CHECK: %[[BODY:.*]] = builtin.unrealized_conversion_cast
// CHECK: call @heed_run_team(%[[CONTEXT]], %[[BODY]], %[[TEAM_VALUES]], %[[BYTES]])
// CHECK: func.func private @f_entry_team(%[[OWN:.*]]: !llvm.ptr, %[[MEMBER:.*]]: !llvm.ptr)
// CHECK: %[[FUNCTION:.*]] = constant @[[TASK:.*]] : (!llvm.ptr, i64) -> ()
// CHECK: %[[PAYLOAD:.*]] = llvm.alloca {{.*}} x !llvm.struct<(i64, struct<{{.*}}>, i64)>
// CHECK: %[[N_FIELD:.*]] = llvm.load {{.*}} -> i64
// CHECK: scf.for
// CHECK: llvm.store %{{.*}}, %{{.*}} : i64, !llvm.ptr
// CHECK: llvm.store %{{.*}}, %{{.*}} : !llvm.struct<
// CHECK: %[[TASKS:.*]] = arith.muli %{{.*}}, %c4
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[TASKS]] : index to i64
// CHECK: %[[ADDRESS:.*]] = builtin.unrealized_conversion_cast %[[FUNCTION]]
// CHECK: func.call @heed_run_tasks(%[[MEMBER]], %[[ADDRESS]], %{{.*}}, %[[PAYLOAD]], %[[COUNT]])
// CHECK-NOT: scf.forall
// CHECK: func.func private @[[TASK]](%[[VALUES:.*]]: !llvm.ptr, %[[NUMBER:.*]]: i64)
// CHECK-DAG: %[[AT:.*]] = arith.index_cast %[[NUMBER]] : i64 to index
// CHECK-DAG: arith.remui %[[AT]], %c4
// CHECK-DAG: arith.divui %[[AT]], %c4
// CHECK: memref.store
// CHECK: return
func.func @f_entry(%context: !llvm.ptr, %n: index, %m: memref<?x4xf32>) attributes {heed.entry = "f"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c30 = arith.constant 30 : index
  scf.for %l = %c0 to %c30 step %c1 {
    scf.forall (%i, %j) in (%n, 4) {
      %v = arith.index_cast %l : index to i32
      %x = arith.sitofp %v : i32 to f32
      memref.store %x, %m[%i, %j] : memref<?x4xf32>
    }
  }
  return
}

// -----

// A loop inside a task is a plain loop, and the task's small buffers are on its stack.
// CHECK: func.func private @g_entry_task
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<4x8xf32>
// 64 KiB fit, which are 32,768 numbers of bf16.
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<32768xbf16>
// CHECK: memref.alloc() : memref<100000xf32>
// CHECK: %[[LEFT:.*]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: scf.for
// CHECK: scf.for
// CHECK: memref.store
// CHECK: memref.dealloc %{{.*}} : memref<100000xf32>
// What nobody freed is freed at the end.
// CHECK: memref.dealloc %[[LEFT]] : memref<?xf32>
// CHECK-NEXT: return
// CHECK-NOT: memref.dealloc
func.func @g_entry(%context: !llvm.ptr, %n: index, %x: f32) attributes {heed.entry = "g"} {
  scf.forall (%i) in (%n) {
    %small = memref.alloc() : memref<4x8xf32>
    %half = memref.alloc() : memref<32768xbf16>
    %large = memref.alloc() : memref<100000xf32>
    %left = memref.alloc(%n) : memref<?xf32>
    scf.forall (%j, %k) in (4, 8) {
      memref.store %x, %small[%j, %k] : memref<4x8xf32>
      memref.store %x, %large[%k] : memref<100000xf32>
    }
    "test.use"(%small, %half, %large, %left) : (memref<4x8xf32>, memref<32768xbf16>, memref<100000xf32>, memref<?xf32>) -> ()
    memref.dealloc %small : memref<4x8xf32>
    memref.dealloc %large : memref<100000xf32>
  }
  return
}
