add_heed_fuzzer(fuzz-gguf fuzz-gguf.cpp LINK HeedWeights)
