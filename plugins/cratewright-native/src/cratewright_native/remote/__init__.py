"""Running a toolchain's programs on other machines."""
