// RUN: heed-opt %s -convert-attn-to-vector=vnni=false -verify-diagnostics -split-input-file

func.func @eight_bits(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %w: !attn.weight<16x64, q8_0>, %into: memref<?x16xf32>) {
  // expected-error @below {{multiplies bytes by '!attn.weight<16x64, q8_0>', which exceeds words of 16 bits; it needs vnni}}
  attn.project linear %x, %w quantized %s, %t into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi8>, !attn.weight<16x64, q8_0> of memref<?x2xf32>, memref<?x2xi32> into memref<?x16xf32>
  return
}

// -----

func.func @centred(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %t: memref<?x2xi32>, %c: memref<?x4xbf16>, %k: memref<?x2xf32>, %w: !attn.weight<16x64, q4_0>, %into: memref<?x16xf32>) {
  // expected-error @below {{multiplies centred rows by '!attn.weight<16x64, q4_0>'}}
  attn.project linear %x, %w quantized %s, %t centred %c, %k into %into
    tile <rows = 3, panels = 1, part = 1> : memref<?x64xi8>, !attn.weight<16x64, q4_0> of memref<?x2xf32>, memref<?x2xi32> centred memref<?x4xbf16>, memref<?x2xf32> into memref<?x16xf32>
  return
}
