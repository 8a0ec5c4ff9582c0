"""Tools for tests of backends, public through `testing` and `conformance`."""
