add_heed_fuzzer(fuzz-program fuzz-program.cpp LINK HeedFrontend)
target_include_directories(fuzz-program PRIVATE ${PROJECT_SOURCE_DIR}/test/unit/Frontend)
