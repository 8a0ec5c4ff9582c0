"""What all of this package may use: stages, names, what a unit implies, timing, silence."""
