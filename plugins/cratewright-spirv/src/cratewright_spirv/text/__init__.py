"""Sources and compiler messages as text: preprocessing, includes, functions, names."""
