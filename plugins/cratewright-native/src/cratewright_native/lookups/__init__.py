"""What a program reads, and which paths it misses."""
