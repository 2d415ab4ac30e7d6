add_heed_fuzzer(fuzz-safetensors fuzz-safetensors.cpp LINK HeedWeights)
# The shard index is parsed behind WeightsFile::open, which needs a folder: fuzz the parser itself.
target_include_directories(fuzz-safetensors PRIVATE ${PROJECT_SOURCE_DIR}/lib)
