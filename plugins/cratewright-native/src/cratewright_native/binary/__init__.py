"""Object files, symbol archives and bitcode, read and modified without external tools."""
