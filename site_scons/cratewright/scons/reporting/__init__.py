"""What a build reports while it runs: to the terminal, to a file, and to plugins."""
