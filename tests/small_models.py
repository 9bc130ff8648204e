"""Small ONNX models for the tests of compression, and what is known of them. Weights are seeded."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from profiler.types import Machine, Model, Tensor

MACHINE = Machine(
    fingerprint="test", cpu="test", isa=("avx2", "avx512_vnni", "avx512_bf16"), physical_cores=2, logical_cores=2,
    memory_bytes=1 << 33,
)  # fmt: skip
PLAIN_MACHINE = Machine(
    fingerprint="plain", cpu="test", isa=("avx2",), physical_cores=2, logical_cores=2, memory_bytes=1 << 33
)
NUMPY = {
    TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64", TensorProto.INT64: "int64",
    TensorProto.FLOAT16: "float16",
}  # fmt: skip


def draw(seed: int, name: str, *shape: int, scale: float = 0.2) -> onnx.TensorProto:
    values = np.random.default_rng(seed).standard_normal(shape) * scale
    return numpy_helper.from_array(values.astype(np.float32), name)


def write(path: Path, nodes, inputs, outputs, initializers, opset: int = 17) -> Path:
    graph = helper.make_graph(
        nodes, path.stem, [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs], initializers,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def mlp(path: Path, width: int = 64, outputs: int = 10) -> Path:
    """Gemm, Relu, Gemm: (batch, 32) -> (batch, outputs)."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], transB=1, name="first"),
        helper.make_node("Relu", ["h"], ["r"], name="relu"),
        helper.make_node("Gemm", ["r", "w2", "b2"], ["y"], transB=1, name="second"),
    ]
    stored = [draw(1, "w1", width, 32), draw(2, "b1", width), draw(3, "w2", outputs, width), draw(4, "b2", outputs)]
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", 32])], [("y", TensorProto.FLOAT, ["batch", outputs])], stored
    )


def single_score(path: Path, width: int = 128) -> Path:
    """The same with one number as the answer: (batch, 32) -> (batch, 1)."""
    return mlp(path, width, outputs=1)


def cnn(path: Path) -> Path:
    """Two convolutions with Relu, a global pool and a Gemm: (batch, 3, 8, 8) -> (batch, 10)."""
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1] * 4, name="conv1"),
        helper.make_node("Relu", ["c1"], ["r1"], name="relu1"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1] * 4, name="conv2"),
        helper.make_node("Relu", ["c2"], ["r2"], name="relu2"),
        helper.make_node("GlobalAveragePool", ["r2"], ["g"], name="pool"),
        helper.make_node("Flatten", ["g"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], transB=1, name="head"),
    ]
    stored = [
        draw(1, "w1", 32, 3, 3, 3), draw(2, "b1", 32), draw(3, "w2", 64, 32, 3, 3), draw(4, "w3", 10, 64),
        draw(5, "b3", 10),
    ]  # fmt: skip
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", 3, 8, 8])], [("y", TensorProto.FLOAT, ["batch", 10])], stored
    )


def named_class(path: Path) -> Path:
    """The model at `path` with the number of the largest of its (batch, n) scores as its only answer."""
    largest = helper.make_node("ArgMax", ["scores"], ["y"], axis=1, keepdims=0)
    return _ending(path, [largest], TensorProto.INT64, [])


def positives(path: Path) -> Path:
    """The model at `path` with only those of its (batch, n) scores that are above zero: how many, the values decide."""
    above = [
        helper.make_node("Flatten", ["scores"], ["flat"], axis=0), helper.make_node("Squeeze", ["flat"], ["row"]),
        helper.make_node("Greater", ["row", "zero"], ["above"]), helper.make_node("Compress", ["row", "above"], ["y"]),
    ]  # fmt: skip
    return _ending(path, above, TensorProto.FLOAT, [numpy_helper.from_array(np.zeros(1, np.float32), "zero")])


def _ending(path: Path, nodes, kind, stored) -> Path:
    """The model at `path` with these nodes behind its answer, now called "scores"; their one-axis "y" is the answer."""
    proto = onnx.load(path)
    for node in proto.graph.node:
        node.output[:] = ["scores" if name == "y" else name for name in node.output]
    proto.graph.node.extend(nodes)
    proto.graph.initializer.extend(stored)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", kind, ["count"]))
    onnx.checker.check_model(proto)
    onnx.save(proto, path)
    return path


