"""Hostile files of torch's kinds, made from opcodes and text: pickles, TorchScript archives, exported programs."""

import io
import json
import pickle
import struct
import zipfile

LEGACY_MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00(K\x04t(K\x01t\x89ccollections\nOrderedDict\n)RtR"
)
STATE = b"\x80\x02}X\x01\x00\x00\x00w" + TENSOR + b"s."
CALL = b"cos\nsystem\n(X\x04\x00\x00\x00truetR"
SCRIPT = b"\x80\x02c__torch__\nNet\n)\x81}(X\x01\x00\x00\x00w" + TENSOR + b"ub."
CODE = """class Net(Module):
  __parameters__ = ["w", ]
  __buffers__ = []
  w : Tensor
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
    return torch.add(x, self.w)
"""


def zipped(entries, method=zipfile.ZIP_STORED):
    """A zip of {name: bytes}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def state_dict(pickled=STATE, **more):
    """An archive like torch.save's: one tensor of four floats, or another pickle in its place."""
    entries = {"a/data.pkl": pickled, "a/byteorder": b"little", "a/data/0": bytes(16), "a/version": b"3\n"}
    return zipped(entries | more)


class Call:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


def pickles():
    import os

    system = Call(os.system, "touch /tmp/never")
    code = ("pickle", "code", "unsafe", "not allowed", "weights")
    for protocol in range(6):
        yield f"raw_protocol_{protocol}.pkl", pickle.dumps(system, protocol=protocol), code
    yield "zip_system.pt", state_dict(b"\x80\x02" + CALL + b"."), code
    yield "zip_value.pt", state_dict(pickle.dumps({"w": Call(exec, "1")}, protocol=2)), code
    yield "zip_getattr.pt", state_dict(pickle.dumps(Call(getattr, 1, "real"), protocol=2)), code
    yield "zip_import.pt", state_dict(pickle.dumps(Call(__import__, "os"), protocol=4)), code
    yield "legacy.pt", LEGACY_MAGIC + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + b"\x80\x02" + CALL + b".", code
    yield "named_onnx.onnx", pickle.dumps(system, protocol=2), code
    yield "named_safetensors.safetensors", state_dict(b"\x80\x02" + CALL + b"."), code
    yield "inst.pt", state_dict(b"(S'true'\nios\nsystem\n."), code
    yield "obj.pt", state_dict(b"\x80\x02(cos\nsystem\nX\x04\x00\x00\x00trueo."), code
    yield "extension.pt", state_dict(b"\x80\x02\x82\x01)R."), code
    yield "newobj_ex.pt", state_dict(b"\x80\x04)}ccollections\nOrderedDict\n)}\x92."), code
    yield "hidden_name.pt", state_dict(b"\x80\x04\x8c\x02os\x85\x8c\x06system\x93)R."), code
    yield "called_value.pt", state_dict(b"\x80\x02K\x01)R."), code
    yield "build_on_name.pt", state_dict(b"\x80\x02ccollections\nOrderedDict\n}b."), code
    yield "persistent.pt", state_dict(b"\x80\x02X\x01\x00\x00\x00xQ."), code
    yield "module.pt", state_dict(b"\x80\x02c__main__\nNet\n)\x81}b."), code
    yield "settings.pt", state_dict(b"\x80\x02cargparse\nNamespace\n)\x81}b."), ("an object beside weights",)
    yield "torch_module.pt", state_dict(b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}b."), code
    yield "second_pickle.pt", state_dict(**{"a/extra.pkl": b"\x80\x02" + CALL + b"."}), code
    yield "unnamed_pickle.pt", state_dict(**{"a/data/1": b"\x80\x02" + CALL + b"."}), code
    yield "zip_inside.pt", state_dict(**{"a/data/1": state_dict(b"\x80\x02" + CALL + b".")}), code
    yield "nested.pt", state_dict(b"\x80\x02" + b"]" * 5_000 + b"a" * 4_999 + b"."), code
    yield "nested_tuples.pt", state_dict(b"\x80\x02)" + b"\x85" * 5_000 + b"."), code
    yield "memo.pt", state_dict(b"\x80\x02r\xff\xff\xff\xff."), code
    yield "long_text.pt", state_dict(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x."), code
    yield "no_stop.pt", state_dict(b"\x80\x02}"), code
    missing = ("missing", "weights")
    yield "no_storage.pt", zipped({"a/data.pkl": STATE, "a/version": b"3"}), missing
    yield "short_storage.pt", state_dict(**{"a/data/0": bytes(8)}), ("incomplete", "weights")
    yield "many_entries.pt", state_dict(**{f"a/x/{number}": b"" for number in range(200)}), ("entries",)


def script(code=CODE, pickled=SCRIPT, **more):
    """An archive like torch.jit.save's."""
    entries = {
        "a/data.pkl": pickled, "a/data/0": bytes(16), "a/constants.pkl": b"\x80\x02).", "a/version": b"3\n",
        "a/code/__torch__.py": code.encode(),
    }  # fmt: skip
    return zipped(entries | more)


def scripts():
    def with_line(line):
        return script(CODE.replace("    return", f"    {line}\n    return"))

    files = ("write", "file", "not allowed", "operator", "read")
    deep = ("deep", "parse", "crash", "torchscript")
    yield "save.pt", with_line("torch.save(x, 'f')"), files
    yield "after_text.pt", with_line("y = 'a' + \"b'\" # '\n    torch.save(x, 'f')"), files
    yield "ops_save.pt", with_line("ops.aten.save(x, 'f')"), files
    yield "spaced_save.pt", with_line("torch .  save (x, 'f')"), files
    yield "from_file.pt", with_line("y = torch.from_file('/etc/passwd', False, 20)"), files
    yield "setstate.pt", script(CODE + "  def __setstate__(self, s: int) -> None:\n    return None\n"), files
    yield "hidden_code.pt", script(**{"a/code/other.PY": b"def f():\n  torch.save(1)\n"}), files
    yield "brackets.pt", with_line("y = " + "(" * 50_000 + "1" + ")" * 50_000), deep
    yield "minus.pt", with_line("y = " + "-" * 300_000 + "1"), deep
    yield "nots.pt", with_line("y = " + "not " * 5_000 + "True"), deep
    yield "chain.pt", with_line("y = " + "+".join(["x"] * 20_000)), deep
    yield "attributes.pt", with_line("y = x" + ".a" * 20_000), deep
    yield "blocks.pt", script("\n".join(" " * level + "if x:" for level in range(2_000))), deep
    yield "not_code.pt", script("this is not python ((("), ("invalid", "parse")
    yield "unclosed.pt", script(CODE + "  def f(self"), ("invalid", "parse")
    yield "no_code.pt", zipped({"a/data.pkl": SCRIPT, "a/data/0": bytes(16), "a/constants.pkl": b"\x80\x02)."}), (
        "code", "incomplete")  # fmt: skip
    no_data = zipped({"a/data.pkl": SCRIPT, "a/constants.pkl": b"\x80\x02).", "a/code/x.py": b""})
    yield "no_data.pt", no_data, ("missing",)
    yield "script_system.pt", script(pickled=b"\x80\x02" + CALL + b"."), ("code", "unsafe")
    other_class = SCRIPT.replace(b"__torch__\n", b"__torch__.torch.classes.dist\n")
    yield "script_class.pt", script(pickled=other_class), ("code",)


def program(**changes):
    """The text of an exported program with one weight: x + w; `changes` replace what they name."""
    symbol = "Symbol('s77', positive=True, integer=True)"
    size = {"as_expr": {"expr_str": changes.get("expression", symbol), "hint": {"as_int": 2}}}
    return {
        "graph_module": {
            "graph": {
                "inputs": [{"as_tensor": {"name": "p_w"}}, {"as_tensor": {"name": changes.get("name", "x")}}],
                "nodes": [{"target": changes.get("target", "torch.ops.aten.add.Tensor"), "inputs": [], "metadata": {}}],
                "tensor_values": {"x": {"dtype": 7, "sizes": [size, {"as_int": 4}]}},
            },
            "signature": {"input_specs": [{"parameter": {"parameter_name": changes.get("parameter", "w")}}]},
            "module_call_graph": [{"fqn": "", "signature": {"in_spec": changes.get("in_spec", "")}}],
        },
        "guards_code": changes.get("guards", []),
        "range_constraints": {"s77": {"min_val": 2, "max_val": 64}},
    }


def weight(**changes):
    sizes = [{"as_int": length} for length in changes.pop("sizes", [4])]
    meta = {"dtype": 7, "sizes": sizes, "strides": [{"as_int": 1}], "storage_offset": {"as_int": 0}}
    meta["storage_offset"]["as_int"] = changes.pop("offset", 0)
    return {"path_name": "weight_0", "is_param": True, "use_pickle": False, "tensor_meta": meta} | changes


def exported(described=None, weights=None, samples=None, **more):
    """An archive like torch.export.save's."""
    entries = {
        "a/archive_format": b"pt2", "a/models/model.json": json.dumps(described or program()).encode(),
        "a/data/weights/weight_0": bytes(16),
        "a/data/weights/model_weights_config.json": json.dumps({"config": weights or {"w": weight()}}).encode(),
        "a/data/constants/model_constants_config.json": b'{"config": {}}',
        "a/data/sample_inputs/model.pt": state_dict() if samples is None else samples,
    }  # fmt: skip
    return zipped(entries | more)


def programs():
    unsafe = ("code", "unsafe", "not allowed", "expression", "operator")
    expressions = {
        "import": "__import__('os').system('true')",
        "or": "__import__('os').system('true') or Symbol('s77')",
        "attribute": "Symbol('s77').__class__.__mro__",
        "lambda": "(lambda: 1)()",
        "comprehension": "[Symbol(c) for c in 'ab']",
        "format": "f'{1}'",
        "power_tower": "Pow(Integer(9), Pow(Integer(9), Integer(9)))",
        "star_power": "9**9**9",
        "large_power": "Pow(Integer(9), Integer(999999999))",
        "shift": "LShift(Integer(1), Integer(99999999999))",
        "unread": "Symbol('s77'",
        "text": "Symbol('s77 or exit()')",
        "deep": "Add(" * 500 + "1" + ")" * 500,
        "long": "+".join(["Symbol('s77')"] * 4_000),
    }
    for name, expression in expressions.items():
        yield f"expression_{name}.pt2", exported(program(expression=expression)), (*unsafe, "long", "deep")
    guards = {"import": "__import__('os').system('true')", "newline": "1\n  import os", "text": "'\"' == 1"}
    for name, guard in guards.items():
        yield f"guard_{name}.pt2", exported(program(guards=[guard])), unsafe
    for target in ("torch.os.system", "_operator.attrgetter", "_operator.call", "torch.ops.aten.from_file.default",
                   "torch.ops.aten.save", "torch.load", "torch.ops.higher_order.call_torchbind"):  # fmt: skip
        yield f"target_{target}.pt2", exported(program(target=target)), unsafe
    yield "placeholder.pt2", exported(program(name="x=__import__('os').system('true')")), unsafe
    yield "parameter.pt2", exported(program(parameter='w"), exec("1"), ("')), unsafe
    yield "spec.pt2", exported(program(in_spec=json.dumps([1, {"context": json.dumps(["a'); exec('1"])}]))), unsafe
    yield "use_pickle.pt2", exported(weights={"w": weight(use_pickle=True)}), ("pickle",)
    yield "custom_object.pt2", exported(weights={"w": weight(path_name="custom_obj_0")}), ("not allowed",)
    yield "unlisted.pt2", exported(**{"a/data/weights/model.pt": b"x"}), ("pickle",)
    yield "compiled.pt2", exported(**{"a/data/aotinductor/model/x.so": b"\x7fELF"}), ("code",)
    yield "samples_pickle.pt2", exported(samples=pickle.dumps(Call(print, 1), 2)), ("pickle", "unsafe")
    yield "samples_zip.pt2", exported(samples=state_dict(b"\x80\x02" + CALL + b".")), ("code",)
    evil = b"\x80\x02" + CALL + b"."
    hidden = zipped({"a/x.pkl": b"\x80\x02).", "a/DATA.PKL": evil, "a/version": b"3"})  # torch finds it as data.pkl
    yield "samples_capitals.pt2", exported(samples=hidden), ("case", "code", "unsafe")
    tucked = zipped({"a/x.pkl": b"\x80\x02).", "a/Data.pkl": evil + b"padding", "a/version": b"3"})
    yield "samples_mixed_case.pt2", exported(samples=tucked), ("case", "code", "unsafe")
    yield "samples_unnamed.pt2", exported(samples=state_dict(**{"a/data/9": evil})), ("code", "unsafe")
    capitals = {"a/DATA/sample_inputs/model.pt": state_dict(evil), "a/data/Weights/weight_0": b"x"}
    for name, data in capitals.items():
        yield f"capitals_{name.replace('/', '_')}2", exported(**{name: data}), ("case", "unsafe", "twice")
    both = {"z/archive_format": b"pt2", "z/models/model.json": b"{}", "z/data/sample_inputs/model.pt": state_dict(evil)}
    yield "two_roots.pt2", exported(**both), ("top folder",)
    yield "capitals.pt", zipped({"a/DATA.PKL": evil, "a/version": b"3"}), ("case", "unsafe")
    size = ("size", "shape", "invalid")
    yield "large_weight.pt2", exported(weights={"w": weight(sizes=[1 << 60])}), size
    yield "negative_weight.pt2", exported(weights={"w": weight(sizes=[-4])}), size
    yield "offset_weight.pt2", exported(weights={"w": weight(offset=1)}), size
    yield "missing_weight.pt2", exported(weights={"w": weight(path_name="weight_7")}), ("missing",)
    yield "not_json.pt2", exported(**{"a/models/model.json": b"{"}), ("damaged",)
    yield "deep_json.pt2", exported(**{"a/models/model.json": b'{"a":' * 50_000 + b"1" + b"}" * 50_000}), ("damaged",)
    yield "no_program.pt2", zipped({"a/archive_format": b"pt2", "a/version": b"3"}), ("incomplete",)
    yield "old.pt2", zipped({"serialized_exported_program.json": b"{}", "version": b"1"}), ("old", "supported")
