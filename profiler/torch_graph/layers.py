"""Layers of a torch module: it is run on fake tensors, which have shapes but no numbers, and every call is heard.

A script that reads numbers out of its tensors cannot run on fake ones; it is run once on real ones.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data.text import plain
from profiler.flops import Cost
from profiler.graph import Summary
from profiler.liveness import Event, peak_bytes
from profiler.torch_graph.costs import SILENT, VIEWS, cost_of
from profiler.types import Layer

if TYPE_CHECKING:
    from torch import Tensor, nn

NOT_KNOWN = "its arguments are not known here: not counted"
LOOKUPS = ("embedding", "embedding_bag", "_embedding_bag", "index_select", "index")
# Operators through which an id stays an id.
CARRIES = VIEWS | {"_to_copy", "clone", "to", "contiguous", "cat", "stack", "index_select", "gather", "repeat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The layers, what the module answered (fake tensors), and for inputs that index a table its length."""

    summary: Summary
    outputs: Any
    upper_bounds: dict[str, int]


def trace(module: "nn.Module", make_inputs: "Callable[[], Mapping[str, Tensor]]", *, positional: bool) -> Traced:
    """Runs `module` once on fake tensors; `make_inputs` is called among them and gives the inputs by name.

    Raises whatever the module raises on such inputs.
    """
    import logging

    from torch import jit
    from torch._subclasses.fake_tensor import DataDependentOutputException

    logging.getLogger("torch._subclasses.fake_tensor").setLevel(logging.CRITICAL)  # what fails is told once, by us
    try:
        return _run(module, make_inputs, positional, _fake(module))
    except DataDependentOutputException:
        if not isinstance(module, jit.ScriptModule):
            raise
        return _run(module, make_inputs, positional, nullcontext())


def _run(module: "nn.Module", make_inputs: "Callable[[], Mapping[str, Tensor]]", positional: bool, mode: Any) -> Traced:
    import torch

    parameters = {id(value): (name, True) for name, value in module.named_parameters()}
    stored = {id(value): (name, False) for name, value in module.named_buffers()} | parameters
    with mode, torch.no_grad():
        inputs = make_inputs()
        listener = Listener(stored, inputs)
        with _listening(listener), _named_calls(module, listener.path):
            outputs = _answer(module, inputs, positional, listener.path)
    kept = [listener.name_of(value) for value in tensors_in(outputs)]
    given = list(inputs)
    return Traced(
        summary=Summary(
            shapes={name: tuple(int(length) for length in value.shape) for name, value in inputs.items()},
            layers=tuple(listener.layers),
            flop=sum(layer.flop for layer in listener.layers),
            other_flop=sum(layer.other_flop for layer in listener.layers),
            peak_activation_bytes=peak_bytes(listener.events, listener.sizes, given, kept),
            notes=tuple(listener.notes),
        ),
        outputs=outputs,
        upper_bounds=listener.bounds,
    )


def _answer(module: "nn.Module", inputs: "Mapping[str, Tensor]", positional: bool, path: list[str]) -> Any:
    """What the module answers. A graph is walked node by node: each knows the module it was in, and inputs that were
    keywords or lay in a mapping are taken as they are named in the file, flat."""
    from torch import fx

    if not isinstance(module, fx.GraphModule):
        return module(*inputs.values()) if positional else module(**inputs)

    class Walk(fx.Interpreter):  # type: ignore[misc]
        def run_node(self, n: fx.Node) -> Any:
            path.append(module_path(n.meta.get("nn_module_stack")))
            try:
                return super().run_node(n)
            finally:
                path.pop()

    flat = Walk(module).run(*inputs.values(), enable_io_processing=False)
    return module.graph.process_outputs(flat)


def module_path(stack: Mapping[str, tuple[str, Any]] | None) -> str:
    """The path of the innermost module of a node ("encoder.0"), as the author of the model calls it; "" where the file
    does not say. A module that was called before has a mark of that ("encoder.0@1"), which is left out."""
    innermost = stack[list(stack)[-1]][0] if stack else ""
    return plain(str(innermost).partition("@")[0])


def tensors_in(value: Any) -> "Iterator[Tensor]":
    """Every tensor inside lists, tuples and mappings."""
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_in(each)


