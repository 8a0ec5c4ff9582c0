"""Conditions on named values, such as `FOG == 1 or LIGHTS < 8`, decided as soon as the known values allow.

A condition has Python's syntax and is parsed by `ast`: comparisons, `in`, `and`, `or`, `not`, names, numbers and
strings. Nothing else is accepted, and nothing is ever executed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.values import dataclass

Value = bool | int | float | str

Domains = Mapping[str, tuple[Value, ...]]
"""The values that each name may still have; a settled name has a single value."""

Decide = Callable[[Domains], bool | None]
"""Returns whether a condition holds for all values, for none (False), or for some (None)."""

_Operand = Callable[[Domains], tuple[Value, ...]]

_LONGEST = 10_000
_DEEPEST = 50
_SHOWN = 200
"""Characters of a condition that a message shows."""
_PAIRS = 256
"""The most pairs of values compared to find out whether all compare alike."""
_ORDERS: Mapping[type[ast.cmpop], Callable[[Value, Value], bool]] = {ast.Lt: lt, ast.LtE: le, ast.Gt: gt, ast.GtE: ge}
_TAKEN = "names, numbers, True, False, quoted words, == != < <= > >= in, and, or, not"
_EXAMPLE = 'write it as "FOG == 1 or LIGHTS < 8"'


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition and the names that it depends on."""

    text: str
    names: frozenset[str]
    decide: Decide


def kind_of(value: Value) -> str:
    """Return a value's kind: values are compared only within one."""
    return "truth value" if isinstance(value, bool) else "word" if isinstance(value, str) else "number"


def same(one: Value, other: Value) -> bool:
    """Return whether two values are equal and of one kind; to Python, True equals 1."""
    return one == other and kind_of(one) == kind_of(other)


