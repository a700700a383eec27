"""The house: which module may import which, and what may stand in none.

Imports are read from the source, those inside functions too. Each rule is a function
from a tree of modules to what it finds wrong, so that planted mistakes can test it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import symbackprop

# A module may import those above it, never one below. A folder counts as one.
ORDER = (
    "errors",
    "shown",
    "plain",
    "equations",
    "schedule",
    "ranges",
    "scalars",
    "formula",
    "grammar",
    "program",
    "layers",
    "losses",
    "optimisers",
    "settings",
    "network",
    "tables",
    "files",
    "datasets",
    "witnesses",
    "calculus",
    "canonical",
    "exponentials",
    "rewrites",
    "elementary",
    "workbench",
    "logarithms",
    "stabilise",
    "flow",
    "proof",
    "passages",
    "costs",
    "judging",
    "derivation",
    "repeats",
    "argument",
    "notation",
    "document",
    "approximation",
    "source",
    "documents",
    "display",
    "claims",
    "interrupts",
    "kernels",
    "samples",
    "loops",
    "checkpoints",
    "descent",
    "training",
    "figures",
    "bench",
    "contrast",
    "testing",
    "cli",
)

# What a judge shares with nothing that it judges: it may import these alone.
WITNESS_IMPORTS = {"errors", "equations", "schedule", "scalars", "witnesses"}

# Names that would run text, or let SymPy read it.
FORBIDDEN = {"eval", "exec", "sympify", "parse_expr", "lambdify", "__import__"}

LINES, LAYER_LINES = 400, 60

PREFIX = "symbackprop."

Tree = dict[str, ast.Module]


def read_tree(root: Path) -> Tree:
    """Every module under `root` by its dotted name: `layers.dense`, `layers`, ``."""
    tree = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        tree[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return tree


def house(name: str) -> str:
    """The place in ORDER: `layers.dense` => `layers`."""
    return name.split(".")[0]


def imported(module: ast.Module, types: bool = True) -> Iterator[tuple[str, str]]:
    """All imports: `from a import b` => ("a", "a.b"), `import a` => ("a", "a").

    Without `types`, those under `if TYPE_CHECKING:` are left out.
    """
    unseen = {
        id(inner)
        for node in ast.walk(module)
        if isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(module):
        if not types and id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a thing lives"
            home = str(node.module)
            yield from ((home, f"{home}.{alias.name}") for alias in node.names)


def imports_within(tree: Tree, types: bool = True) -> dict[str, set[str]]:
    """For each module but the root, the modules of the package that it imports."""
    found: dict[str, set[str]] = {}
    for name, module in tree.items():
        if name in ("", "__main__"):
            continue
        found[name] = set()
        for home, full in imported(module, types):
            target = full if full.removeprefix(PREFIX) in tree else home
            if target.startswith(PREFIX):
                found[name].add(target.removeprefix(PREFIX))
    return found


def upward(tree: Tree) -> Iterator[str]:
    """Imports flow up the list, and every module stands in it."""
    for name, targets in imports_within(tree).items():
        if house(name) not in ORDER:
            yield f"{name} has no place in ORDER"
            continue
        for target in sorted(targets):
            here, there = house(name), house(target)
            if there in ORDER and ORDER.index(there) > ORDER.index(here):
                yield f"{name} imports {target}, which stands below it"


def cycles(tree: Tree) -> Iterator[str]:
    """No module runs itself through others; within a folder, types may name each other.

    Across folders `upward` forbids that too.
    """
    edges = imports_within(tree, types=False)
    for start in edges:
        seen: set[str] = set()
        agenda = [start]
        while agenda:
            for target in edges.get(agenda.pop(), ()):
                if target == start:
                    yield f"{start} imports itself through others"
                    agenda.clear()
                    break
                if target not in seen:
                    seen.add(target)
                    agenda.append(target)


def strangers(tree: Tree) -> Iterator[str]:
    """The printers do not know one another; the judges know only what is declared."""
    for name, targets in imports_within(tree).items():
        found = {house(target) for target in targets}
        if house(name) == "document" and "source" in found:
            yield f"{name} imports source"
        if house(name) == "source" and "document" in found:
            yield f"{name} imports document"
        if house(name) == "witnesses":
            for target in sorted(found - WITNESS_IMPORTS):
                yield f"{name} imports {target}: a witness shares nothing with it"


def only_kernels_imports_numba(tree: Tree) -> Iterator[str]:
    for name, module in tree.items():
        if house(name) != "kernels" and "numba" in {
            house(home) for home, _ in imported(module)
        }:
            yield f"{name} imports numba"


def runs_no_text(tree: Tree) -> Iterator[str]:
    """`eval("...")` and its kin stand nowhere, under no module's name."""
    for name, module in tree.items():
        for node in ast.walk(module):
            used = {
                ast.Name: lambda n: n.id,
                ast.Attribute: lambda n: n.attr,
                ast.alias: lambda n: n.name,
            }.get(type(node), lambda n: "")(node)
            if used in FORBIDDEN:
                yield f"{name} uses {used}"


