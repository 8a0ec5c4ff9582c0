"""SPIR-V modules made others: each module of this package does one thing to a module, or to several."""
