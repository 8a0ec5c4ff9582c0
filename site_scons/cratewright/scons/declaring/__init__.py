"""From a call in an SConstruct to the nodes of a crate."""
