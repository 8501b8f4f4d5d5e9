# How the project's own tests and examples are declared.
#
#   weir_add_test(NAME name SOURCES file... [DEFINITIONS definition...] [OPTIONS option...]
#       [LABELS label...] [LIBRARIES target...] [NO_MAIN])
#   weir_add_command_test(NAME name COMMAND command argument... [LABELS label...])
#   weir_add_example(NAME name SOURCES file...)

include(GoogleTest)

# Standard C++, not the compiler's dialect.
set(CMAKE_CXX_EXTENSIONS OFF)

set(WEIR_TEST_PREFIX "" CACHE STRING "Put before the name of every test, e.g. \"asan.\"")
set(WEIR_TEST_LABEL "" CACHE STRING "A label that every test gets, e.g. \"asan\"")
set(WEIR_TEST_ENVIRONMENT "" CACHE STRING "VARIABLE=VALUE pairs that every test is run with")

option(WEIR_TEST_WHOLE_PROGRAMS "One ctest test a program, not one a GoogleTest test: for programs slow to start" OFF)
set(WEIR_TEST_SLOWDOWN "" CACHE STRING "Divides the counts of the long tests; empty: as the sanitizer asks")
option(WEIR_PRECOMPILE "Precompile the headers that most tests include; a preset without shows that each includes its own" OFF)

# The thread sanitizer does not know fences, and those of Asio are beside locks. And older releases of Asio do not know that
# clang has coroutines.
if(TARGET weir::asio AND CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    set_property(TARGET weir::asio APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS ASIO_DISABLE_FENCED_BLOCK)
endif()
if(TARGET weir::asio AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set_property(TARGET weir::asio APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS ASIO_HAS_CO_AWAIT)
endif()

# The warnings that our own code is held to. Never installed, never passed on to users.
add_library(weir_warnings INTERFACE)
target_compile_options(weir_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# A target compiled with the definitions and options that `program` has, whose precompiled header it uses then.
function(weir_precompile program definitions options)
    string(MAKE_C_IDENTIFIER "weir_precompiled${definitions}${options}" name)
    if(NOT TARGET ${name})
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/weir_precompiled.cpp CONTENT "")
        add_library(${name} OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/weir_precompiled.cpp)
        target_link_libraries(${name} PRIVATE weir::weir weir_warnings GTest::gtest)
        target_compile_definitions(${name} PRIVATE ${definitions})
        target_compile_options(${name} PRIVATE ${options})
        target_precompile_headers(${name} PRIVATE <gtest/gtest.h> <weir/weir.hpp> <string> <thread> <vector>)
    endif()
    target_precompile_headers(${program} REUSE_FROM ${name})
endfunction()

# An example is compiled as users would, with the headers that it includes itself; but not where clang++ compiles several files as
# one anyway.
function(weir_add_example)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES")
    add_executable(${arg_NAME} ${arg_SOURCES})
    target_link_libraries(${arg_NAME} PRIVATE weir::weir weir_warnings)
    if(WEIR_PRECOMPILE AND CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        weir_precompile(${arg_NAME} "" "")
    endif()
endfunction()

# One program made of GoogleTest tests. ctest runs each of its tests in a process of its own, or the whole program in one.
# NO_MAIN: the sources have their own main. The label "timing" keeps a test from running beside others.
function(weir_add_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "NO_MAIN" "NAME" "SOURCES;DEFINITIONS;OPTIONS;LABELS;LIBRARIES")
    add_executable(${arg_NAME} ${arg_SOURCES})
    target_link_libraries(${arg_NAME} PRIVATE weir::weir weir_warnings GTest::gtest ${arg_LIBRARIES})
    target_compile_definitions(${arg_NAME} PRIVATE ${arg_DEFINITIONS})
    target_compile_options(${arg_NAME} PRIVATE ${arg_OPTIONS})
    # What only one program is compiled with is not worth it.
    if(WEIR_PRECOMPILE AND "${arg_DEFINITIONS}${arg_OPTIONS}" MATCHES "^(WEIR_INJECTION=1|-O2)?$")
        weir_precompile(${arg_NAME} "${arg_DEFINITIONS}" "${arg_OPTIONS}")
    endif()
    if(WEIR_TEST_SLOWDOWN)
        target_compile_definitions(${arg_NAME} PRIVATE WEIR_TEST_SLOWDOWN=${WEIR_TEST_SLOWDOWN})
    endif()
    if(NOT arg_NO_MAIN)
        target_link_libraries(${arg_NAME} PRIVATE GTest::gtest_main)
    endif()

    set(serial FALSE)
    if("timing" IN_LIST arg_LABELS)
        set(serial TRUE)
    endif()
    if(WEIR_TEST_WHOLE_PROGRAMS)
        weir_add_command_test(NAME ${arg_NAME} COMMAND ${arg_NAME} --gtest_brief=1 LABELS ${arg_LABELS})
        set_tests_properties(${WEIR_TEST_PREFIX}${arg_NAME} PROPERTIES RUN_SERIAL ${serial} TIMEOUT 600 COST 10)
        return()
    endif()

    # Plain names, so that what ctest -R and --gtest_filter take is the same.
    gtest_discover_tests(${arg_NAME}
        TEST_PREFIX "${WEIR_TEST_PREFIX}${arg_NAME}."
        TEST_LIST ${arg_NAME}_tests
        NO_PRETTY_TYPES NO_PRETTY_VALUES
        DISCOVERY_TIMEOUT 60)

    # gtest_discover_tests cannot pass on a list as a property's value, so ctest reads the properties from a file.
    set(properties_file ${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}_properties.cmake)
    file(CONFIGURE OUTPUT ${properties_file} @ONLY CONTENT [[
if(@arg_NAME@_tests)
    set_tests_properties(${@arg_NAME@_tests} PROPERTIES
        LABELS "@WEIR_TEST_LABEL@;@arg_LABELS@"
        ENVIRONMENT "@WEIR_TEST_ENVIRONMENT@"
        RUN_SERIAL @serial@
        TIMEOUT 120)
endif()
]])
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${properties_file})
endfunction()

# A test that is a command of its own: the same prefix, labels, environment and time limit as the others have.
function(weir_add_command_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "COMMAND;LABELS")
    set(name ${WEIR_TEST_PREFIX}${arg_NAME})
    add_test(NAME ${name} COMMAND ${arg_COMMAND})
    set_tests_properties(${name} PROPERTIES
        LABELS "${WEIR_TEST_LABEL};${arg_LABELS}"
        ENVIRONMENT "${WEIR_TEST_ENVIRONMENT}"
        TIMEOUT 120)
endfunction()
