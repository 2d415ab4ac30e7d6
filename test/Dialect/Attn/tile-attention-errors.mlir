// RUN: heed-opt %s -attn-tile-attention -split-input-file -verify-diagnostics

func.func @width_unknown(%Q: tensor<?x?xf32>, %K: tensor<?x?xf32>, %V: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{can't be tiled: expected heads and their width to be static, found 'tensor<?x?xf32>'}}
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return %Z : tensor<?x8xf32>
}

// -----

// Heads whose number isn't known are a batch, and a batch has no groups.
func.func @heads_unknown(%Q: tensor<?x?x8xf32>, %K: tensor<2x?x8xf32>, %V: tensor<2x?x8xf32>) -> tensor<?x?x8xf32> {
  // expected-error @below {{can't be tiled: expected heads and their width to be static, found 'tensor<2x?x8xf32>'}}
  %Z = attn.attention %Q, %K, %V scale 1.0 : tensor<?x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<?x?x8xf32>
  return %Z : tensor<?x?x8xf32>
}

// -----

func.func @heads_of_batch_unknown(%Q: tensor<2x?x?x8xf32>, %K: tensor<2x?x?x8xf32>) -> tensor<2x?x?x8xf32> {
  // expected-error @below {{can't be tiled: expected heads and their width to be static, found 'tensor<2x?x?x8xf32>'}}
  %Z = attn.attention %Q, %K, %K scale 1.0 : tensor<2x?x?x8xf32>, tensor<2x?x?x8xf32>, tensor<2x?x?x8xf32> -> tensor<2x?x?x8xf32>
  return %Z : tensor<2x?x?x8xf32>
}
