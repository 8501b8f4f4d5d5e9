# Builds GoogleTest from the distribution's sources, so that its flags (sanitizers, -m32, libc++) are those of the tests.

set(WEIR_GOOGLETEST_SOURCES /usr/src/googletest CACHE PATH "GoogleTest's sources")

if(NOT EXISTS ${WEIR_GOOGLETEST_SOURCES}/CMakeLists.txt)
    message(FATAL_ERROR
        "GoogleTest's sources are not at ${WEIR_GOOGLETEST_SOURCES}. "
        "Install them (Debian: apt-get install googletest), or name their folder with -DWEIR_GOOGLETEST_SOURCES=DIR.")
endif()

set(BUILD_GMOCK OFF)
set(INSTALL_GTEST OFF)
add_subdirectory(${WEIR_GOOGLETEST_SOURCES} ${CMAKE_CURRENT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
target_compile_options(gtest PRIVATE -O0 -g0)
