"""SPIRV-Tools: in this process, or as programs."""
