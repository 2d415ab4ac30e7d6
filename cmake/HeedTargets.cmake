# Two kinds of library. `add_heed_library` links no LLVM, runs when a model runs,
# and is tested under sanitizers. `add_heed_mlir_library` may name MLIR.

if(HEED_SANITIZE)
  list(JOIN HEED_SANITIZE "," _sanitizers)
  add_compile_options(-fsanitize=${_sanitizers} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${_sanitizers})
endif()
if(HEED_ENABLE_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(heed_warnings INTERFACE)
target_compile_options(heed_warnings INTERFACE
  -Wall -Wextra -Werror -Wno-unused-parameter)

add_library(heed_options INTERFACE)
target_compile_features(heed_options INTERFACE cxx_std_20)
target_include_directories(heed_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# add_heed_library(NAME sources... [LINK libraries...])
function(add_heed_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fvisibility=hidden -ffunction-sections -fdata-sections)
  # These libraries end up in every model, and C++'s locales would be most of it.
  target_compile_definitions(${name} PRIVATE FMT_STATIC_THOUSANDS_SEPARATOR=0x2c JSON_NO_IO)
  target_link_libraries(${name} PUBLIC heed_options ${ARG_LINK}
                        PRIVATE $<BUILD_INTERFACE:heed_warnings>)
  set_property(GLOBAL APPEND PROPERTY HEED_LIBRARIES ${name})
endfunction()

# add_heed_mlir_library(NAME sources... [LINK libraries...] [DEPENDS tablegen-targets...])
# libMLIR.so and libLLVM.so are the only LLVM libraries that are ever linked:
# mixing them with LLVM's static archives registers options twice and aborts.
function(add_heed_mlir_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_compile_definitions(${name} PUBLIC ${LLVM_DEFINITIONS_LIST})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  target_link_libraries(${name} PUBLIC heed_options ${ARG_LINK} MLIR LLVM
                        PRIVATE $<BUILD_INTERFACE:heed_warnings>)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  if(NOT name STREQUAL "HeedPrecompiledHeaders")
    target_precompile_headers(${name} REUSE_FROM HeedPrecompiledHeaders)
  endif()
  set_property(GLOBAL APPEND PROPERTY HEED_LIBRARIES ${name})
  set_property(GLOBAL APPEND PROPERTY HEED_MLIR_LIBRARIES ${name})
endfunction()

# add_heed_tool(NAME sources... LINK libraries...)
function(add_heed_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} heed_warnings)
  # Debian keeps libMLIR.so where the loader doesn't look.
  set_target_properties(${name} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# add_heed_unit_test(NAME sources... LINK libraries...): a GoogleTest binary known to ctest.
function(add_heed_unit_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} heed_warnings GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    HEED_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}/test")
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# add_heed_fuzzer(NAME sources... LINK libraries...): reads seeds from test/fuzz/seeds/NAME.
function(add_heed_fuzzer name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} heed_warnings -fsanitize=fuzzer)
endfunction()
