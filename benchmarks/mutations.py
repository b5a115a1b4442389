"""Small changes to Python source, each of which should make some test fail.

A mutation is a piece of the text and what stands there instead, so the rest of a file keeps its form and a diff shows
one place. Not changed are annotations, docstrings, messages, decorators, imports, what only type checkers read, and
code that looks at ``TYPE_CHECKING``: no test can notice.

Why not a tool: mutmut 3 wraps every function and finds tests by the dotted name of a file below the root, which fits
neither several ``src`` folders nor generators that are looked at; most of what cosmic-ray changes are the types of
operands, a quarter of it in annotations, and it removes no statement, no argument and no entry of a dict.
"""

import ast
import copy
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple


class Mutation(NamedTuple):
    """A change of a source text, given in bytes of its UTF-8."""

    start: int
    end: int
    text: str
    line: int

    def apply(self, source: str) -> str:
        """Return the changed source."""
        content = source.encode()
        return (content[: self.start] + self.text.encode() + content[self.end :]).decode()


COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
FUNCTIONS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}


def mutations(source: str) -> list[Mutation]:
    """Return all mutations of a module, in the order of its text; a few make no valid Python, see ``is_valid``."""
    found = _Finder(source)
    found.visit(ast.parse(source))
    return sorted(set(found.mutations))


def is_valid(source: str) -> bool:
    """Return whether a source text is valid Python. Slow, so not done for every mutation of a module."""
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def lines_run(source: str, mutation: Mutation) -> range:
    """Return the lines that are executed where a mutation matters; none where that is when the module is imported.

    They are those of the smallest statement around it: of one with a body what stands before the body, but for a
    default of a function the body, because the default is read whenever that runs.
    """
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= mutation.line <= (node.end_lineno or 0)
    ]
    smallest = around[-1]  # outer statements are walked before inner ones
    if isinstance(smallest, ast.FunctionDef | ast.AsyncFunctionDef):
        return range(smallest.body[0].lineno, (smallest.end_lineno or 0) + 1)
    if not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in around):
        return range(0)
    body: list[ast.stmt] = getattr(smallest, "body", [])
    return range(smallest.lineno, body[0].lineno if body else (smallest.end_lineno or 0) + 1)


