add_heed_fuzzer(fuzz-tokenizer fuzz-tokenizer.cpp LINK HeedText HeedWeights fmt::fmt-header-only)
# The seeds spell vocabularies with the room's own byte alphabet.
target_include_directories(fuzz-tokenizer PRIVATE
  ${PROJECT_SOURCE_DIR}/lib/Text ${PROJECT_SOURCE_DIR}/test/unit/Text)
