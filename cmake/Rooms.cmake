# Rooms.cmake: how a room of src/ becomes a target, and the flags that all of them share.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(WEFT_FUZZ "build the fuzzers (clang only)" OFF)
option(WEFT_BENCH "build the benches" OFF)
set(WEFT_SANITIZE "" CACHE STRING "value of -fsanitize= for every target")

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the source, so that a fresh clone finds what another one has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${CCACHE})
endif()

add_library(weft_flags INTERFACE)
target_compile_features(weft_flags INTERFACE cxx_std_20)
target_include_directories(weft_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(weft_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  -ffunction-sections -fdata-sections -fstack-protector-strong)
target_compile_definitions(weft_flags INTERFACE WEFT_VERSION="${PROJECT_VERSION}")
target_link_options(weft_flags INTERFACE -Wl,--gc-sections)
if(WEFT_SANITIZE)
  target_compile_options(weft_flags INTERFACE
    -fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(weft_flags INTERFACE -fsanitize=${WEFT_SANITIZE})
  if(WEFT_SANITIZE STREQUAL "thread")
    # Asio has fences, which the sanitizer does not follow; its mutexes say the same.
    target_compile_options(weft_flags INTERFACE -Wno-tsan)
  endif()
else()
  target_compile_definitions(weft_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()

# weft_room(NAME SOURCES ... LINKS ...): the target weft_NAME out of the sources of the
# calling directory. A room sees every header below src/, but it links only what it names:
# a call upwards or sideways does not link. SMALL is for the rooms of weft-cni, see weft_tiny().
function(weft_room name)
  cmake_parse_arguments(ROOM "SMALL" "" "SOURCES;LINKS" ${ARGN})
  add_library(weft_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(weft_${name} PUBLIC weft_flags ${ROOM_LINKS})
  if(ROOM_SMALL)
    target_compile_options(weft_${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-Os>)
    # A sanitizer and a debugger want everything as it was written, and once.
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
      add_library(tiny_${name} ALIAS weft_${name})
      return()
    endif()
    add_library(tiny_${name} STATIC EXCLUDE_FROM_ALL ${ROOM_SOURCES})
    list(TRANSFORM ROOM_LINKS REPLACE "^weft_" "tiny_")
    target_link_libraries(tiny_${name} PUBLIC weft_flags ${ROOM_LINKS})
    # The linters have read them once.
    set_target_properties(tiny_${name} PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
    weft_tiny(tiny_${name})
  endif()
endfunction()

# weft_tiny(TARGET): a target of weft-cni. That program is loaded anew for every call, so its size
# is its start-up time. It is optimized as a whole, and has neither exceptions nor the tables
# that unwind the stack: a quarter of it. The rooms are therefore built a second time for it; the
# daemons use libraries that throw.
function(weft_tiny target)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    return()
  endif()
  set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)
  set(tiny -Os -fno-exceptions -fno-unwind-tables -fno-asynchronous-unwind-tables)
  target_compile_options(${target} PRIVATE ${tiny})
  target_link_options(${target} PRIVATE ${tiny})
endfunction()

# weft_daemon(NAME): what keeps a long-running program small. Only the C library stays shared,
# because it loads the host's name resolution. The 20,000 relocations of a position-independent
# OpenSSL take 10 KB packed (DT_RELR, from glibc 2.36 on) and 500 KB otherwise, and the loader
# reads them all. A sanitizer brings a runtime of its own.
function(weft_daemon name)
  if(NOT WEFT_SANITIZE)
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc
      -Wl,-z,pack-relative-relocs)
  endif()
endfunction()
