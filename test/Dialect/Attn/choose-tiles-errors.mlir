// RUN: heed-opt %s -attn-choose-tiles="tiles=1536x576:f32:f32=7x3x10" -verify-diagnostics

// Ten panels aren't a whole number of tiles of three.
// expected-error @below {{'1536x576:f32:f32=7x3x10' names no tile, expected such as 1536x576:q4_1:i8=6x2x2}}
func.func @f() {
  return
}
