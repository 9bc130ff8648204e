"""Low-rank factorisation: one large layer becomes two thin ones, closest where the real inputs are (weighted SVD)."""

from typing import TYPE_CHECKING, Any

from advisor.surgery import compensate, facts, layers, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from numpy import ndarray

SMALLEST_LAYER = 1024


class LowRank:
    NAME = "low_rank"
    TITLE = "Low rank"
    STAGE = "factorise"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """A share of each layer's parameters to keep, or of its output's energy on the calibration inputs."""
        return [{"energy_frac": 0.99}, {"kept_frac": 0.5}, {"energy_frac": 0.999}, {"kept_frac": 0.25}]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=("Conv", *facts.MATRIX_PRODUCTS))

    def apply(self, request: Request) -> Product:
        """Factorises every layer that gets smaller by it. Raises InputError where none does."""
        if not request.calibration:
            raise Unavailable("Low-rank factorisation needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        onnx_rewrite.gemm_to_matmul(proto)
        chosen = layers.matrices(proto, smallest=SMALLEST_LAYER)
        if not chosen:
            raise InputError("No layer is large enough to be worth two.")
        request.progress(0.05, "Watching what flows in")
        moments = layers.moments(proto, chosen, request.calibration, request.folder, request.seed)
        changed, errors = 0, []
        for number, weight in enumerate(chosen):
            request.progress(0.2 + 0.8 * number / len(chosen), f"Factorising {weight.name}")
            matrix, moment = weight.matrix(), moments[weight.tensor.name]
            factors = factorise(matrix, moment, request.option)
            if factors is not None:
                errors.append(compensate.output_error(matrix, factors[0] @ factors[1], moment))
                _replace(proto, weight, *factors)
                changed += 1
        if not changed:
            raise InputError("No layer gets smaller at this rank, so nothing would change.")
        onnx_rewrite.drop_unused(proto)
        target = request.folder / "low_rank.onnx"
        companions = onnx_rewrite.save(proto, target)
        notes = (
            f"{changed} of {words.many(len(chosen), 'layer')} became two thin ones.",
            f"A layer's relative squared error is {sum(errors) / changed:.2g} in the mean, {max(errors):.2g} at worst.",
        )
        return Product(file=target, companions=companions, changed_count=changed, notes=notes)


def factorise(matrix: "ndarray", moment: "ndarray", option: Any) -> "tuple[ndarray, ndarray] | None":
    """(outputs, rank) and (rank, inputs) whose product is the closest of that rank to `matrix` on inputs with second
    moment X^T X; None where the two hold no fewer values.

    SVD of matrix x L with L L^T = X^T X (Cholesky), as in SVD-LLM (Wang et al. 2024)."""
    import numpy as np
    from scipy.linalg import cholesky, solve_triangular, svd

    rows, columns = matrix.shape
    damped = moment.astype(np.float64)
    damped[np.diag_indices_from(damped)] += max(compensate.DAMPING * 1e-2 * float(np.diagonal(damped).mean()), 1e-12)
    lower = cholesky(damped, lower=True)
    left, values, right = svd(matrix.astype(np.float64) @ lower, full_matrices=False)
    rank = _rank(values, rows, columns, option)
    if rank * (rows + columns) >= rows * columns:
        return None
    root = np.sqrt(values[:rank])
    inputs = solve_triangular(lower, (root[:, None] * right[:rank]).T, lower=True, trans="T").T
    return (left[:, :rank] * root).astype(np.float32), np.asarray(inputs, dtype=np.float32)


def _rank(values: "ndarray", rows: int, columns: int, option: Any) -> int:
    """The rank that keeps a share of the parameters ("kept_frac") or of the squared singular values ("energy_frac")."""
    import numpy as np

    if "energy_frac" in option:
        energy = np.cumsum(values**2) / max(float((values**2).sum()), 1e-300)
        return int(np.searchsorted(energy, float(option["energy_frac"]))) + 1
    return max(1, int(float(option.get("kept_frac", 0.5)) * rows * columns / (rows + columns)))


def _replace(proto: Any, weight: layers.Weight, outputs: "ndarray", inputs: "ndarray") -> None:
    """Puts two nodes in place of the layer's: the first (rank, inputs), the second (outputs, rank)."""
    import onnx

    node, name = weight.node, weight.tensor.name
    first, second, between = f"{name}_inputs", f"{name}_outputs", f"{node.output[0]}_factors"
    answer = node.output[0]
    if node.op_type == "Conv":
        stored = (inputs.reshape(-1, *weight.tensor.dims[1:]), outputs[:, :, None, None])
        later = onnx.helper.make_node("Conv", [between, second, *node.input[2:]], [answer], name=f"{node.name}_outputs")
        del node.input[2:]
        for item in [each for each in node.attribute if each.name == "kernel_shape"]:
            later.attribute.append(onnx.helper.make_attribute("kernel_shape", [1, 1]))
            assert list(item.ints) == list(weight.tensor.dims[2:])
    else:
        stored = (inputs.T, outputs.T)
        later = onnx.helper.make_node("MatMul", [between, second], [answer], name=f"{node.name}_outputs")
    for tensor_name, values in zip((first, second), stored, strict=True):
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values.astype("float32", order="C"), tensor_name))
    node.input[1] = first
    node.output[0] = between
    place = next(index for index, each in enumerate(proto.graph.node) if each.output[:1] == [between])
    proto.graph.node.insert(place + 1, later)


TECHNIQUE = LowRank()
