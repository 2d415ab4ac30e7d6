// RUN: heed-opt %s -convert-forall-to-tasks -split-input-file -verify-diagnostics

func.func @no_entry(%n: index) {
  // expected-error @below {{stands in no entry; run convert-entry-points first}}
  scf.forall (%i) in (%n) {
  }
  return
}

// -----

func.func @f_entry(%context: !llvm.ptr, %n: index, %t: tensor<?xf32>) -> tensor<?xf32> attributes {heed.entry = "f"} {
  // expected-error @below {{must be normalized and in memref form}}
  %r = scf.forall (%i) in (%n) shared_outs(%o = %t) -> tensor<?xf32> {
    scf.forall.in_parallel {
    }
  }
  return %r : tensor<?xf32>
}
