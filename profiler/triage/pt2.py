"""Exported programs (.pt2), read as text: every string that loading would evaluate, execute or look up is judged.

`torch.export.load` hands shape expressions to sympy, which evaluates them; it executes guards and writes the names of
the graph into Python source that it executes too. None of these needs a pickle, so no scanner of pickles sees them.
"""

import ast
import io
import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from data.errors import InputError
from data.text import plain
from data.units import BYTES_PER_MIB
from profiler.triage.pickle import PICKLE_BYTES, of_weights
from profiler.triage.torch import check_case, walk_all
from profiler.triage.zip import Archive

JSON_BYTES = 64 * BYTES_PER_MIB
EXPRESSION_LENGTH, EXPRESSION_BRACKETS, EXPONENT = 4_000, 60, 16
# Item sizes by torch/_export/serde/schema.py's ScalarType.
ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2, 28: 2}
OPERATOR = re.compile(
    r"torch\.ops\.(aten|prims|prim|quantized_decomposed)\.\w+(\.\w+)?"
    r"|torch\.ops\.higher_order\.(cond|while_loop|scan|map_impl|associative_scan|flex_attention"
    r"|wrap_with_set_grad_enabled|wrap_with_autocast|auto_functionalized|auto_functionalized_v2)"
    r"|_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|pos|eq|ne|lt|le|gt|ge|and_|or_|not_|lshift|rshift|getitem)"
    r"|math\.(trunc|floor|ceil|sqrt)|torch\._?sym_\w+"
)
FILE_OPERATOR = re.compile(r"torch\.ops\.aten\.(save|from_file)\b")
NAME, DOTTED = re.compile(r"\w*"), re.compile(r"[\w.+\-/]*")
FREE_TEXT = ("metadata", "as_string", "as_strings", "doc_string")
FUNCTIONS = {
    "Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Abs", "Mod", "PythonMod", "FloorDiv",
    "CleanDiv", "CeilDiv", "IntTrueDiv", "FloatTrueDiv", "ModularIndexing", "Where", "Piecewise", "ExprCondPair",
    "PowByNatural", "FloatPow", "CeilToInt", "FloorToInt", "TruncToInt", "TruncToFloat", "RoundToInt", "RoundDecimal",
    "ToFloat", "Identity", "LShift", "RShift", "IsNonOverlappingAndDenseIndicator", "floor", "ceiling", "sqrt",
    "Equality", "Unequality", "StrictLessThan", "LessThan", "StrictGreaterThan", "GreaterThan", "Eq", "Ne", "Lt", "Le",
    "Gt", "Ge", "And", "Or", "Not", "max", "min", "abs", "int", "float", "trunc", "ceil", "math",
}  # fmt: skip
POWERS = {"Pow", "PowByNatural", "FloatPow", "LShift"}
VALUES = {"True", "False", "true", "false", "oo", "inf", "L", "args"}
METHODS = {"size", "stride", "storage_offset", "dim", "ndim", "shape", "sqrt", "floor", "ceil", "trunc", "inf"}
SYNTAX = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.UnaryOp, ast.USub, ast.UAdd, ast.Not,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Compare, ast.Eq, ast.NotEq, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.BoolOp, ast.And, ast.Or, ast.Attribute, ast.Subscript, ast.Tuple,
)  # fmt: skip


def triage_pt2(archive: Archive, root: str) -> None:
    """Raises InputError, one line naming the cause, unless the program is data from end to end."""
    if any(name.startswith(f"{root}data/aotinductor/") or name.endswith(".so") for name in archive.entries):
        _refuse("This .pt2 holds compiled code (AOTInductor): not allowed.")
    models = [name for name in archive.entries if name.startswith(f"{root}models/")]
    if not models:
        _refuse("This .pt2 holds no exported program: it is incomplete, or of an old torch.")
    for name in models:
        check_program(_json(archive, name))
    for kind in ("weights", "constants"):
        _check_payload(archive, f"{root}data/{kind}/")
    for name in archive.entries:
        if name.startswith(f"{root}data/sample_inputs/"):
            _check_samples(archive, name)


