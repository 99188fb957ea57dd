# fw_embed(TARGET FILE SYMBOL): FILE's text becomes `extern const char SYMBOL[]` (terminated) of TARGET.
# As a script (cmake -DIN= -DOUT= -DSYMBOL= -P): writes that source file.
if(CMAKE_SCRIPT_MODE_FILE)
    file(READ ${IN} hex HEX)
    string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    file(WRITE ${OUT} "// Generated from ${NAME}.\nextern const char ${SYMBOL}[];\nconst char ${SYMBOL}[] = {\n${bytes}\n0};\n")
    return()
endif()

set(FW_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(fw_embed target file symbol)
    get_filename_component(name ${file} NAME)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUT=${out} -DSYMBOL=${symbol} -DNAME=${name}
                -P ${FW_EMBED_SCRIPT}
        DEPENDS ${file} ${FW_EMBED_SCRIPT}
        VERBATIM)
    target_sources(${target} PRIVATE ${out})
endfunction()
