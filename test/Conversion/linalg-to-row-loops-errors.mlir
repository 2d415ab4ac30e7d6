// RUN: heed-opt %s -convert-linalg-to-row-loops -verify-diagnostics

func.func @tensors(%x: tensor<?xf32>, %zero: f32) -> tensor<?xf32> {
  // expected-error @below {{is in tensor form; bufferize before converting to loops}}
  %r = linalg.fill ins(%zero : f32) outs(%x : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}