def lstm(path: Path, hidden: int = 32) -> Path:
    """One LSTM over 6 steps of 16 values and a Gemm on its last state: (6, batch, 16) -> (batch, 4)."""
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r", "b"], ["all", "last"], hidden_size=hidden, name="lstm"),
        helper.make_node("Squeeze", ["last", "axis"], ["s"], name="squeeze"),
        helper.make_node("Gemm", ["s", "v"], ["y"], name="head"),
    ]
    stored = [
        draw(1, "w", 1, 4 * hidden, 16), draw(2, "r", 1, 4 * hidden, hidden), draw(3, "b", 1, 8 * hidden),
        draw(4, "v", hidden, 4), numpy_helper.from_array(np.array([0]), "axis"),
    ]  # fmt: skip
    return write(path, nodes, [("x", TensorProto.FLOAT, [6, 1, 16])], [("y", TensorProto.FLOAT, [1, 4])], stored)


def pair(path: Path, outlier: float = 1.0) -> Path:
    """Two linear layers with nothing between but a bias, 64 wide; one channel of the first may be an outlier, which
    the second one shrinks again."""
    first, second = numpy_helper.to_array(draw(1, "w1", 64, 64)), numpy_helper.to_array(draw(2, "w2", 64, 64))
    first, second = first.copy(), second.copy()
    first[:, 7] *= outlier
    second[7] *= outlier
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h"], name="first"),
        helper.make_node("Add", ["h", "b1"], ["a"], name="bias"),
        helper.make_node("MatMul", ["a", "w2"], ["y"], name="second"),
    ]
    stored = [numpy_helper.from_array(first, "w1"), draw(3, "b1", 64), numpy_helper.from_array(second, "w2")]
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", 64])], [("y", TensorProto.FLOAT, ["batch", 64])], stored
    )


def outlier_layer(path: Path, width: int = 48) -> Path:
    """Four layers; the third has in every row one weight 400 times too large, for an input that is never on: in 8 bits
    all its other weights vanish. Nothing is wrong with it in float32."""
    nodes, stored = [], []
    for number in range(1, 5):
        values = numpy_helper.to_array(draw(number, "w", width, width)).copy()
        bias = np.zeros(width, np.float32)
        if number == 3:
            values[:, 5] = 80.0
        if number == 2:
            bias[5] = -12.0
        data = "x" if number == 1 else f"r{number - 1}"
        out = "y" if number == 4 else f"h{number}"
        nodes.append(helper.make_node("Gemm", [data, f"w{number}", f"b{number}"], [out], transB=1, name=f"fc{number}"))
        if number < 4:
            nodes.append(helper.make_node("Relu", [out], [f"r{number}"], name=f"relu{number}"))
        stored += [numpy_helper.from_array(values, f"w{number}"), numpy_helper.from_array(bias, f"b{number}")]
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", width])], [("y", TensorProto.FLOAT, ["batch", width])], stored
    )


def branches(path: Path) -> Path:
    """A residual block with a depthwise convolution and a batch norm, averaged and classified:
    (batch, 3, 8, 8) -> (batch, 10)."""
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "w1", "b1"], ["c1"], pads=[1] * 4, name="stem"),
        make("Conv", ["c1", "wd", "bd"], ["d1"], pads=[1] * 4, group=32, name="depthwise"),
        make("Clip", ["d1", "zero", "six"], ["k1"], name="clip"),
        make("Conv", ["k1", "w2"], ["c2"], pads=[1] * 4, name="second"),
        make("BatchNormalization", ["c2", "gain", "shift", "mean", "var"], ["n2"], name="norm"),
        make("Add", ["c1", "n2"], ["a"], name="residual"),
        make("AveragePool", ["a"], ["p"], kernel_shape=[2, 2], strides=[2, 2], name="pool"),
        make("Flatten", ["p"], ["f"], name="flatten"),
        make("Gemm", ["f", "w4", "b4"], ["y"], transB=1, name="head"),
    ]
    stored = [
        draw(1, "w1", 32, 3, 3, 3), draw(2, "b1", 32), draw(3, "wd", 32, 1, 3, 3), draw(4, "bd", 32),
        draw(5, "w2", 32, 32, 3, 3), draw(6, "gain", 32), draw(7, "shift", 32), draw(8, "mean", 32),
        numpy_helper.from_array(np.linspace(0.5, 2, 32).astype(np.float32), "var"), draw(9, "w4", 10, 512),
        draw(10, "b4", 10), numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.float32(6), "six"),
    ]  # fmt: skip
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", 3, 8, 8])], [("y", TensorProto.FLOAT, ["batch", 10])], stored
    )


