"""What a module is and offers, told to its host and to people."""
