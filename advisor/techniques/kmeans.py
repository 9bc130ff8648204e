"""K-means codebooks: every weight stored as a number of 2 to 8 bits. Storage only: it is decoded before it runs."""

from typing import TYPE_CHECKING, Any

from advisor.surgery import codebook, facts, layers, onnx_rewrite, storage
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from numpy import ndarray

FITTED_ON = 1 << 14  # values k-means sees of a larger tensor, spread evenly over the sorted ones
SMALLEST = 4  # a codebook must have fewer values than the tensor: this many times fewer, or the tensor stays as it is


class KMeans:
    NAME = "kmeans"
    TITLE = "K-means codebook"
    STAGE = "storage"
    GAINS = ("size",)
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{"bits": bits} for bits in (5, 4, 6, 3, 8, 2)]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if (reason := facts.refusal(model, needs=(*facts.WEIGHTED, "Gather"))) is not None:
            return reason
        return "Packing more than 1 GB of weights is not supported." if facts.is_large(model) else None

    def apply(self, request: Request) -> Product:
        """Packs the weights of convolutions, matrix products, recurrent layers and embeddings with scikit-learn's
        k-means; `decoded` is the plain ONNX file that the packed one gives back."""
        bits = int(request.option.get("bits", 4))
        if not 2 <= bits <= 8:
            raise InputError("A codebook has 2 to 8 bits.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        chosen = layers.weights(proto, (*facts.WEIGHTED, "Gather"), smallest=SMALLEST << bits)
        packed, before = {}, 0
        for number, weight in enumerate(chosen):
            request.progress(number / len(chosen), f"Clustering {weight.name}")
            values = onnx_rewrite.array(weight.tensor)
            book = fit(values, bits, request.seed)
            codes = codebook.pack(codebook.encode(values, book), bits)
            packed[weight.tensor.name] = storage.Packed(
                form="codebook", shape=values.shape, arrays={"codes": codes, "codebook": book}, bits=bits
            )
            before += values.nbytes
        if not packed:
            raise InputError(f"No weight is large enough for a codebook of {1 << bits} values.")
        target, decoded = request.folder / "kmeans.safetensors", request.folder / "kmeans_decoded.onnx"
        payload = sum(each.payload_bytes for each in packed.values())
        storage.write(target, proto, packed)
        storage.restore(target, decoded)
        notes = (
            f"{words.many(len(packed), 'tensor')} in {bits} bits: codes and codebooks {before / payload:.2f}x smaller.",
            f"{words.size(target.stat().st_size - payload)} of graph, header and other weights come on top.",
            "For storage only: it is decoded to float32 before it runs, so no call gets faster.",
        )
        return Product(file=target, decoded=decoded, changed_count=len(packed), notes=notes)


def fit(values: "ndarray", bits: int, seed: int = 0) -> "ndarray":
    """The sorted codebook of 2^bits float32 values (fewer where fewer differ), by scikit-learn's k-means."""
    import numpy as np
    from sklearn import cluster

    ordered = np.sort(values.ravel())
    if ordered.size > FITTED_ON:
        ordered = ordered[np.linspace(0, ordered.size - 1, FITTED_ON).round().astype(int)]
    distinct = np.unique(ordered)
    size = 1 << bits
    if distinct.size <= size:
        return distinct.astype(np.float32)
    starts = np.quantile(distinct, (np.arange(size) + 0.5) / size).reshape(-1, 1)
    means = cluster.KMeans(size, init=starts, n_init=1, max_iter=100, random_state=seed).fit(ordered.reshape(-1, 1))
    return np.unique(means.cluster_centers_.ravel().astype(np.float32))


TECHNIQUE = KMeans()
