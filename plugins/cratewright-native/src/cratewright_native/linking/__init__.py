"""Objects and libraries to programs and libraries."""
