// RUN: heed-opt %s | heed-opt | FileCheck %s

// The fused ops in each of their forms. Regions that change nothing are not printed.

// CHECK-LABEL: func.func @attention
// CHECK-NEXT: attn.attention %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01 : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x32xf32> -> tensor<9x?x32xf32>
// CHECK-NEXT: return
func.func @attention(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>, %V: tensor<3x?x32xf32>) -> tensor<9x?x32xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x32xf32> -> tensor<9x?x32xf32>
  return %Z : tensor<9x?x32xf32>
}

// An empty region may be written too.
// CHECK-LABEL: func.func @attention_masked
// CHECK: -> tensor<?x9x32xf32> mask {
// CHECK-NEXT: ^bb0(%h: index, %i: index, %j: index):
func.func @attention_masked(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>, %V: tensor<3x?x32xf32>) -> tensor<?x9x32xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x32xf32> -> tensor<?x9x32xf32>
  score {
  } mask {
  ^bb0(%0: index, %1: index, %2: index):
    %3 = arith.cmpi sle, %2, %1 : index
    attn.yield %3 : i1
  }
  return %Z : tensor<?x9x32xf32>
}

// CHECK-LABEL: func.func @attention_modified
// CHECK: -> tensor<?x32xf32> score {
// CHECK-NEXT: ^bb0(%s: f32, %h: index, %i: index, %j: index):
// CHECK-NEXT: %[[T:.+]] = math.tanh %s : f32
// CHECK-NEXT: attn.yield %[[T]] : f32
// CHECK-NEXT: } {heed.note = "last"}
func.func @attention_modified(%Q: tensor<?x64xf32>, %K: tensor<?x64xf32>, %V: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x32xf32> -> tensor<?x32xf32>
  score {
  ^bb0(%0: f32, %1: index, %2: index, %3: index):
    %4 = math.tanh %0 : f32
    attn.yield %4 : f32
  } {heed.note = "last"}
  return %Z : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @online
// CHECK: %{{.+}}:3 = attn.online_attention %{{.*}}, %{{.*}}, %{{.*}} lanes %{{.*}}, %{{.*}} start %{{.*}} into %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01 key_tile 64 : {{.*}} -> tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32> score {
// CHECK-NEXT: ^bb0(%s: f32, %h: index, %i: index, %j: index):
// CHECK: } mask {
// CHECK-NEXT: ^bb0(%h: index, %i: index, %j: index):
func.func @online(%q: tensor<64x16xf32>, %k: tensor<?x64xf32>, %v: tensor<?x32xf32>, %lanes: tensor<16xindex>, %j: index, %acc: tensor<32x16xf32>, %max: tensor<16xf32>) -> tensor<32x16xf32> {
  %a, %m, %s = attn.online_attention %q, %k, %v lanes %lanes, %lanes start %j into %acc, %max, %max scale 0.125 key_tile 64
    : tensor<64x16xf32>, tensor<?x64xf32>, tensor<?x32xf32>, tensor<16xindex>, tensor<16xindex>,
      tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32> -> tensor<32x16xf32>, tensor<16xf32>, tensor<16xf32>
  score {
  ^bb0(%0: f32, %1: index, %2: index, %3: index):
    %4 = arith.addf %0, %0 : f32
    attn.yield %4 : f32
  } mask {
  ^bb0(%0: index, %1: index, %2: index):
    %3 = arith.cmpi sle, %2, %1 : index
    attn.yield %3 : i1
  }
  return %a : tensor<32x16xf32>
}

// CHECK-LABEL: func.func @online_in_memory
// CHECK-NEXT: attn.online_attention {{.*}} key_tile 8 : memref<64x16xf32>, memref<8x64xf32>, memref<8x32xf32>, memref<16xindex>, memref<16xindex>, memref<32x16xf32>, memref<16xf32>, memref<16xf32>{{$}}
func.func @online_in_memory(%q: memref<64x16xf32>, %k: memref<8x64xf32>, %v: memref<8x32xf32>, %lanes: memref<16xindex>, %j: index, %acc: memref<32x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %v lanes %lanes, %lanes start %j into %acc, %max, %sum scale 0.125 key_tile 8
    : memref<64x16xf32>, memref<8x64xf32>, memref<8x32xf32>, memref<16xindex>, memref<16xindex>,
      memref<32x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// CHECK-LABEL: func.func @online_of_few_lanes
// CHECK: attn.online_attention {{.*}} key_tile 8 lanes_first : memref<3x64xf32>, memref<8x64xf32>, memref<8x32xf32>, memref<3xindex>, memref<3xindex>, memref<3x32xf32>, memref<3xf32>, memref<3xf32>{{$}}
func.func @online_of_few_lanes(%q: memref<3x64xf32>, %k: memref<8x64xf32>, %v: memref<8x32xf32>, %lanes: memref<3xindex>, %j: index, %acc: memref<3x32xf32>, %max: memref<3xf32>, %sum: memref<3xf32>) {
  attn.online_attention %q, %k, %v lanes %lanes, %lanes start %j into %acc, %max, %sum scale 0.125 key_tile 8 lanes_first
    : memref<3x64xf32>, memref<8x64xf32>, memref<8x32xf32>, memref<3xindex>, memref<3xindex>,
      memref<3x32xf32>, memref<3xf32>, memref<3xf32>
  return
}

// CHECK-LABEL: func.func @paired
// CHECK: attn.attention {{.*}} scale 1.250000e-01 rows_first bf16 :
// CHECK: attn.online_attention {{.*}} : memref<32x32xbf16>,
func.func @paired(%Q: tensor<9x?x64xf32>, %K: tensor<3x?x64xf32>, %V: tensor<3x?x32xf32>,
                  %q: memref<32x32xbf16>, %k: memref<?x64xbf16>, %v: memref<?x64xbf16>, %lanes: memref<16xindex>, %j: index,
                  %acc: memref<32x16xf32>, %max: memref<16xf32>) -> tensor<?x9x32xf32> {
  %Z = attn.attention %Q, %K, %V scale 0.125 rows_first bf16 : tensor<9x?x64xf32>, tensor<3x?x64xf32>, tensor<3x?x32xf32> -> tensor<?x9x32xf32>
  attn.online_attention %q, %k, %v lanes %lanes, %lanes start %j into %acc, %max, %max scale 0.125 key_tile 64
    : memref<32x32xbf16>, memref<?x64xbf16>, memref<?x64xbf16>, memref<16xindex>, memref<16xindex>, memref<32x16xf32>, memref<16xf32>, memref<16xf32>
  return %Z : tensor<?x9x32xf32>
}

// CHECK-LABEL: func.func @pair_rows
// CHECK: attn.pair_rows %{{.*}} into %{{.*}} : tensor<?x64xf32>, tensor<?x128xbf16> -> tensor<?x128xbf16>
// CHECK: attn.pair_rows %{{.*}} into %{{.*}} : memref<5x8xf32>, memref<3x16xbf16>
func.func @pair_rows(%v: tensor<?x64xf32>, %into: tensor<?x128xbf16>, %rows: memref<5x8xf32>, %pairs: memref<3x16xbf16>) -> tensor<?x128xbf16> {
  %0 = attn.pair_rows %v into %into : tensor<?x64xf32>, tensor<?x128xbf16> -> tensor<?x128xbf16>
  attn.pair_rows %rows into %pairs : memref<5x8xf32>, memref<3x16xbf16>
  return %0 : tensor<?x128xbf16>
}
