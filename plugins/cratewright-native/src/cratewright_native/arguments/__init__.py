"""What users say to compilers and linkers: options, variables, and words that are passed on."""
