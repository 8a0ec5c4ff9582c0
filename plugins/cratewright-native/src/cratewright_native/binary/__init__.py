"""Object files, archives of symbols and bitcode, read and altered without any tool."""