def table_added(path: Path) -> Path:
    """A linear layer whose outputs meet rows of a table, two more after it: (batch, 32), ids (batch,) -> (batch, 4)."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], transB=1, name="first"),
        helper.make_node("Gather", ["table", "id"], ["row"], name="look_up"),
        helper.make_node("Add", ["h", "row"], ["sum"], name="meet"),
        helper.make_node("Gemm", ["sum", "w2", "b2"], ["h2"], transB=1, name="second"),
        helper.make_node("Relu", ["h2"], ["r"], name="relu"),
        helper.make_node("Gemm", ["r", "w3", "b3"], ["y"], transB=1, name="third"),
    ]
    stored = [draw(1, "w1", 64, 32), draw(2, "b1", 64), draw(3, "table", 50, 64), draw(4, "w2", 64, 64),
              draw(5, "b2", 64), draw(6, "w3", 4, 64), draw(7, "b3", 4)]  # fmt: skip
    inputs = [("x", TensorProto.FLOAT, ["batch", 32]), ("id", TensorProto.INT64, ["batch"])]
    return write(path, nodes, inputs, [("y", TensorProto.FLOAT, ["batch", 4])], stored)


def old(path: Path) -> Path:
    """The CNN in opset 9, as exporters of 2019 wrote it."""
    proto = onnx.load(cnn(path))
    proto.opset_import[0].version, proto.ir_version = 9, 4
    onnx.checker.check_model(proto)
    onnx.save(proto, path)
    return path


def double(path: Path) -> Path:
    """One linear layer in 64-bit floats: (batch, 32) -> (batch, 8)."""
    weight = numpy_helper.from_array(np.random.default_rng(0).standard_normal((32, 8)), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="only")]
    inputs, outputs = [("x", TensorProto.DOUBLE, ["batch", 32])], [("y", TensorProto.DOUBLE, ["batch", 8])]
    return write(path, nodes, inputs, outputs, [weight])


def thin(path: Path) -> Path:
    """A convolution and a Gemm whose weights are nearly of rank 2: (batch, 16, 6, 6) -> (batch, 48)."""
    generator = np.random.default_rng(9)

    def nearly(rows: int, columns: int) -> np.ndarray:
        product = generator.standard_normal((rows, 2)) @ generator.standard_normal((2, columns))
        return (0.1 * product + 0.001 * generator.standard_normal((rows, columns))).astype(np.float32)

    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c"], pads=[1] * 4, strides=[2, 2], name="conv"),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Flatten", ["r"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w2", "b2"], ["y"], transB=1, name="head"),
    ]
    stored = [
        numpy_helper.from_array(nearly(32, 144).reshape(32, 16, 3, 3), "w1"), draw(2, "b1", 32),
        numpy_helper.from_array(nearly(48, 288), "w2"), draw(4, "b2", 48),
    ]  # fmt: skip
    shape = ["batch", 16, 6, 6]
    return write(path, nodes, [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, ["batch", 48])], stored)


def feed_forward(path: Path) -> Path:
    """Attention scores of the input with itself, and a transformer's feed-forward part (32 to 128 to 32) around which
    the input goes: (batch, 6, 32) -> (batch, 6, 32)."""
    make = helper.make_node
    nodes = [
        make("Transpose", ["x"], ["t"], perm=[0, 2, 1], name="turn"),
        make("MatMul", ["x", "t"], ["s"], name="scores"),
        make("Softmax", ["s"], ["p"], axis=-1, name="softmax"),
        make("MatMul", ["p", "x"], ["m"], name="mix"),
        make("LayerNormalization", ["m", "gain", "shift"], ["n"], axis=-1, name="norm"),
        make("MatMul", ["n", "up"], ["u1"], name="up_product"),
        make("Add", ["u1", "up_bias"], ["u2"], name="up_add"),
        make("Div", ["u2", "root"], ["g1"], name="gelu_scale"),
        make("Erf", ["g1"], ["g2"], name="gelu_erf"),
        make("Add", ["g2", "one"], ["g3"], name="gelu_one"),
        make("Mul", ["u2", "g3"], ["g4"], name="gelu"),
        make("MatMul", ["g4", "down"], ["d1"], name="down_product"),
        make("Add", ["down_bias", "d1"], ["d2"], name="down_add"),
        make("Add", ["m", "d2"], ["y"], name="residual"),
    ]
    stored = [
        draw(1, "gain", 32), draw(2, "shift", 32), draw(3, "up", 32, 128), draw(4, "up_bias", 128),
        draw(5, "down", 128, 32), draw(6, "down_bias", 32), numpy_helper.from_array(np.float32(2**0.5), "root"),
        numpy_helper.from_array(np.float32(1), "one"),
    ]  # fmt: skip
    shape = ["batch", 6, 32]
    return write(path, nodes, [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, shape)], stored)


def fused_attention(path: Path) -> Path:
    """`attention` with query, key and value from one MatMul that is split."""
    return attention(path, fused=True)


def computed_attention(path: Path) -> Path:
    """`attention` whose Reshape targets are put together from the input's own lengths."""
    return attention(path, computed=True)


