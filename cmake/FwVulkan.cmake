# FW_VULKAN: the GPU backend. The loader is opened at run time, so that all it needs at build time are Vulkan's headers and
# glslang, which compiles src/layer/vulkan/shader.
find_program(FW_GLSLANG glslangValidator)
find_path(FW_VULKAN_HEADERS vulkan/vulkan.h)
set(fw_vulkan_default OFF)
if(FW_GLSLANG AND FW_VULKAN_HEADERS AND NOT CMAKE_CROSSCOMPILING AND NOT FW_MINSIZE)
    set(fw_vulkan_default ON)
endif()
option(FW_VULKAN "Build the Vulkan backend (needs glslang and Vulkan's headers to build, nothing to run)" ${fw_vulkan_default})
if(FW_VULKAN AND NOT (FW_GLSLANG AND FW_VULKAN_HEADERS))
    message(FATAL_ERROR "FW_VULKAN is ON, but there is no glslangValidator or no vulkan/vulkan.h (scripts/install_deps.sh vulkan)")
endif()
if(NOT FW_VULKAN)
    add_compile_definitions(FW_NO_ACCELERATOR)  # src/layer/layer.h
endif()

# fw_compile_shaders(LIST FOLDER OUT): compiles every FW_SHADER(name, file, macros) of LIST and writes OUT, a header with the
# code of each as kCode_<name>, without debug information.
set(FW_SPIRV_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/FwSpirv.cmake)
function(fw_compile_shaders list folder out)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
    file(STRINGS ${list} lines REGEX "^FW_SHADER\\(")
    set(shared ${PROJECT_SOURCE_DIR}/src/layer/vulkan/shader)
    file(GLOB includes CONFIGURE_DEPENDS ${shared}/*.glsl)
    set(text "// Generated from the shaders.\n#pragma once\n#include <cstdint>\n")
    set(headers "")
    get_filename_component(code ${out} DIRECTORY)
    set(code ${code}/code)
    foreach(line IN LISTS lines)
        string(REGEX MATCH "FW_SHADER\\(([a-z0-9_]+), *([a-z0-9_]+), *([A-Z0-9 ]*)\\)" _ "${line}")
        set(name ${CMAKE_MATCH_1})
        set(source ${folder}/${CMAKE_MATCH_2}.comp)
        string(REGEX REPLACE "([A-Z0-9]+)" "-D\\1" macros "${CMAKE_MATCH_3}")
        separate_arguments(macros)
        set(header ${code}/${name}.h)
        set(compiled ${header})
        set(debug -g0)
        set(finish "")
        if("-DMATRIX" IN_LIST macros)
            set(compiled ${code}/${name}.raw.h)
            set(debug "")  # what strips names may not know cooperative matrices
            set(finish COMMAND ${CMAKE_COMMAND} -DIN=${compiled} -DOUT=${header} -P ${FW_SPIRV_SCRIPT})
        endif()
        add_custom_command(
            OUTPUT ${header}
            COMMAND ${FW_GLSLANG} -V --quiet ${debug} --target-env vulkan1.1 -I${shared} ${macros} --vn kCode_${name} -o ${compiled} ${source}
            ${finish}
            DEPENDS ${source} ${includes} ${FW_SPIRV_SCRIPT}
            COMMENT "Shader ${name}"
            VERBATIM)
        list(APPEND headers ${header})
        string(APPEND text "#include \"code/${name}.h\"\n")
    endforeach()
    file(MAKE_DIRECTORY ${code})
    file(CONFIGURE OUTPUT ${out} CONTENT "${text}" @ONLY)
    set(FW_SHADER_HEADERS ${headers} PARENT_SCOPE)
endfunction()
