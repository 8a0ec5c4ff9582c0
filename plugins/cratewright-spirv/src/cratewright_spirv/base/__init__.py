"""What every part of this package may use: stages, names, what a unit implies, seconds and silence."""
