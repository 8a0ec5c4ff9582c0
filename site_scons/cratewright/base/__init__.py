"""What all packages may use: errors, frozen values, their bytes and digests, text, differences between systems."""
