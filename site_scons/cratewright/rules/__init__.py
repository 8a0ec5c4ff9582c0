"""Pure rules of linking: the graph, what each crate is linked as, what goes into a link."""
