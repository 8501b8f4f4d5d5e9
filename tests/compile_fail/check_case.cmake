# cmake -DCOMPILER=... -DFLAGS=... -DHEADER=header.hpp -DCORRECTED=1 -DCASE=file.cpp -P check_case.cmake

set(ENV{LC_ALL} C)
separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")

file(STRINGS ${CASE} expected REGEX "^// expect: ")
file(STRINGS ${CASE} more_flags REGEX "^// flags: ")
string(REGEX REPLACE "^// expect: " "" expected "${expected}")
string(REGEX REPLACE "^// flags: " "" more_flags "${more_flags}")
separate_arguments(more_flags UNIX_COMMAND "${more_flags}")
if(more_flags STREQUAL "") # otherwise what was made of the header may not fit them
    list(APPEND FLAGS -Winvalid-pch -include ${HEADER})
endif()
if(expected STREQUAL "")
    message(FATAL_ERROR "${CASE} has no line \"// expect: REGEX\"")
endif()

if(CORRECTED)
    execute_process(
        COMMAND ${COMPILER} ${FLAGS} -fsyntax-only -DWEIR_EXPECT_OK ${CASE}
        RESULT_VARIABLE status ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "the corrected form must compile")
    endif()
endif()

execute_process(
    COMMAND ${COMPILER} ${FLAGS} ${more_flags} -fsyntax-only ${CASE}
    RESULT_VARIABLE status ERROR_VARIABLE output)
if(status EQUAL 0)
    message(FATAL_ERROR "the case must not compile")
endif()
string(REGEX MATCH "error: [^\n]*" first_error "${output}")
if(NOT first_error MATCHES "${expected}")
    message(NOTICE "${output}")
    message(FATAL_ERROR "the first error must match: ${expected}")
endif()
message(STATUS "${first_error}")
