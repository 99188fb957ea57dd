# Compiler settings shared by every target, and the helpers that declare them.
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(FW_CCACHE ccache)
if(FW_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${FW_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${FW_CCACHE})
endif()

# 64-bit file offsets and directory entries on 32-bit systems too.
add_compile_definitions(_FILE_OFFSET_BITS=64)

# Warnings and sections for all of our own code.
add_library(fw_warnings INTERFACE)
target_compile_options(fw_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi>
    -ffunction-sections -fdata-sections)
if(FW_WERROR)
    target_compile_options(fw_warnings INTERFACE -Werror)
endif()
if(FW_SANITIZE)
    # The vptr check needs RTTI: tests, which have it, would find no type behind the vtables of the library's objects.
    add_compile_options(-fsanitize=${FW_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${FW_SANITIZE})
endif()

option(FW_BUILD_FUZZERS "Build the libFuzzer programs of tests/fuzz (needs clang and FW_BUILD_TESTS)" OFF)
if(FW_BUILD_FUZZERS)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The library itself: no exceptions, no RTTI; contraction off, so that a*b+c is the same on every compiler and ISA.
add_library(fw_library_flags INTERFACE)
target_link_libraries(fw_library_flags INTERFACE fw_warnings)
target_compile_options(fw_library_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti> -ffp-contract=off -fno-math-errno -fno-trapping-math)
if(FW_MINSIZE)
    target_compile_options(fw_library_flags INTERFACE -fno-asynchronous-unwind-tables -fno-unwind-tables)
    target_compile_definitions(fw_library_flags INTERFACE FW_MINSIZE=1)
endif()
target_include_directories(fw_library_flags INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>)
if(FW_OPENMP)
    find_package(OpenMP COMPONENTS CXX)
    if(OpenMP_CXX_FOUND)
        target_link_libraries(fw_library_flags INTERFACE OpenMP::OpenMP_CXX)
    endif()
endif()
if(NOT FW_OPENMP OR NOT OpenMP_CXX_FOUND)
    target_compile_options(fw_library_flags INTERFACE -Wno-unknown-pragmas)
endif()

# fw_object_library(NAME SOURCES... ): one folder of src/ as an OBJECT library. `LINKS` are the folders it may include.
function(fw_object_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
    if(NOT ARG_SOURCES)
        add_library(fw_${name} INTERFACE)
        return()
    endif()
    add_library(fw_${name} OBJECT ${ARG_SOURCES})
    target_link_libraries(fw_${name} PUBLIC fw_library_flags)
    foreach(link IN LISTS ARG_LINKS)
        target_link_libraries(fw_${name} PUBLIC fw_${link})
    endforeach()
    set_property(GLOBAL APPEND PROPERTY FW_OBJECT_LIBRARIES fw_${name})
endfunction()
