# Runs PROGRAM, which has to succeed, and print what the file OUTPUT holds, where there is such a file.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE printed)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ended with status ${status}")
endif()
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} promised)
    if(NOT "${printed}" STREQUAL "${promised}")
        message(FATAL_ERROR "The page promises\n${promised}but the program printed\n${printed}")
    endif()
endif()
