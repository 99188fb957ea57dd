# Installs into a scratch prefix, then builds and runs the consumer project against it.
function(run)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${ARGV}: ${result}\n${output}")
    endif()
    message(STATUS "${output}")
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${CXX})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer_cpp)
run(${WORK}/build/consumer_c)

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
    file(GLOB_RECURSE pc ${WORK}/prefix/*/fw.pc)
    get_filename_component(folder ${pc} DIRECTORY)
    # Without --define-variable: the file finds the prefix by itself.
    execute_process(COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${folder} ${PKG_CONFIG} --cflags --libs fw
                    RESULT_VARIABLE result OUTPUT_VARIABLE flags ERROR_VARIABLE flags)
    string(REGEX MATCH "-I([^ ]+) -L([^ ]+) -lfw" found "${flags}")
    if(NOT result EQUAL 0 OR NOT EXISTS ${CMAKE_MATCH_1}/fw/net.h OR NOT "${CMAKE_MATCH_2}" MATCHES "^${WORK}/prefix/")
        message(FATAL_ERROR "pkg-config: ${result}\n${flags}")
    endif()
endif()
