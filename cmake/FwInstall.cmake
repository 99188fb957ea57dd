# install(), find_package(fw) and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(FW_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/fw)
if(FW_BUILD_SHARED)
    set(fw_installed fw_shared)
    set_target_properties(fw_shared PROPERTIES EXPORT_NAME fw)
else()
    set(fw_installed fw_static)
    set_target_properties(fw_static PROPERTIES EXPORT_NAME fw)
endif()
install(TARGETS ${fw_installed} EXPORT fwTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/fw DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT fwTargets NAMESPACE fw:: DESTINATION ${FW_CMAKE_DIR})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fwConfig.cmake.in ${PROJECT_BINARY_DIR}/fwConfig.cmake
                              INSTALL_DESTINATION ${FW_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fwConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fwConfig.cmake ${PROJECT_BINARY_DIR}/fwConfigVersion.cmake DESTINATION ${FW_CMAKE_DIR})

# A static library hands its OpenMP runtime on to whoever links it.
set(FW_PKGCONFIG_PRIVATE_LIBS "")
if(OpenMP_CXX_FOUND)
    set(FW_PKGCONFIG_PRIVATE_LIBS "${OpenMP_CXX_FLAGS}")
endif()
# From the file's own place: an installed tree may be moved, and --prefix is not known here.
file(RELATIVE_PATH FW_PKGCONFIG_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" FW_PKGCONFIG_TO_PREFIX ${FW_PKGCONFIG_TO_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/fw.pc.in ${PROJECT_BINARY_DIR}/fw.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/fw.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
