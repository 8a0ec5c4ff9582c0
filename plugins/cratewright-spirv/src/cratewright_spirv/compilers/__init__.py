"""glslang: in this process, in its newest release, or as an SDK's program."""
