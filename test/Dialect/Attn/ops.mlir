// RUN: heed-opt %s | heed-opt | FileCheck %s

// CHECK: attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "blk.{l}.attn_q.weight" layers 30
attn.weight @Wq : !attn.weight<9x64x576, q4_1> tensor "blk.{l}.attn_q.weight" layers 30

// CHECK-LABEL: func.func @project
func.func @project(%E: tensor<?x576xf32>, %l: index) -> tensor<?x9x64xf32> {
  // CHECK: attn.get_weight @Wq[%{{.*}}] : !attn.weight<9x64x576, q4_1>
  %Wq = attn.get_weight @Wq[%l] : !attn.weight<9x64x576, q4_1>
  // CHECK: attn.project query %{{.*}}, %{{.*}} : tensor<?x576xf32>, !attn.weight<9x64x576, q4_1> -> tensor<?x9x64xf32>
  %Q = attn.project query %E, %Wq : tensor<?x576xf32>, !attn.weight<9x64x576, q4_1> -> tensor<?x9x64xf32>
  return %Q : tensor<?x9x64xf32>
}
