"""How the compiler's tests run: `lit build/release/test`."""

import os

import lit.formats

config.name = "heed"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".heed", ".test"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.heed_build_dir, "test")
# Unit tests and fuzz seeds belong to ctest and libFuzzer; Inputs hold what tests read.
config.excludes = ["unit", "fuzz", "golden", "Inputs", "diagnostics"]

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.heed_build_dir, "bin"), config.llvm_tools_dir, config.environment["PATH"]]
)
# Tests that need a model's file say so by its feature; tools/check.sh always has them.
MODELS = {"smollm2": "HEED_SMOLLM2_GGUF", "gemma3": "HEED_GEMMA3_GGUF", "minilm": "HEED_MINILM"}
for name in ("HOME", "XDG_CACHE_HOME", *MODELS.values()):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment["NO_COLOR"] = "1"
config.available_features.update(model for model, name in MODELS.items() if os.environ.get(name))

config.substitutions.append(("%examples", os.path.join(config.heed_source_dir, "examples")))
config.substitutions.append(("%benchmarks", os.path.join(config.heed_source_dir, "benchmarks")))
config.substitutions.append(("%heed_src", config.heed_source_dir))
config.substitutions.append(("%heed_build", config.heed_build_dir))
