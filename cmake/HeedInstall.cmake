# `cmake --install` lays out a package that `find_package(heed)` finds, in two parts, so that a
# program that only runs models needs no MLIR: heedRuntime.cmake has the LLVM-free libraries,
# heedCompiler.cmake the others.
include(CMakePackageConfigHelpers)
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/heed)

get_property(_libraries GLOBAL PROPERTY HEED_LIBRARIES)
# One holds the build's precompiled header, one the inside of the program heed.
list(REMOVE_ITEM _libraries HeedPrecompiledHeaders HeedCommands)
set(_compiler)
get_property(_with_mlir GLOBAL PROPERTY HEED_MLIR_LIBRARIES)
foreach(library ${_libraries})
  if(library IN_LIST _with_mlir)
    list(APPEND _compiler ${library})
  endif()
endforeach()
list(REMOVE_ITEM _libraries ${_compiler} "")

install(TARGETS heed_options ${_libraries} EXPORT heedRuntime
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT heedRuntime NAMESPACE heed:: DESTINATION ${_package})
if(_compiler)
  install(TARGETS ${_compiler} EXPORT heedCompiler ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT heedCompiler NAMESPACE heed:: DESTINATION ${_package})
endif()

# Sources' headers, and those that TableGen writes.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/heed DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def" PATTERN "*.td")
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/heed DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.inc" PATTERN "CMakeFiles" EXCLUDE)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/heedConfig.cmake.in
  ${PROJECT_BINARY_DIR}/heedConfig.cmake INSTALL_DESTINATION ${_package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/heedConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/heedConfig.cmake ${PROJECT_BINARY_DIR}/heedConfigVersion.cmake
        DESTINATION ${_package})
