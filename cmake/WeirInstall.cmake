# Installs the headers, the CMake package and the pkg-config file. All of it can be moved elsewhere afterwards.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(weir_cmake_dir ${CMAKE_INSTALL_DATADIR}/cmake/weir)
set(weir_pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(TARGETS weir EXPORT weir_targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT weir_targets NAMESPACE weir:: FILE weirTargets.cmake DESTINATION ${weir_cmake_dir})

configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/weirConfig.cmake.in ${PROJECT_BINARY_DIR}/weirConfig.cmake
    INSTALL_DESTINATION ${weir_cmake_dir}
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT)
install(
    FILES ${PROJECT_BINARY_DIR}/weirConfig.cmake ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
        ${CMAKE_CURRENT_LIST_DIR}/weirAsio.cmake
    DESTINATION ${weir_cmake_dir})

file(RELATIVE_PATH weir_prefix_from_pc
    ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH weir_include_from_prefix
    ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(${CMAKE_CURRENT_LIST_DIR}/weir.pc.in ${PROJECT_BINARY_DIR}/weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${weir_pkgconfig_dir})