def read_constraints(text: object, domains: Domains, *, where: str) -> list[Constraint]:
    """Parse a condition on names with known values, and split it at `and`.

    Raises: ConfigurationError for an invalid condition, or one that compares values that can never be equal;
    UnknownNameError.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        shown = repr(text) if not isinstance(text, str) or len(text) <= _LONGEST else f"{text[:20]}..."
        raise ConfigurationError(f"'when' takes conditions, not {shown}", context=(("where", where),), hint=_EXAMPLE)
    reader = _Reader(" ".join(text.splitlines()).strip(), domains, where)
    return reader.read()


def shown(text: str) -> str:
    """Return a condition for a message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class _Reader:
    def __init__(self, text: str, domains: Domains, where: str) -> None:
        self._text = text
        self._domains = domains
        self._context = (("condition", shown(text)), ("where", where))

    def read(self) -> list[Constraint]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(self._text, mode="eval").body
            return [self._constraint(part) for part in _conjuncts(tree)]
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error) or "it is too deep"
            raise ConfigurationError(
                "'when' is not a condition", context=(*self._context, ("reason", reason)), hint=_EXAMPLE
            ) from error

    def _constraint(self, node: ast.expr) -> Constraint:
        decide = self._condition(node, 0)
        names = frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
        if not names:
            raise self._refused(node, "what names an axis")
        return Constraint(self._text, names, decide)

    def _condition(self, node: ast.expr, depth: int) -> Decide:
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if isinstance(node, ast.BoolOp):
            parts = [self._condition(each, depth + 1) for each in node.values]
            return _joined(parts, decisive=isinstance(node.op, ast.Or))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _negated(self._condition(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            pairs = zip(sides, node.ops, sides[1:], strict=False)
            return _joined([self._compared(*each) for each in pairs], decisive=False)
        if isinstance(node, ast.Name):
            return _true(self._operand(node))
        raise self._refused(node)

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Decide:
        if isinstance(operator, (ast.In, ast.NotIn)):
            if not isinstance(right, (ast.List, ast.Tuple, ast.Set)):
                raise self._refused(right, "a list after 'in', such as [1, 4]")
            found = _joined([self._compared(left, ast.Eq(), each) for each in right.elts], decisive=True)
            return found if isinstance(operator, ast.In) else _negated(found)
        operands = self._operand(left), self._operand(right)
        kinds = [{kind_of(value) for value in operand(self._domains)} for operand in operands]
        order = _ORDERS.get(type(operator))
        if order is not None:
            if kinds[0] != kinds[1] or len(kinds[0]) > 1 or "truth value" in kinds[0]:
                raise self._mismatch(left, right, kinds, "cannot be put in order")
            return _pairs(order, *operands)
        if not isinstance(operator, (ast.Eq, ast.NotEq)):
            raise self._refused(left)
        if not kinds[0] & kinds[1]:
            raise self._mismatch(left, right, kinds, "are never equal")
        equal = _pairs(same, *operands)
        return equal if isinstance(operator, ast.Eq) else _negated(equal)

    def _operand(self, node: ast.expr) -> _Operand:
        if isinstance(node, ast.Name):
            name = node.id
            if name not in self._domains:
                hint = near_miss(name, self._domains)
                raise UnknownNameError(
                    f"'when' names '{name}', which is not an axis",
                    context=self._context,
                    hint=f"write {name.title()}" if name in ("true", "false") else hint,
                )
            return lambda domains: domains[name]
        sign = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, node = -1, node.operand
            if isinstance(node, ast.Constant) and type(node.value) not in (int, float):
                raise self._refused(node)
        if not isinstance(node, ast.Constant) or not isinstance(node.value, (bool, int, float, str)):
            raise self._refused(node)
        value = -node.value if sign < 0 and not isinstance(node.value, str) else node.value
        return lambda domains: (value,)

    def _refused(self, node: ast.expr, wanted: str = _TAKEN) -> ConfigurationError:
        part = ast.get_source_segment(self._text, node) or self._text
        return ConfigurationError(
            f"'when' cannot have {shown(part)!r} here", context=(*self._context, ("it takes", wanted)), hint=_EXAMPLE
        )

    def _mismatch(self, left: ast.expr, right: ast.expr, kinds: list[set[str]], what: str) -> ConfigurationError:
        sides = [ast.get_source_segment(self._text, each) or "" for each in (left, right)]
        rows = [
            (side, " or ".join(f"a {kind}" for kind in sorted(each))) for side, each in zip(sides, kinds, strict=True)
        ]
        return ConfigurationError(
            f"'when' compares {sides[0]} with {sides[1]}, which {what}",
            context=(*self._context, *rows),
            hint="quote text, but not numbers; use an axis of False and True alone, or compare it with them",
        )


def _conjuncts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [part for each in node.values for part in _conjuncts(each)]
    return [node]


def _joined(parts: list[Decide], *, decisive: bool) -> Decide:
    """Join conditions of which one that is `decisive` decides: `or` if that is true, `and` if it is false."""
    if len(parts) == 1:
        return parts[0]

    def decide(domains: Domains) -> bool | None:
        result: bool | None = not decisive
        for part in parts:
            found = part(domains)
            if found is decisive:
                return decisive
            result = None if found is None else result
        return result

    return decide


def _negated(part: Decide) -> Decide:
    def decide(domains: Domains) -> bool | None:
        found = part(domains)
        return None if found is None else not found

    return decide


def _true(operand: _Operand) -> Decide:
    def decide(domains: Domains) -> bool | None:
        return _one({bool(value) for value in operand(domains)})

    return decide


def _pairs(compare: Callable[[Value, Value], bool], left: _Operand, right: _Operand) -> Decide:
    def decide(domains: Domains) -> bool | None:
        ones, others = left(domains), right(domains)
        if len(ones) == len(others) == 1:
            return compare(ones[0], others[0])
        if len(ones) * len(others) > _PAIRS:
            return None
        return _one({compare(one, other) for one in ones for other in others})

    return decide


def _one(found: set[bool]) -> bool | None:
    return found.pop() if len(found) == 1 else None
