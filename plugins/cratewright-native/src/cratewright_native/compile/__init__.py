"""One source to one module, and a module to an object."""
