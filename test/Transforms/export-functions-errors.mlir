// RUN: heed-opt %s -split-input-file -verify-diagnostics -heed-export-functions

// expected-error @below {{found a result of type 'f32' in function 'scalar', expected a ranked tensor [E0704]}}
func.func @scalar(%x: f32) -> f32 {
  return %x : f32
}

// -----

// expected-error @below {{found a parameter of type 'memref<4xf32>' in function 'memory', expected a ranked tensor or a number [E0704]}}
func.func @memory(%x: memref<4xf32>) {
  return
}

// -----

// expected-error @below {{found 1 caches but 0 results in function 'lost', expected each cache among the results [E0704]}}
func.func @lost(%c: tensor<1x?x4xf32> {heed.arg = "cache"}) {
  return
}

// -----

// expected-error @below {{found branches in function 'branches', expected one block [E0704]}}
func.func @branches(%x: tensor<?xf32>) -> tensor<?xf32> {
  cf.br ^end
^end:
  return %x : tensor<?xf32>
}
