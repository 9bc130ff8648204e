"""A torch.export program as a module that takes its tensors one after the other, as the file names them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def flat(program: Any) -> "nn.Module":
    """The module of a program; where its inputs came by keyword or in mappings, one that puts them together again
    before every call."""
    from torch import nn
    from torch.utils._pytree import tree_unflatten

    module, spec = program.module(), program.call_spec.in_spec
    if spec is None or not _nested(spec):
        return module  # type: ignore[no-any-return]

    class Flat(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.program = module

        def forward(self, *tensors: Any) -> Any:
            args, kwargs = tree_unflatten(list(tensors), spec)
            return self.program(*args, **kwargs)

    return Flat()


def _nested(spec: Any) -> bool:
    """Whether (args, kwargs) are more than plain arguments in a row."""
    args, kwargs = spec.children()
    return kwargs.num_leaves > 0 or not all(child.is_leaf() for child in args.children())
