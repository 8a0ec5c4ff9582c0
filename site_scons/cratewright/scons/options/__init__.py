"""Construction variables and arguments on their way to options: spelling, expansion, files named."""
