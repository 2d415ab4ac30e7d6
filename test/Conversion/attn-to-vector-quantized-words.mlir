// RUN: heed-opt %s -convert-attn-to-vector="native-lanes=8 vnni=false" -split-input-file | FileCheck %s

// Where fours of bytes aren't multiplied, their pairs add up in words of 16 bits: of four bits eight fours, which tiles
// have two by two in a loop that stays one, and a lone row four by four. What scales them is read afterwards.
// CHECK-LABEL: func.func @four_bits
// CHECK: %[[FOURS:.+]]:3 = scf.for {{.*}} iter_args({{.*}}) -> (vector<32xi16>, vector<32xi16>, vector<32xi16>)
// CHECK-COUNT-6: attn.dot_bytes %{{.+}} : vector<32xi16>, vector<64xi8>
// CHECK-NOT: attn.dot_bytes
// CHECK: {llvm.loop_annotation = #[[STAYS:.+]]}
// CHECK: attn.dot_words %{{.+}}, %[[FOURS]]#0, %{{.+}} : vector<16xi32>, vector<32xi16>
// CHECK-COUNT-2: attn.dot_words
// CHECK: vector.load %{{.+}} : memref<1x2x1x16xf32>, vector<16xf32>
// CHECK: arith.sitofp
// The lone row of a panel: two stored vectors at once, whose lower nibbles belong to columns of the first half.
// CHECK: } else {
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c4{{.*}} step %c2{{.*}} -> (vector<32xi16>)
// CHECK: %[[BYTES:.+]] = llvm.load
// CHECK: arith.andi %[[BYTES]], %{{.+}} : vector<16xi32>
// CHECK: attn.dot_bytes
// CHECK: arith.shrui %{{.+}}, %{{.+}} : vector<16xi32>
// CHECK-COUNT-3: attn.dot_bytes %{{.+}} : vector<32xi16>, vector<64xi8>
// CHECK-NOT: attn.dot_bytes
// CHECK: {llvm.loop_annotation = #[[STAYS]]}
// CHECK: attn.dot_words
func.func @four_bits(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xf32>, %w: !attn.weight<16x64, q4_1>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi8>, !attn.weight<16x64, q4_1> of memref<?x2xf32>, memref<?x2xf32> into memref<?x16xf32>
  return
}

// -----

// Of five bits four fours, so twice; sums start from what takes back the zero point.
// CHECK-LABEL: func.func @five_bits
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[LOW:.+]]:3 = scf.for {{.*}} iter_args({{.*}}) -> (vector<32xi16>, vector<32xi16>, vector<32xi16>)
// CHECK-COUNT-6: attn.dot_bytes
// CHECK-NOT: attn.dot_bytes
// CHECK: memref.load %{{.+}} : memref<?x2xi32>
// CHECK: %[[SUM:.+]] = attn.dot_words %{{.+}}, %[[LOW]]#0, %{{.+}}
// CHECK: %[[HIGH:.+]]:3 = scf.for {{.*}} iter_args({{.*}}) -> (vector<32xi16>, vector<32xi16>, vector<32xi16>)
// CHECK-COUNT-6: attn.dot_bytes
// CHECK-NOT: attn.dot_bytes
// CHECK: attn.dot_words %[[SUM]], %[[HIGH]]#0, %{{.+}}
func.func @five_bits(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<16x64, q5_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi8>, !attn.weight<16x64, q5_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x16xf32>
  return
}

// -----

// Weights of eight bits meet rows of words: a block's bytes become words once, pairs of columns add up in 32 bits,
// four in a round, of a lone row eight, from what takes back the zero point.
// CHECK-LABEL: func.func @eight_bits
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 64, 1, 64, 4, 64, 5, 64,
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [2, 64, 3, 64, 6, 64, 7, 64,
// CHECK: vector.store %{{.+}} : memref<1x2x16x16xi32>, vector<16xi32>
// CHECK: memref.load %{{.+}} : memref<?x2xi32>
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK: vector.load %{{.+}} : memref<?x64xi16>, vector<2xi16>
// CHECK-COUNT-12: attn.dot_words %{{.+}} : vector<16xi32>, vector<32xi16>
// CHECK-NOT: attn.dot_words
// CHECK: {llvm.loop_annotation = #{{.+}}}
// CHECK: memref.load %{{.+}} : memref<?x2xf32>
// The lone row of a panel.
// CHECK: } else {
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xi32>)
// CHECK-COUNT-8: attn.dot_words
// CHECK-NOT: attn.dot_words
// CHECK: {llvm.loop_annotation = #{{.+}}}
func.func @eight_bits(%x: memref<?x64xi16>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<16x64, q8_0>, %into: memref<?x16xf32>) {
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi16>, !attn.weight<16x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x16xf32>
  return
}
