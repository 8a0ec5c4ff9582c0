"""Pure rules of linking: the graph, how each crate is linked, what goes into a link."""