def attention(
    path: Path, width: int = 32, heads: int = 4, length: int = 6, fused: bool = False, computed: bool = False
) -> Path:
    """One attention layer as exporters write it, and a layer norm: (batch, 6, 32) -> (batch, 6, 32)."""
    head = width // heads
    nodes, stored = [], [numpy_helper.from_array(np.array([0, length, heads, head]), "split")]
    stored += [numpy_helper.from_array(np.array([0, length, width]), "join")]
    stored += [numpy_helper.from_array(np.array(head**-0.5, np.float32), "scale")]
    if computed:
        lengths = {"heads": heads, "head": head, "width": width}
        stored = stored[2:] + [numpy_helper.from_array(np.array([value]), name) for name, value in lengths.items()]
        nodes += [
            helper.make_node("Shape", ["x"], ["some"], start=0, end=1, name="batch_length"),
            helper.make_node("Shape", ["x"], ["steps"], start=1, end=2, name="step_length"),
            helper.make_node("Concat", ["some", "steps", "heads", "head"], ["split"], axis=0, name="split_target"),
            helper.make_node("Concat", ["some", "steps", "width"], ["join"], axis=0, name="join_target"),
        ]
    if fused:
        stored += [draw(1, "w", width, 3 * width), draw(11, "b", 3 * width)]
        nodes += [
            helper.make_node("MatMul", ["x", "w"], ["all1"], name="product"),
            helper.make_node("Add", ["all1", "b"], ["all2"], name="bias"),
            helper.make_node("Split", ["all2"], ["q2", "k2", "v2"], axis=-1, name="parts"),
        ]
    for seed, name, order in ((1, "q", [0, 2, 1, 3]), (2, "k", [0, 2, 3, 1]), (3, "v", [0, 2, 1, 3])):
        if not fused:
            stored += [draw(seed, f"w{name}", width, width), draw(seed + 10, f"b{name}", width)]
            nodes += [
                helper.make_node("MatMul", ["x", f"w{name}"], [f"{name}1"], name=f"{name}_product"),
                helper.make_node("Add", [f"b{name}", f"{name}1"], [f"{name}2"], name=f"{name}_bias"),
            ]
        nodes += [
            helper.make_node("Reshape", [f"{name}2", "split"], [f"{name}3"], name=f"{name}_split"),
            helper.make_node("Transpose", [f"{name}3"], [name], perm=order, name=f"{name}_turn"),
        ]
    stored += [draw(4, "wo", width, width), draw(14, "bo", width), draw(5, "gain", width), draw(6, "shift", width)]
    nodes += [
        helper.make_node("MatMul", ["q", "k"], ["s1"], name="scores"),
        helper.make_node("Mul", ["s1", "scale"], ["s2"], name="scaling"),
        helper.make_node("Softmax", ["s2"], ["p"], axis=-1, name="softmax"),
        helper.make_node("MatMul", ["p", "v"], ["m1"], name="mix"),
        helper.make_node("Transpose", ["m1"], ["m2"], perm=[0, 2, 1, 3], name="turn_back"),
        helper.make_node("Reshape", ["m2", "join"], ["m3"], name="join_heads"),
        helper.make_node("MatMul", ["m3", "wo"], ["o1"], name="output_product"),
        helper.make_node("Add", ["o1", "bo"], ["o2"], name="output_bias"),
        helper.make_node("Add", ["o2", "x"], ["r"], name="residual"),
        helper.make_node("LayerNormalization", ["r", "gain", "shift"], ["y"], axis=-1, name="norm"),
    ]
    shape = ["batch", length, width]
    return write(path, nodes, [("x", TensorProto.FLOAT, shape)], [("y", TensorProto.FLOAT, shape)], stored)


