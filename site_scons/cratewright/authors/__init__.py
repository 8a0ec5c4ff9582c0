"""What authors of backends test with, beside the two doors `testing` and `conformance`."""
