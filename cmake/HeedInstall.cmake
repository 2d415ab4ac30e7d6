# `cmake --install` lays out a package that `find_package(heed)` finds.
