# One step of the package tests: cmake -DSTEP=install|find_package|add_subdirectory|pkg_config ... -P step.cmake

set(prefix ${WORK_DIR}/moved)
set(here ${CMAKE_CURRENT_LIST_DIR})

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(build_and_run_consumer kind)
    set(tree ${WORK_DIR}/${kind})
    file(REMOVE_RECURSE ${tree})
    run(${CMAKE_COMMAND} -S ${here}/${kind} -B ${tree} -G ${GENERATOR}
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}"
        ${ARGN})
    run(${CMAKE_COMMAND} --build ${tree})
    run(${tree}/consumer)
endfunction()

if(STEP STREQUAL "install")
    file(REMOVE_RECURSE ${WORK_DIR}/installed ${prefix})
    run(${CMAKE_COMMAND} --install ${WEIR_BINARY_DIR} --prefix ${WORK_DIR}/installed)
    file(RENAME ${WORK_DIR}/installed ${prefix})
elseif(STEP STREQUAL "find_package")
    build_and_run_consumer(find_package -DCMAKE_PREFIX_PATH=${prefix})
elseif(STEP STREQUAL "add_subdirectory")
    build_and_run_consumer(add_subdirectory -DWEIR_SOURCE_DIR=${WEIR_SOURCE_DIR})
elseif(STEP STREQUAL "pkg_config")
    set(ENV{PKG_CONFIG_PATH} ${prefix}/share/pkgconfig)
    run(${PKG_CONFIG} --print-errors --exact-version=${WEIR_VERSION} weir)
    execute_process(COMMAND ${PKG_CONFIG} --cflags --libs weir
        OUTPUT_VARIABLE weir_flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(weir_flags UNIX_COMMAND "${weir_flags}")
    separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")
    run(${COMPILER} ${FLAGS} -std=c++23 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
        ${here}/consumer.cpp -o ${WORK_DIR}/pkg_config_consumer ${weir_flags})
    run(${WORK_DIR}/pkg_config_consumer)
else()
    message(FATAL_ERROR "no such step: ${STEP}")
endif()
