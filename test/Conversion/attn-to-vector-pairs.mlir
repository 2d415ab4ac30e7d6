// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// A tile of pairs of bf16: both products are of pairs.
// CHECK-LABEL: func.func @pairs
// CHECK-SAME: %[[Q:.*]]: memref<32x64xbf16>, %[[K:.*]]: memref<?x64xbf16>, %[[V:.*]]: memref<?x96xbf16>, %{{.*}}: memref<32xindex>, %{{.*}}: index, %[[ACC:.*]]: memref<48x32xf32>, %[[MAX:.*]]: memref<32xf32>, %[[SUM:.*]]: memref<32xf32>)
// CHECK-DAG: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<65x32xf32>
// CHECK-DAG: %[[P:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32x64xbf16>
// Scores of 8 keys at once.
// CHECK: vector.load %[[Q]][{{.*}}] : memref<32x64xbf16>, vector<32xbf16>
// CHECK: vector.load %[[K]][{{.*}}] : memref<?x64xbf16>, vector<2xbf16>
// CHECK-COUNT-16: attn.dot_pairs
// CHECK: vector.store %{{.*}}, %[[S]]
// CHECK: vector.store %{{.*}}, %[[MAX]]
// What isn't a key has a score of -inf.
// CHECK: %[[NONE:.*]] = arith.constant dense<0xFF800000> : vector<16xf32>
// CHECK: vector.store %[[NONE]], %[[S]]
// Powers are of degree 3. Rounded ones are added up, by products with 1.
// CHECK: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<32xbf16>
// CHECK: arith.ceildivui
// CHECK: %[[WHOLE:.*]] = math.floor %[[SCORE:.*]] : vector<16xf32>
// CHECK: arith.subf %[[SCORE]], %[[WHOLE]]
// CHECK-COUNT-3: vector.fma
// CHECK: attn.scale_by_power %{{.*}}, %[[SCORE]]
// CHECK-COUNT-9: vector.fma
// CHECK-NOT: vector.fma
// CHECK: %[[POWERS:.*]] = vector.interleave
// CHECK: attn.dot_pairs %{{.*}}, %[[POWERS]], %[[ONES]]
// CHECK: vector.store %{{.*}}, %[[P]]
// CHECK: vector.store %{{.*}}, %[[SUM]]
// CHECK: vector.load %[[ACC]]
// CHECK: vector.load %[[P]]
// CHECK: vector.load %[[V]]{{.*}} vector<2xbf16>
// CHECK-COUNT-16: attn.dot_pairs
// CHECK: vector.store %{{.*}}, %[[ACC]]
func.func @pairs(%q: memref<32x64xbf16>, %k: memref<?x64xbf16>, %v: memref<?x96xbf16>, %lanes: memref<32xindex>, %start: index,
                 %acc: memref<48x32xf32>, %max: memref<32xf32>, %sum: memref<32xf32>) {
  attn.online_attention %q, %k, %v lanes %lanes, %lanes start %start into %acc, %max, %sum scale 0.125 key_tile 64
    : memref<32x64xbf16>, memref<?x64xbf16>, memref<?x96xbf16>, memref<32xindex>, memref<32xindex>, memref<48x32xf32>, memref<32xf32>, memref<32xf32>
  return
}

// -----

// Queries that carry the scale leave scores as they are summed.
// CHECK-LABEL: func.func @scaled_queries
// CHECK-NOT: arith.mulf
// CHECK: arith.cmpf ogt
func.func @scaled_queries(%q: memref<32x32xbf16>, %k: memref<?x64xbf16>, %v: memref<?x96xbf16>, %lanes: memref<16xindex>, %start: index,
                          %acc: memref<48x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %v lanes %lanes, %lanes start %start into %acc, %max, %sum scale 0.69314718055994529 key_tile 64
    : memref<32x32xbf16>, memref<?x64xbf16>, memref<?x96xbf16>, memref<16xindex>, memref<16xindex>, memref<48x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

// Values of two keys are interleaved; the last of an odd number has itself for a neighbour.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: %[[ROWS:.*]]: memref<?x48xf32>, %[[INTO:.*]]: memref<?x96xbf16>
// CHECK: %[[LAST:.*]] = arith.subi
// CHECK: arith.minui %{{.*}}, %[[LAST]]
// CHECK: vector.load %[[ROWS]]
// CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.load %[[ROWS]]
// CHECK: vector.interleave %{{.*}} : vector<16xbf16> -> vector<32xbf16>
// CHECK: vector.store %{{.*}}, %[[INTO]]
func.func @rows(%rows: memref<?x48xf32>, %into: memref<?x96xbf16>) {
  attn.pair_rows %rows into %into : memref<?x48xf32>, memref<?x96xbf16>
  return
}

// -----

// Vectors are as long as they divide a row.
// CHECK-LABEL: func.func @odd_rows
// CHECK: vector.interleave %{{.*}} : vector<1xbf16> -> vector<2xbf16>
func.func @odd_rows(%rows: memref<?x3xf32>, %into: memref<?x6xbf16>) {
  attn.pair_rows %rows into %into : memref<?x3xf32>, memref<?x6xbf16>
  return
}

// -----

// Queries are rounded before they become pairs.
// CHECK-LABEL: func.func @queries
// CHECK: scf.for
// CHECK-COUNT-2: arith.truncf %{{.*}} : vector<32xf32> to vector<32xbf16>
// CHECK-NOT: linalg
func.func @queries(%q: memref<32x64xf32>, %narrow: memref<32x64xbf16>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%q : memref<32x64xf32>) outs(%narrow : memref<32x64xbf16>) {
  ^bb0(%x: f32, %y: bf16):
    %0 = arith.truncf %x : f32 to bf16
    linalg.yield %0 : bf16
  }
  return
}