class _Finder(ast.NodeVisitor):
    def __init__(self, source: str) -> None:
        self.mutations: list[Mutation] = []
        self._starts = [0]
        for line in source.encode().split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def _span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    def _put_span(self, start: int, end: int, text: str) -> None:
        self.mutations.append(Mutation(start, end, text, bisect_right(self._starts, start)))

    def _put(self, node: ast.expr | ast.stmt, text: str) -> None:
        self._put_span(*self._span(node), text)

    def _leave_out(self, spans: list[tuple[int, int]], first: int = 0) -> None:
        """Leave out each item of a comma-separated list, from a given one on."""
        for place in range(first, len(spans)):
            start, end = spans[place]
            if place + 1 < len(spans):
                end = spans[place + 1][0]
            elif place:
                start = spans[place - 1][1]
            self._put_span(start, end, "")

    def _put_expression(self, node: ast.expr, instead: ast.expr) -> None:
        self._put(node, f"({ast.unparse(instead)})")

    def _changed(self, node: ast.expr) -> Iterator[ast.expr]:
        """Return a copy to change and to put in place of the node."""
        instead = copy.deepcopy(node)
        yield instead
        self._put_expression(node, instead)

    # What no test can detect.

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave messages alone; before Python 3.12 their parts have no true position either."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Look at the value only."""
        if node.value is not None and "TypeAlias" not in ast.unparse(node.annotation):
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Leave annotations alone."""

    def visit_Import(self, node: ast.Import) -> None:
        """Leave imports alone."""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Look at the body only."""
        for statement in node.body:
            self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Look at the defaults and the body only."""
        if not any(ast.unparse(each).endswith("overload") for each in node.decorator_list):
            for part in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
                self.visit(part)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Look at the defaults and the body only."""
        for part in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(part)

    # Statements.

    def visit_Expr(self, node: ast.Expr) -> None:
        """Leave out a call."""
        if not isinstance(node.value, ast.Constant):
            self._put(node, "pass")
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Leave out a change of something that was there before."""
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._put(node, "pass")
        if not any(ast.unparse(target) in ("__all__", "__slots__") for target in node.targets):
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Leave it out, or take away instead of adding."""
        self._put(node, "pass")
        opposite = ARITHMETIC.get(type(node.op))
        if opposite is not None:
            self._put(node, ast.unparse(ast.AugAssign(node.target, opposite(), node.value)))
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Go on after an error; what it says is a message."""
        self._put(node, "pass")

    def visit_Return(self, node: ast.Return) -> None:
        """Return nothing."""
        if node.value is not None and ast.unparse(node.value) != "None":
            self._put(node, "return None")
            self.visit(node.value)

    def visit_Break(self, node: ast.Break) -> None:
        """Go on."""
        self._put(node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        """Stop."""
        self._put(node, "break")

    def visit_Delete(self, node: ast.Delete) -> None:
        """Keep it."""
        self._put(node, "pass")

    def visit_If(self, node: ast.If) -> None:
        """Negate the condition."""
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self._turn(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        """Negate the condition."""
        self._turn(node.test)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Let one of several kinds of errors pass."""
        if isinstance(node.type, ast.Tuple):
            for place in range(len(node.type.elts)):
                for instead in self._changed(node.type):
                    assert isinstance(instead, ast.Tuple)
                    del instead.elts[place]
        for statement in node.body:
            self.visit(statement)

    # Expressions.

    def _turn(self, condition: ast.expr) -> None:
        if not isinstance(condition, ast.Compare | ast.Constant) and not (
            isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not)
        ):
            self._put_expression(condition, ast.UnaryOp(ast.Not(), condition))

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Negate the condition."""
        self._turn(node.test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Move each bound by one, or use the opposite operator."""
        for place, operator in enumerate(node.ops):
            for instead in self._changed(node):
                assert isinstance(instead, ast.Compare)
                instead.ops[place] = COMPARISONS[type(operator)]()
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Take the other operator, and leave out each operand."""
        for instead in self._changed(node):
            assert isinstance(instead, ast.BoolOp)
            instead.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        for place in range(len(node.values)):
            rest = [value for number, value in enumerate(node.values) if number != place]
            self._put_expression(node, rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Leave the operator out."""
        self._put_expression(node, node.operand)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Take another operator, but not for text."""
        texts = [part for part in (node.left, node.right) if isinstance(part, ast.JoinedStr) or _is_text(part)]
        if not texts and type(node.op) in ARITHMETIC:
            for instead in self._changed(node):
                assert isinstance(instead, ast.BinOp)
                instead.op = ARITHMETIC[type(node.op)]()
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Take another constant; text only where it is a name and no message."""
        value = node.value
        if isinstance(value, bool):
            self._put(node, str(not value))
        elif isinstance(value, int | float):
            self._put(node, repr(value + 1))
        elif isinstance(value, str) and value and not any(character.isspace() for character in value):
            self._put(node, repr(f"{value}x"))

    def visit_Call(self, node: ast.Call) -> None:
        """Leave out a keyword, or call the opposite."""
        arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        self._leave_out([self._span(part) for part in arguments], len(node.args))
        if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            self._put(node.func, FUNCTIONS[node.func.id])
        if ast.unparse(node.func) not in ("cast", "TypeVar", "ParamSpec"):
            self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        """Leave out an entry."""
        spans = []
        for key, value in zip(node.keys, node.values, strict=True):
            start, end = self._span(value)
            spans.append((start - len("**") if key is None else self._span(key)[0], end))
        self._leave_out(spans)
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        """Look at what is awaited."""
        self.visit(node.value)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Leave out each condition."""
        for number, generator in enumerate(node.generators):
            for place in range(len(generator.ifs)):
                instead = copy.deepcopy(node)
                del instead.generators[number].ifs[place]
                # The parentheses of a generator that is an only argument are those of the call.
                self._put(node, ast.unparse(instead))
        self.generic_visit(node)

    # The names are those of the nodes of ast.
    visit_ListComp = visit_SetComp = _visit_comprehension  # noqa: N815
    visit_DictComp = visit_GeneratorExp = _visit_comprehension  # noqa: N815


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