def check_program(program: Any) -> None:
    """Raises InputError where a string of the program would be run as code, or names an operator not on the list."""
    for key, value in _strings(program, ""):
        if key == "expr_str":
            check_expression(value, "shape expression")
        elif key == "guards_code":
            check_expression(value, "guard expression")
        elif key in ("target", "as_operator"):
            _check_operator(value)
        elif key in ("in_spec", "out_spec", "treespec"):
            _check_spec(value)
        elif not (NAME if key in ("name", "as_name", "forward_arg_names") else DOTTED).fullmatch(value):
            _refuse(f'A name in this .pt2, "{plain(value, 40)}", would be run as code: unsafe, not allowed.')


def check_expression(text: str, what: str) -> None:
    """Raises InputError unless the text is plain arithmetic on sizes: known functions, numbers and symbols."""
    if len(text) > EXPRESSION_LENGTH or _brackets(text) > EXPRESSION_BRACKETS:
        _refuse(f"A {what} in this .pt2 is too long or nested too deep to be true.")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        _refuse(f"A {what} in this .pt2 cannot be read: the file is damaged, or unsafe.")
    for node in ast.walk(tree):
        if not isinstance(node, SYNTAX) or not _harmless(node):
            _refuse(f"A {what} in this .pt2 is code, not arithmetic: unsafe, not allowed.")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in POWERS:
            _check_power(node, what)


def _harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in FUNCTIONS or node.id in VALUES or re.fullmatch(r"[a-z]{1,3}\d+", node.id) is not None
    if isinstance(node, ast.Attribute):
        return node.attr in METHODS
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name | ast.Attribute)
    if isinstance(node, ast.Constant):
        number = isinstance(node.value, bool | int | float) and not (
            isinstance(node.value, int) and abs(node.value) >= 1 << 64
        )
        return number or (isinstance(node.value, str) and re.fullmatch(r"[\w.\-]*", node.value) is not None)
    return True


def _check_power(node: ast.Call, what: str) -> None:
    """An exponent is one small number, and there is no power inside a power: 9**9**9 would never end."""
    inside = [each for each in ast.walk(node) if each is not node and isinstance(each, ast.Call)]
    nested = any(isinstance(each.func, ast.Name) and each.func.id in POWERS for each in inside)
    exponent = node.args[1] if len(node.args) == 2 else None
    while isinstance(exponent, ast.Call) and len(exponent.args) == 1:
        exponent = exponent.args[0]
    if isinstance(exponent, ast.UnaryOp):
        exponent = exponent.operand
    value = exponent.value if isinstance(exponent, ast.Constant) else None
    if nested or isinstance(value, str) or not isinstance(value, int | float) or abs(value) > EXPONENT:
        _refuse(f"A {what} in this .pt2 raises to a power too large to be computed: not allowed.")


def _check_operator(name: str) -> None:
    if FILE_OPERATOR.match(name) or not OPERATOR.fullmatch(name):
        _refuse(f'The operator "{plain(name, 60)}" is not allowed: it is none of those an exported program needs.')


def _check_spec(text: str) -> None:
    """How inputs are nested, as JSON inside JSON: every name in it reaches generated code."""
    try:
        parsed = json.loads(text) if text else None
    except (ValueError, RecursionError):
        _refuse("The description of inputs in this .pt2 cannot be read: the file is damaged.")
    for key, value in _strings(parsed, ""):
        if key == "context" and value.startswith(("[", "{", '"')):
            _check_spec(value)
        elif not re.fullmatch(r"[\w.\-/: ]*", value):
            _refuse(f'A name in this .pt2, "{plain(value, 40)}", would be run as code: unsafe, not allowed.')


