// RUN: heed-opt %s -split-input-file -attn-check-assertions | FileCheck %s

// Two layers of two heads, keys of width 4 and values of width 8: 2 * 2 * (4 + 8) * 4 bytes.
// CHECK-LABEL: module @caches {
// CHECK-NOT: heed.assertions
module @caches attributes {heed.assertions = [
    {bound = 192 : i64, condition = "bytes_per_token(kv) == 192", cost_on_left, relation = "=="},
    {bound = 1.925e+02 : f64, condition = "192.5 > bytes_per_token(kv)", relation = ">"}]} {
  func.func @step(%tokens: tensor<?xi32> {heed.arg = "param"}, %past: index {heed.arg = "past"},
                  %first: index {heed.arg = "first"}, %K: tensor<2x2x?x4xf32> {heed.arg = "cache"},
                  %V: tensor<2x2x?x8xf32> {heed.arg = "cache"})
      -> (tensor<2x2x?x4xf32>, tensor<2x2x?x8xf32>) attributes {heed.kind = "step"} {
    return %K, %V : tensor<2x2x?x4xf32>, tensor<2x2x?x8xf32>
  }
}

// -----

// Nothing is cached.
// CHECK-LABEL: module @plain {
module @plain attributes {heed.assertions = [
    {bound = 0 : i64, condition = "bytes_per_token(kv) == 0", cost_on_left, relation = "=="}]} {
  func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> { return %x : tensor<?xf32> }
}
