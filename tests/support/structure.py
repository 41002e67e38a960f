"""The structure of the package, read from its source: modules, imports of all kinds, names.

`python tests/support/structure.py` prints the counts that `test_structure.py` holds to their bounds.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "alsatian"

# The floors of the house, from the ground up: imports run downward only. "" is the package's own face.
FLOORS = [
    ["errors", "_version"],
    ["_util", "kernels"],
    ["data", "visual"],
    ["metrics", "ingest"],
    ["recommender", "split", "datasets"],
    ["models", "posters", "inspection"],
    ["evaluation", "persistence"],
    ["tuning", "serving"],
    ["spark", "reporting"],
    [""],
    ["cli"],
    ["__main__"],
]
KINDS = ("top", "inside", "typing")  # at the top of a file; inside a function, or a literal import_module; for types
EMPTY_WORDS = {"a", "an", "the", "of", "return", "get", "it", "thi", "and", "for", "to", "i"}  # without a final s
NAMED_TUPLE = {"_replace", "_asdict", "_fields", "_make"}  # public, whatever their names say


@dataclass(frozen=True)
class Import:
    """One import of a module of this package by another, and where it stands: one of KINDS."""

    importer: str
    imported: str
    kind: str


@dataclass(frozen=True)
class Module:
    """A file of the package; its name has no "alsatian.": "models.als.base", "kernels" for its __init__."""

    name: str
    path: Path

    @property
    def place(self) -> str:
        """The part of the house in which it stands: the first part of its name."""
        return self.name.split(".")[0]

    @property
    def stem(self) -> str:
        return self.path.stem

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text())

    @property
    def is_package(self) -> bool:
        return self.stem == "__init__"


class Structure:
    """All modules of a package and what they take from one another."""

    def __init__(self, package: Path = PACKAGE) -> None:
        self.package = package
        paths = sorted(package.rglob("*.py"))
        self.modules = {module.name: module for module in (Module(self._name(path), path) for path in paths)}

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.package).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    # Imports

    @cached_property
    def imports(self) -> list[Import]:
        return [
            Import(module.name, target, kind)
            for module in self.modules.values()
            for statement, kind in _imports(module.tree, "top", literal=not module.is_package)
            for target in self._targets(statement)
            if target != module.name
        ]

    def _targets(self, statement: ast.stmt | ast.Call) -> set[str]:
        """Return the modules of this package that a statement imports."""
        if isinstance(statement, ast.Call):
            names = [str(statement.args[0].value)]  # type: ignore[attr-defined]
        elif isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        else:
            assert isinstance(statement, ast.ImportFrom)
            assert not statement.level, f"write imports in full: {ast.unparse(statement)}"
            inner = [f"{statement.module}.{alias.name}" for alias in statement.names]
            names = [
                name if name.removeprefix("alsatian.") in self.modules else str(statement.module) for name in inner
            ]
        ours = {name.partition(".")[2] for name in names if name.split(".")[0] == "alsatian"}
        return {name for name in ours if name in self.modules}

    def circles(self, kinds: tuple[str, ...]) -> list[list[str]]:
        """Return the groups of modules that import one another in a circle, counting imports of these kinds."""
        edges: dict[str, set[str]] = defaultdict(set)
        for edge in self.imports:
            if edge.kind in kinds:
                edges[edge.importer].add(edge.imported)
        return [sorted(group) for group in _components(self.modules, edges) if len(group) > 1]

    @cached_property
    def upward(self) -> list[str]:
        """The imports that do not run downward: of a place on the same floor or above."""
        height = {place: level for level, floor in enumerate(FLOORS) for place in floor}
        return sorted(
            {
                f"{edge.importer} imports {edge.imported}"
                for edge in self.imports
                if (here := self.modules[edge.importer].place) != (there := self.modules[edge.imported].place)
                and height[there] >= height[here]
            }
        )

    # Names

    @cached_property
    def private_uses(self) -> list[str]:
        """The uses of another object's private name that the same file does not define."""
        return [use for module in self.modules.values() for use in _private_uses(module)]

    @cached_property
    def twice(self) -> list[str]:
        """Top-level names that two or more modules define, but for the kernels and their twins."""
        homes: dict[str, set[str]] = defaultdict(set)
        for module in self.modules.values():
            for name in _defined(module.tree):
                homes[name].add(module.name.replace("kernels.native.", "kernels.reference."))
        return [f"{name}: {', '.join(sorted(modules))}" for name, modules in sorted(homes.items()) if len(modules) > 1]

    @cached_property
    def stems_used_twice(self) -> dict[str, list[str]]:
        """Stems of two or more modules, a kernel and its twin counted as one."""
        stems: dict[str, set[str]] = defaultdict(set)
        for module in self.modules.values():
            if not module.is_package and module.stem != "__main__":
                stems[module.stem].add(module.name.replace("kernels.native.", "kernels.reference."))
        return {stem: sorted(names) for stem, names in stems.items() if len(names) > 1}

    @cached_property
    def undocumented(self) -> list[str]:
        """Public classes, functions, methods and properties without a docstring.

        A method that overrides a documented one of this package has that docstring, as for `help` and `inspect.getdoc`.
        """
        classes = {
            node.name: node
            for module in self.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
        }
        return [
            f"{module.name}.{name}" for module in self.modules.values() for name in _undocumented(module.tree, classes)
        ]

    # The house

    @property
    def places(self) -> set[str]:
        return {module.place for module in self.modules.values() if module.name and module.name != "__main__"}

    @property
    def root_modules(self) -> list[str]:
        return sorted(path.name for path in self.package.glob("*.py"))

    @property
    def folder_sizes(self) -> Counter[str]:
        """The number of modules of each folder, an __init__ not counted."""
        files = (module.path for module in self.modules.values() if not module.is_package)
        return Counter(str(path.parent.relative_to(self.package)) for path in files)

    def summary(self) -> str:
        circles = [self.circles(KINDS[:count]) for count in (1, 2, 3)]
        size = max((count, name) for name, count in self.folder_sizes.items() if name != "cli/commands")
        lines = [
            f"files: {len(self.modules)}, places: {len(self.places)}, floors: {len(FLOORS)}",
            "modules in circles: "
            + ", ".join(
                f"{sum(map(len, groups))} ({kind})"
                for groups, kind in zip(circles, ("top", "with functions", "with types"), strict=True)
            ),
            f"upward imports: {len(self.upward)}",
            f"private uses across files: {len(self.private_uses)}",
            f"largest folder: {size[1]} with {size[0]} modules",
            f"root modules: {len(self.root_modules)}",
            f"stems used twice: {len(self.stems_used_twice)} ({', '.join(sorted(self.stems_used_twice))})",
            f"top-level names defined twice: {len(self.twice)}",
            f"public names without a docstring: {len(self.undocumented)}",
        ]
        return "\n".join(lines)


