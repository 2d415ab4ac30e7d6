// RUN: heed-opt %s -split-input-file -verify-diagnostics -attn-check-assertions

// expected-error @below {{`bytes_per_token(kv) <= 1 KiB` doesn't hold: the left side is 1,536, the right side 1,024 [E0705]}}
module attributes {heed.assertions = [
    {bound = 1024 : i64, condition = "bytes_per_token(kv) <= 1 KiB", cost_on_left, relation = "<="}]} {
  func.func @step(%K: tensor<3x?x128xf32> {heed.arg = "cache"}) -> tensor<3x?x128xf32> {
    return %K : tensor<3x?x128xf32>
  }
}

// -----

// expected-error @below {{in 'heed.assertions'; expected a 'condition', a 'relation' and a 'bound'}}
module attributes {heed.assertions = [{condition = "kv", relation = "~"}]} {}

// -----

// expected-error @below {{found caches of more than 2^63 bytes for a token}}
module attributes {heed.assertions = []} {
  func.func private @step(tensor<4611686018427387904x?xf32> {heed.arg = "cache"})
}