def layer_classes(tree: Tree) -> set[str]:
    return {
        node.name
        for name, module in tree.items()
        if house(name) == "layers"
        for node in module.body
        if isinstance(node, ast.ClassDef) and node.name != "Layer"
    }


def namesakes(module: ast.Module) -> set[str]:
    """Classes that a module defines itself, or imports from elsewhere than layers."""
    defined = {n.name for n in ast.walk(module) if isinstance(n, ast.ClassDef)}
    return defined | {
        full.rsplit(".", 1)[1]
        for home, full in imported(module)
        if home != full and home != "symbackprop" and ".layers" not in home
    }


def asks_no_layer_for_its_class(tree: Tree) -> Iterator[str]:
    """No `isinstance(x, Dense)`, `type(x) is Dense`, `case Dense():` elsewhere."""
    layers = layer_classes(tree)
    for name, module in tree.items():
        if house(name) == "layers":
            continue
        other = namesakes(module)
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _name(node.func) in (
                "isinstance",
                "issubclass",
            ):
                asked = [n for a in node.args[1:] for n in ast.walk(a)]
            elif isinstance(node, ast.Compare):
                asked = list(ast.walk(node))
            elif isinstance(node, ast.MatchClass):
                asked = [node.cls]
            else:
                continue
            for layer in sorted({_name(n) for n in asked} & layers - other):
                yield f"{name} asks whether something is a {layer}"


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def code_lines(module: ast.Module) -> int:
    """Lines on which a statement stands; no comments, blanks or docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0])
        for node in ast.walk(module)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    }
    lines: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.stmt) and id(node) not in docstrings:
            end = node.end_lineno or node.lineno
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If | ast.For):
                end = node.body[0].lineno - 1
            lines.update(range(node.lineno, end + 1))
    return len(lines)


def layers_are_small_and_only_declare(tree: Tree) -> Iterator[str]:
    """At most 60 lines of code, and no derivative, LaTeX, NumPy or Numba."""
    for name, module in tree.items():
        defined = {n.name for n in module.body if isinstance(n, ast.ClassDef)}
        if not name.startswith("layers.") or "Layer" in defined:
            continue
        if code_lines(module) > LAYER_LINES:
            yield f"{name} has {code_lines(module)} lines of code"
        for target, _ in imported(module):
            if house(target) in ("numpy", "numba", "sympy", "scipy"):
                yield f"{name} imports {target}"


RULES = (
    upward,
    cycles,
    strangers,
    only_kernels_imports_numba,
    runs_no_text,
    asks_no_layer_for_its_class,
    layers_are_small_and_only_declare,
)

PACKAGE = Path(symbackprop.__file__).parent


@pytest.fixture(scope="module")
def package() -> Tree:
    return read_tree(PACKAGE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_is_kept(rule, package: Tree) -> None:
    assert list(rule(package)) == []


def test_every_place_is_taken(package: Tree) -> None:
    assert set(ORDER) == {house(name) for name in package} - {"", "__main__"}


def test_no_module_is_long() -> None:
    long = {
        str(path.relative_to(PACKAGE)): count
        for path in sorted(PACKAGE.rglob("*.py"))
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }
    assert long == {}


@pytest.mark.parametrize(
    ("rule", "planted", "found"),
    [
        (
            upward,
            {"errors": "import symbackprop.equations"},
            "errors imports equations",
        ),
        (
            upward,
            {"errors": "def f():\n    from symbackprop import kernels"},
            "errors imports kernels",
        ),
        (upward, {"helpers": ""}, "helpers has no place"),
        (
            cycles,
            {
                "source.a": "from symbackprop.source.b import x",
                "source.b": "from symbackprop.source import a",
            },
            "source.a imports itself",
        ),
        (
            upward,
            {"errors": "if TYPE_CHECKING:\n    from symbackprop import kernels"},
            "errors imports kernels",
        ),
        (strangers, {"source.a": "import symbackprop.document"}, "imports document"),
        (
            strangers,
            {"witnesses.a": "from symbackprop.program import Program"},
            "witnesses.a imports program",
        ),
        (only_kernels_imports_numba, {"source": "from numba import njit"}, "numba"),
        (runs_no_text, {"grammar": "import sympy\nsympy.sympify('x')"}, "sympify"),
        (runs_no_text, {"grammar": "eval('1')"}, "grammar uses eval"),
        (
            asks_no_layer_for_its_class,
            {"network": "isinstance(x, (int, Dense))"},
            "network asks whether something is a Dense",
        ),
        (asks_no_layer_for_its_class, {"network": "type(x) is Dense"}, "is a Dense"),
        (
            layers_are_small_and_only_declare,
            {"layers.big": "x = 1\n" * 61},
            "layers.big has 61 lines",
        ),
        (layers_are_small_and_only_declare, {"layers.np": "import numpy"}, "numpy"),
    ],
)
def test_planted_mistake_is_found(rule, planted: dict[str, str], found: str) -> None:
    sound = dict.fromkeys(("errors", "equations", "kernels", "document"), "")
    sound |= {"program": "", "layers.dense": "class Dense:\n    pass"}
    tree = {name: ast.parse(text) for name, text in (sound | planted).items()}
    assert [line for line in rule(tree) if found in line]
    clean = {name: ast.parse(text) for name, text in sound.items()}
    assert list(rule(clean)) == []


PUBLIC = {
    *("Program", "Network", "Dense", "Maxout", "Activation", "Equations"),
    *("Frobenius", "Layer", "load", "derive", "document", "compile", "train"),
    *("contrast", "verify", "Verdict"),
    *("SGD", "AdaGrad", "RMSProp", "Adam", "AdamW", "Optimiser", "Rule", "Clip"),
    *(
        "ConstantRate",
        "StepRate",
        "ExponentialRate",
        "CosineRate",
        "Derivation",
        "Document",
        "Kernels",
        "History",
        "Report",
    ),
    *("Axis", "Constant", "Tensor", "Term", "Equation", "System"),
    *("SymbackpropError", "DeclarationError", "GrammarError", "ShapeError"),
    *("CheckError", "InputError", "DivergenceError", "GradientError"),
}


def test_public_names() -> None:
    assert set(symbackprop.__all__) == PUBLIC
    for name in sorted(PUBLIC):
        assert getattr(symbackprop, name).__name__ == name


def test_types_are_told_where_names_are_loaded(package: Tree) -> None:
    told = {
        (alias.name, str(node.module).removeprefix(PREFIX))
        for node in ast.walk(package[""])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if str(node.module).startswith(PREFIX)
    }
    assert told == set(symbackprop._HOME.items())


def test_a_new_layer_needs_no_entry() -> None:
    from symbackprop.layers import Layer

    for layer in Layer.registry.values():
        if layer.__module__.startswith(PREFIX):
            assert getattr(symbackprop, layer.__name__) is layer


@pytest.mark.parametrize("name", ["Typo", "typo", "__wrapped__"])
def test_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(symbackprop, name)


def test_folder_does_not_hide_the_verb_of_its_name() -> None:
    import symbackprop.document

    assert symbackprop.document.__name__ == "document"
    assert callable(symbackprop.document)
