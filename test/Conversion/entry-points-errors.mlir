// RUN: heed-opt %s --split-input-file --verify-diagnostics --convert-entry-points

// expected-error @+1 {{axis 0 of argument 'y' is dynamic and nothing says which size it is: give the argument heed.dims}}
func.func @unknown(%x: memref<?x?xf32> {heed.arg = "param", heed.dims = array<i64: -1, -2>},
                   %y: memref<?xf32> {heed.arg = "result", heed.name = "y"})
    attributes {heed.sizes = ["n", "m"]} {
  return
}

// -----

// expected-error @+1 {{axis 0 of argument 'result' has heed.dims -2, but the function has 1 run-time sizes}}
func.func @absent(%y: memref<?xf32> {heed.arg = "result", heed.dims = array<i64: -2>})
    attributes {heed.sizes = ["n"]} {
  return
}

// -----

// expected-error @+1 {{axis 1 of argument 'cache0' depends on a cache, but the function is not heed.kind = "step"}}
func.func @plain(%y: memref<3x?x4xf32> {heed.arg = "cache"}) attributes {heed.sizes = ["n"]} {
  return
}

// -----

// expected-error @+1 {{the order is params, past, first, caches, results}}
func.func @order(%y: memref<4xf32> {heed.arg = "result"}, %x: memref<4xf32> {heed.arg = "param"}) {
  return
}

// -----

// expected-error @+1 {{argument 1 of an exported function needs heed.arg = "param"}}
func.func @role(%x: memref<4xf32> {heed.arg = "param"}, %y: memref<4xf32>) {
  return
}

// -----

// expected-error @+1 {{argument 'x' must be contiguous in plain memory, found 'memref<4xf32, strided<[2]>>'}}
func.func @strided(%x: memref<4xf32, strided<[2]>> {heed.arg = "param", heed.name = "x"}) {
  return
}

// -----

// expected-error @+1 {{an exported function returns nothing at this phase, found 1 results: run heed-export-functions first}}
func.func @returns(%x: memref<4xf32> {heed.arg = "param"}) -> memref<4xf32> {
  return %x : memref<4xf32>
}

// -----

// expected-error @+1 {{the name of its entry, 'f_entry', is already taken}}
func.func @f(%x: memref<4xf32> {heed.arg = "param"}) {
  return
}
func.func private @f_entry()
