"""The crate graph of a build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..base.errors import GraphError, near_miss


class CrateGraph:
    """Crate names and the names each depends on.

    Shape: edges keep the order of declaration, which is the order of linking.
    """

    def __init__(self, dependencies: Mapping[str, Iterable[str]]) -> None:
        """Build a graph.

        Raises: GraphError for an unknown dependency, or for a cycle, with its path.
        """
        self._edges = {name: tuple(dict.fromkeys(deps)) for name, deps in dependencies.items()}
        for name, deps in self._edges.items():
            for dep in deps:
                if dep not in self._edges:
                    raise GraphError(
                        f"crate '{name}' depends on '{dep}', which is not a crate",
                        hint=near_miss(dep, (known for known in self._edges if known != name)),
                    )
        done: set[str] = set()
        for name in self._edges:
            self._visit(name, [], done)

    def dependencies(self, name: str) -> tuple[str, ...]:
        """Return a crate's direct dependencies in the order declared."""
        return self._edges[name]

    def link_order(self, root: str) -> tuple[str, ...]:
        """Return the crates that `root` reaches, without itself, each before its dependencies.

        Shape: reverse postorder, so that a one-pass linker finds every definition to the right of its use.
        """
        order: list[str] = []
        self._visit(root, order, set())
        order.reverse()
        return tuple(order[1:])

    def _visit(self, root: str, order: list[str], done: set[str]) -> None:
        """Add what `root` reaches to `order`, each after its dependencies, unless it is `done`.

        Raises: GraphError for a cycle.
        """
        # An explicit stack: a chain of ten thousand crates must not exhaust Python's own.
        if root in done:
            return
        path = [root]
        on_path = {root}
        iterators = [iter(self._edges[root])]
        while iterators:
            following = next(iterators[-1], None)
            if following is None:
                iterators.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)
                order.append(finished)
            elif following in on_path:
                cycle = [*path[path.index(following) :], following]
                raise GraphError(
                    "crates depend on one another in a cycle",
                    context=(("cycle", " -> ".join(cycle)),),
                    hint="move what they share into a crate that both depend on",
                )
            elif following not in done:
                path.append(following)
                on_path.add(following)
                iterators.append(iter(self._edges[following]))
