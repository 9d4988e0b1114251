# One function per kind of target. A library names its dependencies, so the linker sees only what the
# house allows, and its components, each of which must have a test file or configuring fails.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    add_compile_options(-Xclang -fno-pch-timestamp)
  else()
    add_compile_options(-fpch-preprocess)
  endif()
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)

set(OVERLAYD_WARNINGS -Wall -Wextra -Wpedantic -Werror -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
set(OVERLAYD_HARDENING -fstack-protector-strong)
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT OVERLAYD_SANITIZE)
  list(APPEND OVERLAYD_HARDENING -D_FORTIFY_SOURCE=2)
endif()
if(OVERLAYD_SANITIZE)
  add_compile_options(-fsanitize=${OVERLAYD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${OVERLAYD_SANITIZE})
endif()
if(OVERLAYD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# What most files include. Precompiled once for the libraries and once for the tests, which have other options.
set(OVERLAYD_PCH <algorithm> <array> <bit> <chrono> <compare> <cstddef> <cstdint> <cstring> <deque> <functional> <map>
                 <memory> <optional> <set> <span> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>)

# overlayd_batches(TARGET): compiles its files a few at a time, for what they include takes longer than they do. So two
# files of one target cannot both have a helper of the same name in an unnamed namespace.
function(overlayd_batches target)
  if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)  # for tools that need an entry for every file in the compilation database
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)  # GCC takes an included file for a header
    endif()
  endif()
endfunction()