@dataclass(slots=True)
class Listener:
    """Hears every operator and writes the layers down. Holds on to all tensors, so that no identity comes twice."""

    stored: dict[int, tuple[str, bool]]
    inputs: "Mapping[str, Tensor]"
    layers: list[Layer] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _origins: dict[int, frozenset[int]] = field(default_factory=dict)
    _ids: dict[int, frozenset[str]] = field(default_factory=dict)
    _weights: dict[int, Any] = field(default_factory=dict)
    _held: list[Any] = field(default_factory=list)
    _counted: set[int] = field(default_factory=set)
    _used: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.inputs.items():
            self._names[id(value)] = name
            self.sizes[name] = bytes_of(value)
            if not value.is_floating_point():
                self._ids[id(value)] = frozenset([name])

    def name_of(self, value: "Tensor") -> str:
        """The tensor's own name: an input's, a weight's, or a number."""
        if id(value) in self.stored:
            return self.stored[id(value)][0]
        name = self._names.setdefault(id(value), f"t{len(self._names)}")
        self.sizes.setdefault(name, bytes_of(value))
        return name

    def hear(self, op: str, args: Sequence[Any], result: Any) -> None:
        """One call of the dispatcher: `op` without its overload."""
        written = list(tensors_in(result))
        if op in SILENT or not written:
            return
        read = list(tensors_in(args))
        self._held += [*read, *written]
        origins = [self._origin(value) for value in read]
        if read and all(origins) and op in VIEWS | {"_to_copy", "clone"}:
            joined = frozenset(each for origin in origins for each in origin)
            self._origins |= {id(value): joined for value in written}
            return
        if op in CARRIES:
            ids = frozenset(name for value in read for name in self._ids.get(id(value), ()))
            self._ids |= {id(value): ids for value in written if not value.is_floating_point()}
        reads = [value for value, origin in zip(read, origins, strict=True) if not origin]
        names, made = self._unique(reads), self._unique(written)
        self.events.append(Event(op="Reshape" if op in VIEWS else op, reads=names, writes=made))
        if op not in VIEWS:
            self._look_up(op, args)
            self._write_down(op, args, result, origins, names, made)

    def _origin(self, value: "Tensor") -> frozenset[int]:
        """The stored tensors this one is made of; empty for an activation."""
        if id(value) in self.stored:
            self._weights[id(value)] = value
            return frozenset([id(value)])
        return self._origins.get(id(value), frozenset())

    def _unique(self, values: "Sequence[Tensor]") -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.name_of(value) for value in values))

    def _look_up(self, op: str, args: Sequence[Any]) -> None:
        """An embedding bounds the ids that index it."""
        if op in LOOKUPS and self._origin(args[0]):
            length = int(args[0].shape[0])
            for ids in tensors_in(args[1:]):
                for name in self._ids.get(id(ids), ()):
                    self.bounds[name] = min(length, self.bounds.get(name, length))

    def _write_down(
        self, op: str, args: Sequence[Any], result: Any, origins: list[frozenset[int]], names: tuple[str, ...],
        made: tuple[str, ...],
    ) -> None:  # fmt: skip
        try:
            cost = cost_of(op, args, result)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            cost = Cost(notes=(NOT_KNOWN,))
            self.notes[f"{op} is not counted ({type(error).__name__})."] = None
        used = {each for origin in origins for each in origin}
        weight_bytes = sum(bytes_of(self._weights[each]) for each in used)
        written = sum(self.sizes[name] for name in made)
        fresh = {each for each in used - self._counted if self.stored[each][1]}
        self._counted |= fresh
        where = ".".join(part for part in (self.path[-1] if self.path else "", op) if part)
        self._used[where] = self._used.get(where, 0) + 1
        self.layers.append(
            Layer(
                name=where if self._used[where] == 1 else f"{where}_{self._used[where]}",
                op=op,
                flop=cost.flop,
                other_flop=cost.other_flop,
                weight_bytes=min(weight_bytes, written) if op in LOOKUPS else weight_bytes,
                read_bytes=sum(self.sizes.get(name, 0) for name in names),
                written_bytes=written,
                parameter_count=sum(int(self._weights[each].numel()) for each in fresh),
                dtype=next((str(each.dtype).removeprefix("torch.") for each in tensors_in(result)), "float32"),
                dims=dict(cost.dims),
                inputs=names,
                outputs=made,
                notes=cost.notes,
            )
        )


def bytes_of(value: "Tensor") -> int:
    """Bytes of a tensor's numbers."""
    return math.prod(int(length) for length in value.shape) * int(value.element_size())


@contextmanager
def _fake(module: "nn.Module") -> Iterator[None]:
    """Tensors made here have no memory; a module made of fake tensors brings its own mode."""
    from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

    first = next(module.parameters(), None)
    mode = first.fake_mode if isinstance(first, FakeTensor) else FakeTensorMode(allow_non_fake_inputs=True)
    with mode:
        yield


@contextmanager
def _listening(listener: Listener) -> Iterator[None]:
    from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

    class Ear(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            op = func.name().partition("::")[2].partition(".")[0]
            if op == "equal":  # the script's optimiser compares its own constants, which are real
                with _disable_current_modes():
                    return func(*args)
            result = func(*args, **(kwargs or {}))
            listener.hear(op, (*args, *(kwargs or {}).values()), result)
            return result

    with Ear():
        yield


@contextmanager
def _named_calls(module: "nn.Module", path: list[str]) -> Iterator[None]:
    """While open, `path` ends in the name of the submodule being called (eager modules only)."""
    from torch import fx, jit

    if isinstance(module, jit.ScriptModule | fx.GraphModule):
        yield
        return
    hooks = []

    def left(part: Any, inputs: Any, result: Any) -> None:
        path.pop()

    for name, part in module.named_modules():
        hooks.append(part.register_forward_pre_hook(lambda part, inputs, name=name: path.append(name)))
        hooks.append(part.register_forward_hook(left))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
