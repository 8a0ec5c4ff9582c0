"""The doors to the world: files, programs, memory, signals, events."""