# overlayd_library(NAME DIR dir [DEPS ...] [COMPONENTS ...] [TEST_DEPS ...] [PCH header... | PCH_OF target]
#                  [TEST_PCH header...] [EXCLUDE regex])
# Every .cpp directly in DIR belongs to it. Each of COMPONENTS must have tests/unit/<component>_test.cpp,
# and those tests become the executable NAME_tests, with TEST_PCH. PCH_OF: precompiled headers of another library.
function(overlayd_library name)
  cmake_parse_arguments(A "" "DIR;EXCLUDE;PCH_OF" "DEPS;COMPONENTS;PCH;TEST_DEPS;TEST_PCH" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${A_DIR}/*.cpp)
  if(A_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${A_EXCLUDE})
  endif()
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${A_DEPS})
    set(own "")
  else()
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${A_DEPS})
    target_compile_options(${name} PRIVATE ${OVERLAYD_WARNINGS} ${OVERLAYD_HARDENING})
    if(A_PCH)
      target_precompile_headers(${name} PRIVATE ${A_PCH})
    elseif(A_PCH_OF)
      target_precompile_headers(${name} REUSE_FROM ${A_PCH_OF})
    endif()
    overlayd_batches(${name})
  endif()
  if(OVERLAYD_TESTS AND A_COMPONENTS)
    set(tests "")
    foreach(component ${A_COMPONENTS})
      set(test ${CMAKE_SOURCE_DIR}/tests/unit/${component}_test.cpp)
      if(NOT EXISTS ${test})
        message(FATAL_ERROR "component ${component} of ${name} has no tests/unit/${component}_test.cpp")
      endif()
      list(APPEND tests ${test})
    endforeach()
    overlayd_test(${name}_tests SOURCES ${tests} DEPS ${name} ${A_TEST_DEPS} PCH ${A_TEST_PCH})
  endif()
endfunction()

# overlayd_test(NAME SOURCES ... DEPS ... [LABEL label] [TIMEOUT seconds] [COST seconds] [SERIAL] [OPTIMIZED]
#              [PCH header... | PCH_OF test]): a Catch2 executable, one ctest entry per case.
# COST: ctest starts the cases of the highest first; SERIAL: none of them beside any other test. PCH: precompiled headers
# of its own, where those that the tests share (OVERLAYD_PCH and Catch2) are not the heavy ones; PCH_OF: another test's.
# OPTIMIZED: in sanitizer builds too. For tests that compute for long: the linker may take a template's code from them
# for the libraries also.
function(overlayd_test name)
  cmake_parse_arguments(A "SERIAL;OPTIMIZED" "LABEL;TIMEOUT;COST;PCH_OF" "SOURCES;DEPS;PCH" ${ARGN})
  if(NOT A_LABEL)
    set(A_LABEL unit)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  if(NOT A_COST)
    set(A_COST 0)
  endif()
  find_package(Catch2 2 REQUIRED)
  include(Catch)
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_DEPS} overlayd_catch_main Catch2::Catch2)
  # Of what comes out of precompiled headers GCC 12 forgets that it is a system header, and warns falsely of the inline
  # buffer of std::string.
  target_compile_options(${name} PRIVATE ${OVERLAYD_WARNINGS} -Wno-array-bounds -Wno-stringop-overflow
                                         -Wno-maybe-uninitialized)
  if(NOT A_OPTIMIZED)
    target_compile_options(${name} PRIVATE ${OVERLAYD_TEST_OPTIONS})
  endif()
  if(A_OPTIMIZED AND OVERLAYD_SANITIZE)
    # No precompiled headers: GCC refuses those made without optimization.
  elseif(A_PCH)
    target_precompile_headers(${name} PRIVATE ${A_PCH} <catch2/catch.hpp>)
  elseif(A_PCH_OF)
    target_precompile_headers(${name} REUSE_FROM ${A_PCH_OF})
  else()
    target_precompile_headers(${name} REUSE_FROM overlayd_test_pch)
  endif()
  target_compile_definitions(${name} PRIVATE
    OVERLAYD_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    OVERLAYD_SHARED="${CMAKE_SOURCE_DIR}/../shared"
    OVERLAYD_BIN="${CMAKE_BINARY_DIR}/bin")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(unit_tests ${name})
  catch_discover_tests(${name} TEST_PREFIX "${name}: "
    PROPERTIES LABELS ${A_LABEL} TIMEOUT ${A_TIMEOUT} COST ${A_COST} RUN_SERIAL ${A_SERIAL} SKIP_REGULAR_EXPRESSION "SKIPPED:")
endfunction()

# overlayd_program(NAME SOURCES ... DEPS ...): an executable in build/bin.
function(overlayd_program name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_DEPS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${OVERLAYD_WARNINGS} ${OVERLAYD_HARDENING})
endfunction()

if(OVERLAYD_TESTS)
  find_package(Catch2 2 REQUIRED)
  enable_testing()
  add_custom_target(unit_tests)  # every Catch2 executable: what the sanitizer builds need
  # Sanitizers make the code of Catch2's assertions so large that optimizing it takes half of a test's compilation, and
  # what they look for they find as well without. The libraries under test are optimized.
  if(OVERLAYD_SANITIZE)
    set(OVERLAYD_TEST_OPTIONS -O0)
  endif()
  add_library(overlayd_catch_main STATIC ${CMAKE_SOURCE_DIR}/tests/catch_main.cpp)
  target_link_libraries(overlayd_catch_main PUBLIC Catch2::Catch2)
  target_compile_options(overlayd_catch_main PRIVATE ${OVERLAYD_TEST_OPTIONS})
  # Not those of overlayd_catch_main, which must define what Catch2 is to be before it includes Catch2.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/test_pch.cpp CONTENT "")
  add_library(overlayd_test_pch OBJECT ${CMAKE_BINARY_DIR}/test_pch.cpp)
  target_link_libraries(overlayd_test_pch PRIVATE Catch2::Catch2)
  target_compile_options(overlayd_test_pch PRIVATE ${OVERLAYD_WARNINGS} ${OVERLAYD_TEST_OPTIONS})
  target_precompile_headers(overlayd_test_pch PRIVATE ${OVERLAYD_PCH} <catch2/catch.hpp>)
  # Well-formed messages for tests of what carries them.
  file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cpp)
  add_library(overlayd_test_support STATIC ${support})
  target_link_libraries(overlayd_test_support PUBLIC core_wire)
  target_compile_options(overlayd_test_support PRIVATE ${OVERLAYD_WARNINGS})
endif()
