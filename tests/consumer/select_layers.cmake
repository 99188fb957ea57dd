# FW_LAYERS as type names and .param files: which types the configured build has.
function(expect layers)
    file(REMOVE_RECURSE ${WORK})
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX} "-DFW_LAYERS=${layers}"
                            -DFW_BUILD_TOOLS=OFF -DFW_BUILD_EXAMPLES=OFF
                    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    set(types "")
    if(result EQUAL 0)
        file(STRINGS ${WORK}/generated/layer/layers_selected.h types REGEX " 1$")
        list(TRANSFORM types REPLACE "#define FW_HAVE_LAYER_([A-Za-z0-9_]+) 1" "\\1")
        list(SORT types)
    endif()
    if(NOT types STREQUAL "${ARGN}")
        message(FATAL_ERROR "FW_LAYERS=${layers}: '${types}', expected '${ARGN}'\n${output}")
    endif()
endfunction()

set(param ${WORK}.param)
file(WRITE ${param} "7767517\n3 3\nInput  data 0 1 data 0=8\n  PReLU p 1 1 data p 0=1 # ReLU\nSoftmax s 1 1 p s\n")
expect("ReLU;Input" Input ReLU)
expect("ReLU;${param}" Dequantize Input PReLU Quantize ReLU Softmax)
# Errors: a type and a file that do not exist, a file that holds no layer.
expect("NoSuchLayer")
expect("${WORK}/none.param")
file(WRITE ${param} "7767517\n0 0\n")
expect("${param}")