def _imports(node: ast.AST, kind: str, literal: bool) -> Iterator[tuple[ast.stmt | ast.Call, str]]:
    """Yield each import below a node with its kind; literal: whether import_module("...") counts."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom | ast.Import):
            yield child, kind
        if literal and isinstance(child, ast.Call) and _is_import_module(child):
            yield child, "inside"
        inner = kind
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            inner = "typing"
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = "inside" if kind == "top" else kind
        yield from _imports(child, inner, literal)


def _is_import_module(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "import_module" and bool(call.args) and isinstance(call.args[0], ast.Constant)


def _components(nodes: object, edges: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(edges.get(node, ())):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            place = stack.index(node)
            components.append(stack[place:])
            del stack[place:]

    for node in sorted(nodes):  # type: ignore[call-overload]
        if node not in index:
            visit(node)
    return components


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in NAMED_TUPLE


def _private_uses(module: Module) -> Iterator[str]:
    defined = _defined_names(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and _private(node.attr) and node.attr not in defined:
            source = ast.unparse(node.value)
            if source not in ("self", "cls", "super()") and not source.startswith(("type(self)", "os", "sys")):
                yield f"{module.name}:{node.lineno} {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("alsatian"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if _private(alias.name) and not inner.endswith(("_native", "_util", "_version")):
                    yield f"{module.name}:{node.lineno} from {node.module} import {alias.name}"


def _defined_names(tree: ast.Module) -> set[str]:
    """Return every name that a file defines: functions, classes, variables, attributes of self, fields."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def _defined(tree: ast.Module) -> set[str]:
    """Return the functions, classes and constants that a file defines at its top."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names - {"__all__"}


def _undocumented(tree: ast.AST, classes: dict[str, ast.ClassDef], prefix: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            inherited = isinstance(tree, ast.ClassDef) and _documents(tree, node.name, classes)
            if not inherited and _repeats_the_name(node) and not _is_overload(node):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _undocumented(node, classes, f"{prefix}{node.name}.")


def _repeats_the_name(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Tell whether a docstring says nothing that the name does not say; one that is missing says nothing."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", node.name.replace("_", " "))
    in_docstring = re.findall(r"[a-z]+", (ast.get_docstring(node) or "").lower())
    return {word.rstrip("s") for word in in_docstring} - EMPTY_WORDS <= {word.lower().rstrip("s") for word in words}


def _documents(child: ast.ClassDef, method: str, classes: dict[str, ast.ClassDef]) -> bool:
    """Return whether a base of a class, also an indirect one, documents a method of this name."""
    names = (ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in child.bases)
    return any(
        any(getattr(node, "name", "") == method and ast.get_docstring(node) for node in base.body)  # type: ignore[arg-type]
        or _documents(base, method, classes)
        for name in names
        if (base := classes.get(name)) is not None and base is not child
    )


def _is_overload(node: ast.AST) -> bool:
    return any("overload" in ast.unparse(decorator) for decorator in getattr(node, "decorator_list", []))


if __name__ == "__main__":
    print(Structure().summary())
