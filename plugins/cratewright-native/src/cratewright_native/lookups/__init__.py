"""What a compile or a link reads, and which paths it misses."""
