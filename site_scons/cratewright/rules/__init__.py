"""Pure rules of linking: the crate graph, how each crate is linked, what goes into a link."""
