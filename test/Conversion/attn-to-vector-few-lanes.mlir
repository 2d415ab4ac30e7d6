// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s
// RUN: heed-opt %s -convert-attn-to-vector=native-lanes=8 -split-input-file | FileCheck %s --check-prefix=NARROW

// Three lanes: products four keys at a time, each loaded once for all lanes; what lies behind the
// last key repeats it. Scores for whole vectors of keys: 48 for a tile of 40.
// CHECK-LABEL: func.func @few
// CHECK-SAME: %[[Q:[^:]+]]: memref<3x64xf32>, %[[K:[^:]+]]: memref<?x64xf32>, %[[V:[^:]+]]: memref<?x32xf32>, %{{.+}}, %{{.+}}, %[[START:[^:]+]]: index, %[[ACC:[^:]+]]: memref<3x32xf32>, %[[MAX:[^:]+]]: memref<3xf32>, %[[SUM:[^:]+]]: memref<3xf32>
// CHECK: %[[S:.+]] = memref.alloca() {alignment = 64 : i64} : memref<3x48xf32>
// CHECK: %[[T:.+]] = memref.dim %[[K]]
// CHECK: %[[LAST:.+]] = arith.subi %[[T]], %{{.+}}
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[T]] step %c4
// CHECK-COUNT-4: arith.minui %{{.+}}, %[[LAST]]
// CHECK-COUNT-4: vector.load %[[K]]
// CHECK: vector.load %[[Q]]
// CHECK-COUNT-48: vector.fma
// CHECK-NOT: vector.fma
// CHECK: vector.shuffle
// CHECK: vector.store %{{.+}}, %[[S]]{{.+}} vector<4xf32>
// Which keys there are, and which of them are visible.
// CHECK: %[[EXISTS:.+]] = arith.cmpi ult, %[[PLACES:.+]], %{{.+}} : vector<16xindex>
// CHECK: arith.minui %[[PLACES]]
// CHECK: %[[SEEN:.+]] = arith.cmpi sle
// CHECK: %[[VISIBLE:.+]] = arith.andi %[[EXISTS]], %[[SEEN]]
// CHECK: arith.select %[[VISIBLE]]
// CHECK-COUNT-3: vector.reduction <maxnumf>
// CHECK: memref.store %{{.+}}, %[[MAX]]
// CHECK-COUNT-3: vector.reduction <add>, %{{.+}} fastmath<reassoc>
// Two vectors of components times three lanes are summed in registers.
// CHECK: vector.load %[[ACC]]
// CHECK: scf.for
// CHECK-COUNT-2: vector.load %[[V]]
// CHECK-COUNT-6: vector.fma
// CHECK-NOT: vector.fma
// CHECK-COUNT-6: vector.store %{{.+}}, %[[ACC]]

// Registers of eight lanes: one lane's products at a time, and one vector of components.
// NARROW-LABEL: func.func @few
// NARROW-COUNT-16: vector.fma
// NARROW-NOT: vector.fma
// NARROW: vector.shuffle
func.func @few(%q: memref<3x64xf32>, %k: memref<?x64xf32>, %v: memref<?x32xf32>, %heads: memref<3xindex>, %rows: memref<3xindex>,
               %start: index, %acc: memref<3x32xf32>, %max: memref<3xf32>, %sum: memref<3xf32>, %past: index) {
  attn.online_attention %q, %k, %v lanes %heads, %rows start %start into %acc, %max, %sum scale 0.125 key_tile 40 lanes_first
    : memref<3x64xf32>, memref<?x64xf32>, memref<?x32xf32>, memref<3xindex>, memref<3xindex>, memref<3x32xf32>, memref<3xf32>, memref<3xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %row = arith.addi %past, %i : index
    %visible = arith.cmpi sle, %j, %row : index
    attn.yield %visible : i1
  }
  return
}

// -----

// A long depth is a loop over four vectors. A modifier reads its table for visible keys alone.
// CHECK-LABEL: func.func @modified
// CHECK-SAME: %[[BIAS:[a-z0-9]+]]: memref<?xf32>
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %c4
// CHECK: scf.for %{{.+}} = %{{.+}} to %c128{{.*}} step %c64
// CHECK: %[[EXISTS:.+]] = arith.cmpi ult
// CHECK: vector.gather %[[BIAS]]{{.*}}, %[[EXISTS]]
func.func @modified(%q: memref<1x128xf32>, %k: memref<?x128xf32>, %heads: memref<1xindex>, %bias: memref<?xf32>,
                    %start: index, %acc: memref<1x128xf32>, %max: memref<1xf32>, %sum: memref<1xf32>) {
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 0.125 key_tile 64 lanes_first
    : memref<1x128xf32>, memref<?x128xf32>, memref<?x128xf32>, memref<1xindex>, memref<1xindex>, memref<1x128xf32>, memref<1xf32>, memref<1xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    %b = memref.load %bias[%j] : memref<?xf32>
    %biased = arith.addf %s, %b : f32
    attn.yield %biased : f32
  }
  return
}
