"""A workspace: crates and profiles declared in TOML, as values."""

from __future__ import annotations

from .declaration import Workspace, WorkspaceCrate, read_workspace
from .dependency import WorkspaceDependency
from .features import Features, Selection, select_features
from .glob import Listing, expand_glob, is_glob
from .picture import PICTURE_FORMATS, draw, draw_built
from .schema import json_schema
from .settings import Vocabulary, WorkspaceSettings, WorkspaceSource

__all__ = [
    "PICTURE_FORMATS",
    "Features",
    "Listing",
    "Selection",
    "Vocabulary",
    "Workspace",
    "WorkspaceCrate",
    "WorkspaceDependency",
    "WorkspaceSettings",
    "WorkspaceSource",
    "draw",
    "draw_built",
    "expand_glob",
    "is_glob",
    "json_schema",
    "read_workspace",
    "select_features",
]
