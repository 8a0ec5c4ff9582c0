"""Small shaders, one for each feature of GLSL and HLSL that affects several units.

LINKED are linked and compared with themselves as one unit; REFUSED contradict each other.
"""

from __future__ import annotations

from tests.spirv.units import (
    arrays,
    fragment,
    geometry,
    global_variables,
    hlsl,
    rays,
    refused_declarations,
    refused_hlsl,
    refused_interfaces,
    refused_stages,
    refused_types,
    resources,
    shared,
    sizes,
)
from tests.spirv.units.case import CompileRefused, Linked

LINKED: tuple[Linked, ...] = (
    *sizes.SIZES,
    *shared.SHARED,
    *global_variables.GLOBALS,
    *resources.RESOURCES,
    *hlsl.HLSL,
    *fragment.FRAGMENT,
    *geometry.GEOMETRY,
    *arrays.ARRAYS,
    *rays.RAYS,
)

REFUSED: tuple[CompileRefused, ...] = (
    *refused_declarations.DECLARATIONS,
    *refused_types.TYPES,
    *refused_interfaces.INTERFACES,
    *refused_stages.STAGES,
    *refused_hlsl.HLSL,
)
