"""Sparse storage of pruned weights: bitmask, CSR or 2:4, whichever is smallest. Storage only, and exact."""

from typing import Any

from advisor.surgery import facts, layers, onnx_rewrite, sparse, storage
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from data.units import BITS_PER_BYTE
from profiler.types import Machine, Model

FORMS = ("smallest", *sparse.FORMATS)


class SparseStorage:
    NAME = "sparse_storage"
    TITLE = "Sparse storage"
    STAGE = "storage"
    GAINS = ("size",)
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{"form": "smallest"}]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if (reason := facts.refusal(model)) is not None:
            return reason
        return "Packing more than 1 GB of weights is not supported." if facts.is_large(model) else None

    def apply(self, request: Request) -> Product:
        """Packs each weight in the form asked for where that is smaller than dense. Raises InputError where dense is
        smaller for all of them."""
        form = str(request.option.get("form", "smallest"))
        if form not in FORMS:
            raise InputError(f"The form is one of {', '.join(FORMS)}.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        packed, counts, dense_bytes = {}, dict.fromkeys(sparse.FORMATS, 0), 0
        chosen = layers.weights(proto)
        for weight in chosen:
            values = onnx_rewrite.array(weight.tensor)
            transposed = weight.is_matrix and weight.is_transposed
            matrix = values.T.copy() if transposed else values.reshape(values.shape[0], -1)
            best = _smallest(matrix, form)
            if best is not None:
                counts[best] += 1
                dense_bytes += values.nbytes
                packed[weight.tensor.name] = storage.Packed(
                    form=best, shape=values.shape, arrays=sparse.encode(best, matrix), transposed=transposed
                )
        if not packed:
            raise _dense_is_smaller(chosen, form)
        target, decoded = request.folder / "sparse.safetensors", request.folder / "sparse_decoded.onnx"
        payload = sum(each.payload_bytes for each in packed.values())
        storage.write(target, proto, packed)
        storage.restore(target, decoded)
        notes = (
            "Stored: " + ", ".join(f"{count} tensors as {name}" for name, count in counts.items() if count) + ".",
            f"{dense_bytes} bytes of dense weights take {payload}, of which {_alpha(packed)} say where they belong.",
            f"{target.stat().st_size - payload} bytes of graph, header and other weights come on top.",
            "For storage only: this runtime multiplies by the zeros too.",
        )
        return Product(file=target, decoded=decoded, changed_count=len(packed), notes=notes)


def _smallest(matrix: Any, form: str) -> str | None:
    """The form with the fewest bits for this matrix, or None where dense has fewer."""
    import numpy as np

    rows, columns = matrix.shape
    nonzero = int(np.count_nonzero(matrix))
    allowed = [name for name in sparse.FORMATS if form in ("smallest", name)]
    sizes = {
        name: sparse.bits(name, rows, columns, nonzero)
        for name in allowed
        if name != "2:4" or sparse.fits_two_of_four(matrix)
    }
    best = min(sizes, key=lambda name: sizes[name], default=None)
    return best if best is not None and sizes[best] < sparse.bits("dense", rows, columns, nonzero) else None


def _alpha(packed: dict[str, storage.Packed]) -> int:
    return sum(each.payload_bytes - each.arrays["values"].nbytes for each in packed.values())


def _dense_is_smaller(chosen: list[layers.Weight], form: str) -> InputError:
    import numpy as np

    values = [onnx_rewrite.array(weight.tensor) for weight in chosen]
    total = sum(each.size for each in values)
    density = sum(int(np.count_nonzero(each)) for each in values) / total if total else 1.0
    shown = "bitmask" if form == "smallest" else form
    rows, columns = (values[0].shape[0], values[0].size // values[0].shape[0]) if values else (1, BITS_PER_BYTE)
    limit = sparse.break_even_density(shown, rows, columns)
    return InputError(
        f"Dense is smaller: {words.percent(density, 3)} of the weights are not zero, and {shown} pays off below "
        f"{words.percent(limit, 3)}.",
        hint="Prune the model first.",
    )


TECHNIQUE = SparseStorage()
