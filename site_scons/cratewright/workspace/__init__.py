"""A workspace: crates and profiles declared in TOML, as values."""
