"""Pickles, walked and never loaded: a small machine that follows the opcodes and lets through tensors, nothing else.

The list of what a pickle may name is that of `torch.load(weights_only=True)` (torch/_weights_only_unpickler.py),
without its rarely used parts; a pickle that names anything else is a program.
"""

import io
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from data.errors import InputError
from data.text import plain
from data.units import BYTES_PER_MIB

PICKLE_BYTES = 64 * BYTES_PER_MIB
OPCODES = 20_000_000
DEPTH = 200

REBUILD = (
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor",
    "_rebuild_meta_tensor_no_storage", "_rebuild_nested_tensor",
)  # fmt: skip
ITEM_BYTES = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
    "Bool": 1, "ComplexDouble": 16, "ComplexFloat": 8, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "QUInt4x2": 1,
    "QUInt2x4": 1, "Untyped": 1,
}  # fmt: skip
_DTYPE = re.compile(
    r"(float|double|half|bfloat|int|uint|long|short|char|byte|bool|complex|cfloat|cdouble|q[u]?int|float8_e\w+"
    r"|float4_e\w+|per_(tensor|channel)_\w+|strided|sparse_\w+|contiguous_format)\w*"
)
PLAIN = {
    ("collections", "OrderedDict"), ("torch", "Size"), ("torch", "device"), ("torch", "Tensor"),
    ("torch.nn.parameter", "Parameter"), ("torch.serialization", "_get_layout"), ("_codecs", "encode"),
    ("torch._tensor", "_rebuild_from_type_v2"), ("builtins", "set"), ("__builtin__", "set"),
    ("builtins", "complex"), ("__builtin__", "complex"), ("builtins", "bytearray"), ("__builtin__", "bytearray"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A global the pickle asks for by name."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes of one or more tensors: the key of their entry, how many items of which kind."""

    key: str
    kind: str
    count: int

    @property
    def size_bytes(self) -> int:
        return self.count * ITEM_BYTES.get(self.kind, 1)


@dataclass(slots=True)
class _Box:
    """A container or a rebuilt object: only how deep it goes is kept; of a tuple also its items."""

    depth: int = 0
    items: tuple[Any, ...] = ()

    def put(self, *items: object) -> None:
        deepest = max((item.depth for item in items if isinstance(item, _Box)), default=0)
        self.depth = max(self.depth, deepest + 1)
        if self.depth > DEPTH:
            _refuse("This pickle is nested too deep to hold weights.")


@dataclass(slots=True)
class Walked:
    """What a pickle came to: the storages it reads, and where it ended."""

    storages: dict[str, Storage] = field(default_factory=dict)
    tensor_count: int = 0
    end: int = 0


def of_weights(module: str, name: str) -> bool:
    """Whether a state dict may name this: tensors, their storages and types, and ordered dictionaries."""
    if (module, name) in PLAIN or (module == "torch._utils" and name in REBUILD):
        return True
    if module in ("torch", "torch.storage") and name.removesuffix("Storage") in (*ITEM_BYTES, "Typed"):
        return name.endswith("Storage")
    return module == "torch" and _DTYPE.fullmatch(name) is not None


def walk(data: bytes, allowed: Callable[[str, str], bool] = of_weights, start: int = 0) -> Walked:
    """Follows one pickle from `start` to its STOP. Raises InputError where it names, or does, what weights need not."""
    machine = _Machine(allowed)
    stream = io.BytesIO(data)
    stream.seek(start)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count > OPCODES:
                _refuse("This pickle is too long to hold weights.")
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, UnicodeError) as error:
        raise InputError(
            "This pickle is damaged or incomplete: it cannot be read as weights.",
            hint="Save the weights again with torch.save(model.state_dict(), path).",
            details=f"{error}",
        ) from None
    machine.walked.end = stream.tell()
    return machine.walked


class _Machine:
    """The unpickler's stack, with every object replaced by what little must be known of it."""

    def __init__(self, allowed: Callable[[str, str], bool]) -> None:
        self.walked = Walked()
        self._allowed = allowed
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:
        handler = _HANDLERS.get(opcode)
        if handler is not None:
            handler(self, argument)
        elif opcode in _CONSTANTS:
            self._stack.append(argument)
        else:
            _refuse(f"This pickle uses {opcode}, which weights do not need: not allowed.")

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._named(module, name)

    def _stack_global(self, _: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            _refuse("This pickle hides what it calls: it is code, not weights.")
        self._named(module, name)

    def _named(self, module: str, name: str) -> None:
        if not self._allowed(module, name):
            shown = plain(f"{module}.{name}", 60)
            if module.startswith("torch.nn.") or module == "__main__":
                raise InputError(
                    f'This pickle holds a whole module ("{shown}"), which is code; only weights are read.',
                    hint="Save model.state_dict() instead of the model, or export it to ONNX.",
                )
            if name[:1].isupper():
                raise InputError(
                    f'This pickle holds an object beside weights ("{shown}"), which may be code: not allowed.',
                    hint="Save the weights alone: torch.save(model.state_dict(), path), or export the model to ONNX.",
                )
            _refuse(f'This pickle calls "{shown}": it holds code, not only weights, and is unsafe.')
        self._stack.append(Name(module, name))

    def _put(self, argument: int) -> None:
        self._memo[argument] = self._stack[-1]

    def _memoize(self, _: None) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _get(self, argument: int) -> None:
        self._stack.append(self._memo[argument])

    def _mark(self, _: None) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _to_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _tuple(self, _: None) -> None:
        self._push_tuple(self._to_mark())

    def _take(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError("the stack is empty")
        items = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return items

    def _push_tuple(self, items: list[Any]) -> None:
        box = _Box(items=tuple(items))
        box.put(*items)
        self._stack.append(box)

    def _box(self, _: None) -> None:
        self._stack.append(_Box())

    def _boxed(self, _: None) -> None:
        items = self._to_mark()
        self._stack.append(_Box())
        self._stack[-1].put(*items)

    def _add(self, count: int) -> None:
        self._into(self._take(count))

    def _add_all(self, _: None) -> None:
        self._into(self._to_mark())

    def _into(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], _Box):
            _refuse("This pickle is damaged: it adds items to something that holds none.")
        self._stack[-1].put(*items)

    def _call(self, _: None) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, Name):
            _refuse("This pickle calls something it does not name: it is code, not weights.")
        self.walked.tensor_count += called.name.startswith("_rebuild_")
        box = _Box()
        box.put(arguments)
        self._stack.append(box)

    def _build(self, _: None) -> None:
        state = self._stack.pop()
        if not isinstance(self._stack[-1], _Box):
            _refuse("This pickle sets the state of something it has not made: not allowed.")
        self._stack[-1].put(state)

    def _persistent(self, _: None) -> None:
        described = self._stack.pop()
        items = described.items if isinstance(described, _Box) else ()
        if len(items) < 5 or items[0] != "storage":
            _refuse("This pickle refers to something that is not a tensor's storage: not allowed.")
        _, kind, key, _, count = items[:5]
        if not isinstance(kind, Name) or not isinstance(key, str) or not isinstance(count, int) or count < 0:
            _refuse("This pickle describes a storage of weights in an invalid way.")
        storage = Storage(key, kind.name.removesuffix("Storage"), count)
        self.walked.storages[key] = max(
            storage, self.walked.storages.get(key, storage), key=lambda known: known.size_bytes
        )
        self._stack.append(_Box())

    def _stop(self, _: None) -> None:
        self._stack.pop()

    def _none(self, _: None) -> None:
        self._stack.append(None)

    def _true(self, _: None) -> None:
        self._stack.append(True)

    def _false(self, _: None) -> None:
        self._stack.append(False)

    def _nothing(self, _: object) -> None:
        return


_HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine._nothing, "FRAME": _Machine._nothing, "STOP": _Machine._stop,
    "GLOBAL": _Machine._global, "STACK_GLOBAL": _Machine._stack_global,
    "BINPUT": _Machine._put, "LONG_BINPUT": _Machine._put, "PUT": _Machine._put, "MEMOIZE": _Machine._memoize,
    "BINGET": _Machine._get, "LONG_BINGET": _Machine._get, "GET": _Machine._get,
    "MARK": _Machine._mark, "TUPLE": _Machine._tuple,
    "TUPLE1": lambda machine, _: machine._push_tuple(machine._take(1)),
    "TUPLE2": lambda machine, _: machine._push_tuple(machine._take(2)),
    "TUPLE3": lambda machine, _: machine._push_tuple(machine._take(3)),
    "EMPTY_TUPLE": lambda machine, _: machine._push_tuple([]),
    "EMPTY_LIST": _Machine._box, "EMPTY_DICT": _Machine._box, "EMPTY_SET": _Machine._box,
    "LIST": _Machine._boxed, "DICT": _Machine._boxed,
    "APPEND": lambda machine, _: machine._add(1), "SETITEM": lambda machine, _: machine._add(2),
    "APPENDS": _Machine._add_all, "SETITEMS": _Machine._add_all, "ADDITEMS": _Machine._add_all,
    "REDUCE": _Machine._call, "NEWOBJ": _Machine._call, "BUILD": _Machine._build, "BINPERSID": _Machine._persistent,
    "NONE": _Machine._none, "NEWTRUE": _Machine._true, "NEWFALSE": _Machine._false,
}  # fmt: skip
_CONSTANTS = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip


def _refuse(message: str) -> NoReturn:
    raise InputError(message, hint="Save the weights alone: torch.save(model.state_dict(), path), or export to ONNX.")
