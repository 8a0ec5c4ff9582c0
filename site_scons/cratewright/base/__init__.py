"""What everyone may use: errors, frozen values, their bytes and digests, text, what systems lack."""
