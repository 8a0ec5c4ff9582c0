"""Numbers of decorations, and of the built-in variable WorkgroupSize."""

from __future__ import annotations

RELAXED_PRECISION = 0
SPEC_ID = 1
BUFFER_BLOCK = 3
ROW_MAJOR = 4
ARRAY_STRIDE = 6
MATRIX_STRIDE = 7
BUILT_IN = 11
FLAT = 14
PATCH = 15
RESTRICT = 19
VOLATILE = 21
LOCATION = 30
COMPONENT = 31
INDEX = 32
BINDING = 33
DESCRIPTOR_SET = 34
OFFSET = 35

WORKGROUP_SIZE = 25
"""Of `BUILT_IN`."""
