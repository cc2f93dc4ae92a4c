# How every library, program and test of the project is declared.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(weir_options INTERFACE)
target_compile_options(weir_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${WEIR_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  # Warns of std::string's operator+ where there is nothing to warn of (GCC bug 105651).
  target_compile_options(weir_options INTERFACE -Wno-restrict)
endif()
target_include_directories(weir_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(weir_options INTERFACE Threads::Threads)
if(WEIR_SANITIZE)
  target_compile_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(weir_options INTERFACE -fsanitize=${WEIR_SANITIZE})
endif()
if(WEIR_FUZZ)
  target_compile_options(weir_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# weir_library(http DEPS base EXTERNAL re2): the library weir_http of all sources in this folder.
# DEPS are other folders of src/; a dependency that is not named here does not link, and
# tests/layering.py refuses an include of it.
function(weir_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;EXTERNAL" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(TRANSFORM ARG_DEPS PREPEND weir_ OUTPUT_VARIABLE deps)
  if(NOT sources)
    add_library(weir_${name} INTERFACE)
    target_link_libraries(weir_${name} INTERFACE weir_options ${deps} ${ARG_EXTERNAL})
    return()
  endif()
  add_library(weir_${name} STATIC ${sources})
  target_link_libraries(weir_${name} PUBLIC weir_options ${deps} ${ARG_EXTERNAL})
endfunction()

# weir_package(YAML yaml-cpp): the imported target PkgConfig::YAML, treated as a system library.
macro(weir_package prefix)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${ARGN})
endmacro()
