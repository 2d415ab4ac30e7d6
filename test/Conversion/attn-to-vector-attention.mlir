// RUN: heed-opt %s -convert-attn-to-vector -split-input-file | FileCheck %s

// 32 lanes are two vectors; 8 keys at once. Without a modifier the scale is in units of log2:
// 0.125 * log2(e).
// CHECK-LABEL: func.func @masked
// CHECK-SAME: %[[Q:.*]]: memref<64x32xf32>, %[[K:.*]]: memref<?x64xf32>, %[[V:.*]]: memref<?x48xf32>, %[[HEADS:.*]]: memref<32xindex>, %[[ROWS:.*]]: memref<32xindex>, %[[START:.*]]: index, %[[ACC:.*]]: memref<48x32xf32>, %[[MAX:.*]]: memref<32xf32>, %[[SUM:.*]]: memref<32xf32>, %[[PAST:.*]]: index)
// CHECK: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<64x32xf32>
// CHECK: memref.dim %[[K]]
// CHECK: vector.load %[[MAX]]
// What the rows determine is computed before the loop over keys.
// CHECK: %[[ROW:.*]] = vector.load %[[ROWS]]{{.*}} vector<16xindex>
// CHECK: %[[P:.*]] = vector.broadcast %[[PAST]]
// CHECK: %[[I:.*]] = arith.addi %[[P]], %[[ROW]] : vector<16xindex>
// Scores of whole groups of 8 keys, then of single ones.
// CHECK: scf.for
// CHECK: scf.for
// CHECK: vector.load %[[Q]]
// CHECK: memref.load %[[K]]
// CHECK-COUNT-16: vector.fma
// CHECK: arith.constant dense<0.180336878> : vector<16xf32>
// CHECK: %[[J:.*]] = arith.addi %[[START]],
// What is the same in all lanes stays scalar; what isn't is compared in lanes.
// CHECK: %[[JS:.*]] = vector.broadcast %[[J]]
// CHECK: %[[VISIBLE:.*]] = arith.cmpi sle, %[[JS]], %[[I]] : vector<16xindex>
// CHECK: arith.select %[[VISIBLE]]
// CHECK: vector.store %{{.*}}, %[[S]]
// Rows that have seen nothing have a maximum of -inf, for which 0 stands in.
// CHECK: arith.cmpf ogt
// CHECK: vector.store %{{.*}}, %[[MAX]]
// CHECK: vector.load %[[SUM]]
// CHECK: vector.store %{{.*}}, %[[SUM]]
// CHECK: vector.load %[[ACC]]
// CHECK: memref.load %[[V]]
// CHECK: vector.fma
// CHECK: vector.store %{{.*}}, %[[ACC]]
// CHECK-NOT: math.exp
func.func @masked(%q: memref<64x32xf32>, %k: memref<?x64xf32>, %v: memref<?x48xf32>, %heads: memref<32xindex>, %rows: memref<32xindex>,
                  %start: index, %acc: memref<48x32xf32>, %max: memref<32xf32>, %sum: memref<32xf32>, %past: index) {
  attn.online_attention %q, %k, %v lanes %heads, %rows start %start into %acc, %max, %sum scale 0.125 key_tile 64
    : memref<64x32xf32>, memref<?x64xf32>, memref<?x48xf32>, memref<32xindex>, memref<32xindex>, memref<48x32xf32>, memref<32xf32>, memref<32xf32>
  mask {
  ^bb0(%h: index, %i: index, %j: index):
    %row = arith.addi %past, %i : index
    %visible = arith.cmpi sle, %j, %row : index
    attn.yield %visible : i1
  }
  return
}

// -----

// A modifier sees the score in its own unit, and it stays so: the greatest is multiplied by log2(e), the others without a
// rounding of their own where it is subtracted. A table that is read by head is gathered before the loop over keys.
// CHECK-LABEL: func.func @modified
// CHECK-SAME: %[[BIAS:[a-z0-9]+]]: memref<4xf32>
// CHECK: %[[B:.*]] = vector.gather %[[BIAS]]
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<1.250000e-01> : vector<16xf32>
// CHECK: %[[SCORE:.*]] = arith.mulf %{{.*}}, %[[SCALE]]
// CHECK: %[[CAPPED:.*]] = math.tanh %[[SCORE]] : vector<16xf32>
// CHECK: %[[BIASED:.*]] = arith.addf %[[CAPPED]], %[[B]]
// CHECK: vector.store %[[BIASED]], %[[SCORES:.*]][
// CHECK: %[[LOG2E:.*]] = arith.constant dense<1.44269502> : vector<16xf32>
// CHECK: arith.mulf %{{.*}}, %[[LOG2E]]
// CHECK: %[[STORED:.*]] = vector.load %[[SCORES]]
// CHECK: %[[BELOW:.*]] = arith.negf
// CHECK: vector.fma %[[STORED]], %{{.*}}, %[[BELOW]]
func.func @modified(%q: memref<8x16xf32>, %k: memref<?x8xf32>, %heads: memref<16xindex>, %bias: memref<4xf32>,
                    %start: index, %acc: memref<8x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 0.125 key_tile 64
    : memref<8x16xf32>, memref<?x8xf32>, memref<?x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
  score {
  ^bb0(%s: f32, %h: index, %i: index, %j: index):
    %capped = math.tanh %s : f32
    %b = memref.load %bias[%h] : memref<4xf32>
    %biased = arith.addf %capped, %b : f32
    attn.yield %biased : f32
  }
  return
}

// -----

// A task's scores have one buffer for all of its tiles of keys.
// CHECK-LABEL: func.func @task
// CHECK: scf.forall
// CHECK-NEXT: memref.alloca
// CHECK-NEXT: scf.for
// CHECK-NOT: memref.alloca
func.func @task(%q: memref<8x16xf32>, %k: memref<8x8xf32>, %heads: memref<16xindex>, %n: index, %step: index,
                %acc: memref<8x16xf32>, %max: memref<16xf32>, %sum: memref<16xf32>) {
  scf.forall (%task) in (%n) {
    scf.for %start = %task to %n step %step {
      attn.online_attention %q, %k, %k lanes %heads, %heads start %start into %acc, %max, %sum scale 1.0 key_tile 8
        : memref<8x16xf32>, memref<8x8xf32>, memref<8x8xf32>, memref<16xindex>, memref<16xindex>, memref<8x16xf32>, memref<16xf32>, memref<16xf32>
    }
  }
  return
}