def _check_payload(archive: Archive, folder: str) -> None:
    """Weights or constants: plain bytes of the stated size, never pickles or objects."""
    configs = [name for name in archive.entries if name.startswith(folder) and name.endswith("_config.json")]
    listed = {f"{folder}{name}" for config in configs for name in _check_config(archive, config, folder)}
    for name in archive.entries:
        if name.startswith(folder) and name not in listed and name not in configs:
            _refuse(f'This .pt2 holds an unlisted file, "{plain(name, 60)}", which may be a pickle: not allowed.')


def _check_config(archive: Archive, config: str, folder: str) -> Iterator[str]:
    entries = _json(archive, config).get("config")
    if not isinstance(entries, dict):
        _refuse("The list of weights in this .pt2 is damaged.")
    for shown, entry in entries.items():
        meta = entry.get("tensor_meta") if isinstance(entry, dict) else None
        if not isinstance(meta, dict) or entry.get("use_pickle") is not False:
            _refuse(f'"{plain(shown, 60)}" in this .pt2 is stored as a pickle, which can hold code: unsafe.')
        path = entry.get("path_name")
        if not isinstance(path, str) or not re.fullmatch(r"(weight|tensor)_\w+", path):
            _refuse(f'"{plain(shown, 60)}" in this .pt2 is an object, not a tensor: not allowed.')
        there = archive.entries.get(folder + path)
        if there is None:
            _refuse(f'The data of "{plain(shown, 60)}" is missing from this .pt2.')
        _check_extent(meta, there.size_bytes, plain(shown, 60))
        yield path


def _check_extent(meta: dict[str, Any], there_bytes: int, shown: str) -> None:
    """The last element a strided tensor reaches must lie inside its bytes."""
    try:
        sizes = [size["as_int"] for size in meta["sizes"]]
        strides = [stride["as_int"] for stride in meta["strides"]]
        offset = meta["storage_offset"]["as_int"]
        item_bytes = ITEM_BYTES.get(meta["dtype"], 1)
    except (KeyError, TypeError):
        _refuse(f'The shape of "{shown}" in this .pt2 is not a list of numbers: damaged.')
    numbers = [*sizes, *strides, offset]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or len(sizes) != len(strides):
        _refuse(f'The shape of "{shown}" in this .pt2 is invalid.')
    if math.prod(sizes) == 0:
        return
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if (last + 1) * item_bytes > there_bytes or math.prod(sizes) * item_bytes > max(there_bytes, 1 << 40):
        _refuse(f'The shape of "{shown}" needs more data than this .pt2 holds: its size is invalid.')


def _check_samples(archive: Archive, name: str) -> None:
    """Sample inputs: a torch archive inside the archive; torch loads it with pickles switched on."""
    data = archive.read(name, PICKLE_BYTES)
    if not data:
        return
    if not data.startswith(b"PK"):
        _refuse("The sample inputs of this .pt2 are a pickle of an old kind: unsafe, not allowed.")
    inner = Archive(io.BytesIO(data), len(data))
    check_case(inner.entries)
    if len({entry.split("/")[0] for entry in inner.entries}) > 1:
        _refuse("The sample inputs of this .pt2 have more than one top folder: not allowed.")
    if not walk_all(inner, of_weights):
        _refuse("The sample inputs of this .pt2 are damaged.")


def _json(archive: Archive, name: str) -> Any:
    try:
        found = json.loads(archive.read(name, JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(
            "A description inside this .pt2 is damaged: it cannot be read.",
            hint="Export the model again with torch.export.save.",
            details=f"{error}",
        ) from None
    if not isinstance(found, dict):
        _refuse("A description inside this .pt2 is damaged: it is not an object.")
    return found


def _strings(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every string of a JSON value with the key it stands under; keys are strings too. Free text is passed over."""
    waiting = [(key, value)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, list):
            waiting.extend((key, item) for item in value)
        elif isinstance(value, dict):
            for inner, item in value.items():
                yield "key", inner
                if inner not in FREE_TEXT:
                    waiting.append((inner, item))


def _brackets(text: str) -> int:
    depth = deepest = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _refuse(message: str) -> NoReturn:
    raise InputError(message, hint="Export the model again with torch.export.save, or export it to ONNX.")