def pruned(path: Path, build=None, share: float = 0.8) -> Path:
    """A small model with this share of each weight set to zero."""
    proto = onnx.load((build or mlp)(path))
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if values.ndim > 1 and values.dtype == np.float32:
            values[np.abs(values) < np.quantile(np.abs(values), share)] = 0
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(proto, path)
    return path


def no_weights(path: Path) -> Path:
    """A Relu."""
    return write(
        path, [helper.make_node("Relu", ["x"], ["y"], name="relu")], [("x", TensorProto.FLOAT, ["batch", 8])],
        [("y", TensorProto.FLOAT, ["batch", 8])], [],
    )  # fmt: skip


def shared(path: Path) -> Path:
    """One square weight used by two MatMuls."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="first"),
        helper.make_node("Relu", ["h"], ["r"], name="relu"),
        helper.make_node("MatMul", ["r", "w"], ["y"], name="second"),
    ]
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", 64])], [("y", TensorProto.FLOAT, ["batch", 64])],
        [draw(1, "w", 64, 64)],
    )  # fmt: skip


def not_a_number(path: Path) -> Path:
    """A MatMul followed by the square root of a negative number."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="product"),
        helper.make_node("Abs", ["h"], ["a"], name="abs"),
        helper.make_node("Neg", ["a"], ["n"], name="negative"),
        helper.make_node("Sqrt", ["n"], ["y"], name="root"),
    ]
    return write(
        path, nodes, [("x", TensorProto.FLOAT, ["batch", 64])], [("y", TensorProto.FLOAT, ["batch", 64])],
        [draw(1, "w", 64, 64)],
    )  # fmt: skip


def facts(path: Path) -> Model:
    """The record of a small ONNX file, as the profiler's reader makes it."""
    proto = onnx.load(path)
    kinds: Counter[str] = Counter()
    stored = 0
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        kinds[str(values.dtype)] += values.size
        stored += values.nbytes
    return Model(
        sha256=path.name, name=path.stem, format="onnx", file_bytes=path.stat().st_size,
        parameter_count=sum(kinds.values()), parameters_by_dtype=dict(kinds), weight_bytes=stored,
        operators=dict(Counter(node.op_type for node in proto.graph.node)),
        inputs=_tensors(proto.graph.input), outputs=_tensors(proto.graph.output), opset=proto.opset_import[0].version,
    )  # fmt: skip


def _tensors(values) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            name=value.name, dtype=NUMPY[value.type.tensor_type.elem_type],
            shape=tuple(axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim),
        )
        for value in values
    )  # fmt: skip


def feeds(model: Model, calls: int = 6, batch: int = 4, seed: int = 0) -> tuple[dict[str, np.ndarray], ...]:
    """Seeded normal inputs for `calls` calls."""
    generator = np.random.default_rng(seed)
    shapes = {each.name: [axis if isinstance(axis, int) else batch for axis in each.shape] for each in model.inputs}
    return tuple(
        {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(calls)
    )


def outputs(path: Path, call) -> dict[str, np.ndarray]:
    """All outputs of one call of an ONNX file by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options)
    return dict(zip((output.name for output in session.get_outputs()), session.run(None, dict(call)), strict=True))
