"""ONNX models that break one rule each, and sound ones close to them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def floats(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


X, Y = floats("x", [2]), floats("y", None)


def model(nodes, *, inputs=(X,), outputs=(Y,), initializers=(), functions=(), imports=(("", 17),), ir=9):
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(initializers))
    opsets = [helper.make_opsetid(domain, version) for domain, version in imports]
    return helper.make_model(graph, functions=list(functions), opset_imports=opsets, ir_version=ir)


def node(op, inputs=("x",), outputs=("y",), **attributes):
    return helper.make_node(op, list(inputs), list(outputs), **attributes)


def function(name, nodes, domain="local"):
    return helper.make_function(domain, name, ["x"], ["y"], nodes, [helper.make_opsetid("", 17)])


def doubling(levels):
    """Functions f0..fn, each calling the one below twice: 2^n nodes when written out."""
    made = [function("f0", [node("Relu")])]
    for level in range(1, levels + 1):
        calls = [node(f"f{level - 1}", ("x",), ("t",), domain="local"), node(f"f{level - 1}", ("t",), domain="local")]
        made.append(helper.make_function("local", f"f{level}", ["x"], ["y"], calls, [helper.make_opsetid("local", 1)]))
    return made


def nested(levels):
    """A graph of Ifs inside Ifs."""
    leaf = helper.make_graph([node("Identity", ("x",), ("o",))], "o", [], [helper.make_empty_tensor_value_info("o")])
    inner = helper.make_graph([node("Identity", ("x",), ("e",))], "e", [], [helper.make_empty_tensor_value_info("e")])
    for level in range(levels):
        name = f"v{level}"
        branch = node("If", ("c",), (name,), then_branch=inner, else_branch=leaf)
        inner = helper.make_graph([branch], name, [], [helper.make_empty_tensor_value_info(name)])
    condition = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    return model([node("If", ("c",), ("y",), then_branch=inner, else_branch=leaf)], initializers=[condition])


def stored(**changes):
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    for name, value in changes.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, name, value)
    return model([node("Add", ("x", "w"))], initializers=[tensor])


def external(**entries):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return model([node("Add", ("x", "w"))], initializers=[tensor])


SOUND = {
    "plain": model([node("Relu")]),
    "out of order": model([node("Relu", ("t",)), node("Neg", ("x",), ("t",))]),
    "contrib": model([node("Gelu", domain="com.microsoft")], imports=(("", 17), ("com.microsoft", 1))),
    "contrib in the standard domain": model([node("SimplifiedLayerNormalization", ("x", "x"))]),
    "classical": model([node("Normalizer", domain="ai.onnx.ml")], imports=(("", 17), ("ai.onnx.ml", 3))),
    "function": model([node("F", domain="local")], functions=[function("F", [node("Relu")])]),
    "optional left out": model([node("Clip", ("x", "", "x"))]),
    "initializer as output": model([], outputs=[floats("w", [4])],
                                   initializers=[numpy_helper.from_array(np.zeros(4, np.float32), "w")]),
    "some nesting": nested(8),
    "packed 4 bit": model([node("DequantizeLinear", ("w", "s"))], initializers=[
        helper.make_tensor("w", TensorProto.INT4, [3], [1, 2, 3]), helper.make_tensor("s", 1, [], [0.5])],
        imports=(("", 21),), ir=10),
    "float16 by numbers": model([node("Identity", ("w",))], initializers=[
        helper.make_tensor("w", TensorProto.FLOAT16, [2], [1.0, 2.0])]),
    "beside": external(location="w.bin"),
    "beside, a part": external(location="w.bin", offset="8", length="16"),
}  # fmt: skip
CONSTANT = helper.make_tensor("t", TensorProto.FLOAT, [2], [1.0, 2.0])
CONSTANT.dims[0] = 1 << 30
BROKEN = {
    "no graph": (onnx.ModelProto(ir_version=8), "no graph"),
    "no opset": (model([node("Relu")], imports=()), "opset"),
    "new opset": (model([node("Relu")], imports=(("", 9999),)), "opset version 9999"),
    "new IR": (model([node("Relu")], ir=10**6), "IR version"),
    "custom": (model([node("Rocket", domain="evil.corp")]), "Rocket"),
    "unknown": (model([node("Reloo")]), "unknown in opset"),
    "not yet": (model([node("Gelu")], imports=(("", 17),)), "unknown in opset version 17"),
    "python": (model([node("PythonOp", domain="com.microsoft")]), "not allowed"),
    "null variadic": (model([node("Sum", ("x", ""))]), "crashes"),
    "null variadic inside": (
        model([node("F", domain="local")], functions=[function("F", [node("Max", ("x", ""))])]), "crashes"),
    "recursion": (
        model([node("F", domain="local")], functions=[function("F", [node("F", domain="local")])]), "recursion"),
    "doubling": (model([node("f20", domain="local")], functions=doubling(20)), "levels deep"),
    "doubling, shallow": (model([node("f15", domain="local")] * 4, functions=doubling(15)), "expand"),
    "many nodes": (model([node("Relu", (f"t{i}",), (f"t{i + 1}",)) for i in range(50_001)]), "50,000 nodes"),
    "deep": (nested(20), "deep"),
    "cycle": (model([node("Relu", ("b",), ("a",)), node("Relu", ("a",), ("b",)), node("Neg")]), "cycle"),
    "made twice": (model([node("Relu"), node("Neg")]), "Two nodes"),
    "unmade input": (model([node("Relu", ("z",))]), "nothing in the graph makes"),
    "unmade output": (model([node("Relu", outputs=("z",))]), "Nothing in the graph makes its output"),
    "huge input": (model([node("Relu")], inputs=[floats("x", [1 << 20, 1 << 20])]), "too large"),
    "negative input": (model([node("Relu")], inputs=[floats("x", [-4])]), "negative"),
    "huge dims": (stored(dims=[1 << 30, 1 << 30]), "too large"),
    "negative dims": (stored(dims=[-4]), "negative"),
    "more dims than bytes": (stored(dims=[5]), "20 bytes of data, and 16"),
    "unknown type": (stored(data_type=99), "unknown type"),
    "constant without its numbers": (model([node("Constant", (), value=CONSTANT)]), "1,073,741,824 numbers"),
    "absolute": (external(location="/etc/passwd"), "outside"),
    "up": (external(location="../w.bin"), "outside"),
    "backslash": (external(location="..\\w.bin"), "outside"),
    "folder": (external(location=".."), "outside"),
    "no location": (external(offset="0"), "outside"),
    "missing": (external(location="v.bin"), '"v.bin" is missing'),
    "link": (external(location="link.bin"), "missing"),
    "negative offset": (external(location="w.bin", offset="-4"), "invalid offset"),
    "large offset": (external(location="w.bin", offset="9223372036854775800"), "invalid offset"),
    "past the end": (external(location="w.bin", offset="12"), "ends outside"),
    "wrong length": (external(location="w.bin", length="8"), "length of 8 bytes"),
    "unknown key": (external(location="w.bin", __class__="x"), "unknown key"),
}  # fmt: skip
