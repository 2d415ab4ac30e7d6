// RUN: heed-opt %s -heed-export-functions | FileCheck %s
// RUN: heed-opt %s -heed-export-functions -eliminate-empty-tensors -one-shot-bufferize="bufferize-function-boundaries" -canonicalize -cse | FileCheck %s --check-prefix=MEMORY

// Each branch's tasks write the caller's memory: nothing is allocated, and nothing copied as a whole.
// CHECK-LABEL: func.func @branches
// CHECK-SAME: %[[OUT:[^ ]+]]: memref<?x4xf32> {heed.arg = "result"
// CHECK: %[[INTO:.+]] = bufferization.to_tensor %[[OUT]] restrict writable
// CHECK-NOT: tensor.empty
// CHECK-COUNT-3: scf.forall {{.*}} shared_outs(%{{.+}} = %[[INTO]])
// MEMORY-LABEL: func.func @branches
// MEMORY-SAME: %[[OUT:[^ ]+]]: memref<?x4xf32> {heed.arg = "result"
// MEMORY-NOT: alloc
// MEMORY-COUNT-3: memref.copy %{{.+}}, %{{.+}} : memref<1x4xf32, {{.*}}> to memref<1x4xf32, {{.*}}>
// MEMORY-NOT: memref.copy
func.func @branches(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %new = tensor.empty(%n) : tensor<?x4xf32>
  %isOne = arith.cmpi eq, %n, %c1 : index
  %isFew = arith.cmpi ult, %n, %c9 : index
  %r = scf.if %isOne -> (tensor<?x4xf32>) {
    %a = scf.forall (%i) in (%n) shared_outs(%o = %new) -> (tensor<?x4xf32>) {
      %row = tensor.extract_slice %x[%i, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %row into %o[%i, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<?x4xf32>
      }
    }
    scf.yield %a : tensor<?x4xf32>
  } else {
    %f = scf.if %isFew -> (tensor<?x4xf32>) {
      %b = scf.forall (%i) in (%n) shared_outs(%o = %new) -> (tensor<?x4xf32>) {
        %row = tensor.extract_slice %x[0, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %row into %o[%i, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<?x4xf32>
        }
      }
      scf.yield %b : tensor<?x4xf32>
    } else {
      %c = scf.forall (%i) in (%n) shared_outs(%o = %new) -> (tensor<?x4xf32>) {
        %last = arith.subi %n, %c1 : index
        %row = tensor.extract_slice %x[%last, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
        scf.forall.in_parallel {
          tensor.parallel_insert_slice %row into %o[%i, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<?x4xf32>
        }
      }
      scf.yield %c : tensor<?x4xf32>
    }
    scf.yield %f : tensor<?x4xf32>
  }
  return %r : tensor<?x4xf32>
}
