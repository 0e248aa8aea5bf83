# What every target of ours shares: the language, the warnings, the sanitizers, the include root.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

set(TIDEOVER_SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined")

option(TIDEOVER_PRECOMPILE "Precompile the headers that nearly every source includes" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  if(TIDEOVER_PRECOMPILE)  # what ccache's manual asks for
    list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
         CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime)
  endif()
endif()

add_library(tideover_options INTERFACE)
target_include_directories(tideover_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(tideover_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                  -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 pairs a coroutine frame's own delete with the global new once both are inlined, and at -O2 sees
  # overlapping copies in "text" + std::string that cannot be (GCC bug 105651).
  target_compile_options(tideover_options INTERFACE -Wno-mismatched-new-delete -Wno-restrict)
endif()
# Asio and Beast are compiled once, in wal/base/asio.cc and forwarders/http/beast.cc.
target_compile_definitions(tideover_options INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
                                                      BOOST_BEAST_SEPARATE_COMPILATION
                                                      BOOST_ASIO_NO_DEPRECATED)
if(TIDEOVER_SANITIZE)
  target_compile_options(tideover_options INTERFACE -fsanitize=${TIDEOVER_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tideover_options INTERFACE -fsanitize=${TIDEOVER_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Clang 14 refuses coroutines under -fsanitize=function ("difference across sections").
    target_compile_options(tideover_options INTERFACE -fno-sanitize=function)
  else()
    # GCC 12 sees uninitialised members in libstdc++ once sanitizers are on, and has no words for Asio's fences.
    target_compile_options(tideover_options INTERFACE -Wno-maybe-uninitialized -Wno-tsan)
    if(TIDEOVER_SANITIZE STREQUAL "thread")
      # Under this one it also takes the move of a short std::string for a copy beyond its end.
      target_compile_options(tideover_options INTERFACE -Wno-array-bounds -Wno-stringop-overflow)
    endif()
    # The four checks that look at every pointer are a third of the time that GCC takes with both. A null or dangling pointer is the address
    # sanitizer's too; alignment is checked where untrusted bytes are read, by the preset "fuzz" (Clang).
    target_compile_options(tideover_options INTERFACE -fno-sanitize=null,alignment,object-size,vptr)
  endif()
endif()

# The presets that compile once more what "dev" and "release" have compiled need not parse the same headers again. Those two
# go without, so that every file includes what it uses.
function(tideover_precompile target headers)
  if(NOT TIDEOVER_PRECOMPILE)
    return()
  endif()
  set(owner tideover_precompiled_${headers})
  if(NOT TARGET ${owner})
    set(empty "${CMAKE_BINARY_DIR}/${owner}.cc")
    file(GENERATE OUTPUT "${empty}" CONTENT "")
    add_library(${owner} OBJECT "${empty}")
    target_link_libraries(${owner} PRIVATE tideover_options Boost::headers Threads::Threads fmt::fmt)
    target_precompile_headers(${owner} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/precompiled_${headers}.h")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      target_compile_options(tideover_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()

# tideover_library(NAME name SOURCES a.cc b.cc PUBLIC lib... PRIVATE lib...)
function(tideover_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${ARG_NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PUBLIC tideover_options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  tideover_precompile(${ARG_NAME} code)
endfunction()

# Preset "fuzz": the targets of tests/fuzz become libFuzzer programs, and everything of ours reports its coverage.
option(TIDEOVER_FUZZ "Build the targets of tests/fuzz for libFuzzer (Clang)" OFF)
if(TIDEOVER_FUZZ)
  target_compile_options(tideover_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
