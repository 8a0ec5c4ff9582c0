"""The SCons side: the tool that adds crates to an Environment.

It turns nodes into values, calls the pipeline and writes the results. Layers, each importing only from those before it:

    caller       the frame of the SConscript that is calling
    SCons        the entrance: errors reported at a line of the SConstruct
    nodes        nodes of crates, their stages, and the files and paths behind nodes
    graph        what SCons's graph says: which files it makes, and from what
    options      construction variables and arguments: spelling, expansion, the files they name
    last_build   which crates have nothing to do since the last build, so that they need not be declared
    reporting    events to the terminal, to a file and to plugins
    crates       declared crates: dependencies, links, and what other builders take of them
    actions      the functions that SCons runs to build a node
    declaring    from a call in an SConstruct to the nodes of a crate
    at_exit      what SCons's end writes for the next build
    methods      what `env.Crate` and `env.CrateProfile` do
    collector    how often garbage is collected
    environment  the tool
    standalone, forked  SCons run for a workspace without an SConstruct, and in a fork
"""

from __future__ import annotations

from . import collector  # noqa: F401 - before all others
from .environment import generate as tool

__all__ = ["tool"]
