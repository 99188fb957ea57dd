# install(), find_package(fw) and pkg-config.
include(GNUInstallDirs)
