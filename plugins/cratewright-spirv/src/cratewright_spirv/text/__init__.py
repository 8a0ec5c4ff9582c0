"""What sources and compilers say, as text: preprocessing, includes, functions, names, messages."""
