"""Hostile files of every other kind: archives, safetensors, GGUF, arrays, and what people upload by mistake."""

import io
import json
import struct
import zipfile

from tests.hostile.build_torch import zipped

FLOATS = bytes(16)


def onnx_bytes():
    """The smallest whole ONNX model, field by field: version 8, a graph with one node, opset 17."""
    node = b"\x0a\x01x\x12\x01y\x22\x04Relu"
    value = b"\x0a\x01%c\x12\x08\x0a\x06\x08\x01\x12\x02\x0a\x00"
    graph = b"\x0a%c" % len(node) + node + b"\x12\x01g"
    for field, name in ((0x5A, b"x"), (0x62, b"y")):
        described = value % name
        graph += b"%c%c" % (field, len(described)) + described
    return b"\x08\x08\x3a%c" % len(graph) + graph + b"\x42\x02\x10\x11"


def entry(name, data=b"x", **changes):
    info = zipfile.ZipInfo(name)
    for key, value in changes.items():
        setattr(info, key, value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.onnx", onnx_bytes())
        archive.writestr(info, data)
    return buffer.getvalue()


def patched(data, old, new, where=-1):
    """`data` with the last (or first) `old` replaced by `new` of the same length."""
    assert len(old) == len(new)
    assert old in data
    place = data.rindex(old) if where < 0 else data.index(old)
    return data[:place] + new + data[place + len(old) :]


def overlapping():
    """Two entries of the list of contents that share one place."""
    data = zipped({"model.onnx": onnx_bytes(), "one.bin": b"a" * 50, "two.bin": b"a" * 50})
    at = data.rindex(b"two.bin") - 4
    first = data.rindex(b"one.bin") - 4
    return data[:at] + data[first : first + 4] + data[at + 4 :]


def archives():
    whole = zipped({"model.onnx": onnx_bytes(), "w.bin": FLOATS})
    path = ("path", "outside", "unsafe", "name")
    for number, name in enumerate(("../up", "/abs", "a/../../up", "a//b", "C:x", "./model", "a\x1fb")):
        yield f"path_{number}.zip", entry(name), path
    yield "backslash.zip", patched(patched(entry("a_b"), b"a_b", b"a\\b"), b"a_b", b"a\\b", 0), path
    for name, mode in (("symlink", 0o120777), ("fifo", 0o010644), ("device", 0o020644)):
        yield f"{name}.zip", entry("w.bin", external_attr=mode << 16, create_system=3), ("link", "special")
    once = patched(entry("other_onnx"), b"other_onnx", b"model.onnx")
    yield "twice.zip", patched(once, b"other_onnx", b"model.onnx", 0), ("twice", "duplicate")
    yield "twice_by_case.zip", entry("MODEL.onnx"), ("twice", "duplicate")
    central = whole.index(b"PK\x01\x02")
    yield "encrypted.zip", whole[: central + 8] + b"\x01" + whole[central + 9 :], ("encrypt", "password")
    yield "overlap.zip", overlapping(), ("overlap", "damaged", "another name")
    bomb = zipped({"model.onnx": onnx_bytes(), "w.bin": bytes(8 << 20)}, zipfile.ZIP_DEFLATED)
    yield "bomb.zip", bomb, ("expand", "bomb")
    lie = zipped({"model.onnx": bytes(range(256)) * 400}, zipfile.ZIP_DEFLATED)
    yield "lie.zip", patched(lie, struct.pack("<I", 102_400), struct.pack("<I", 10)), ("size", "lies")
    lie = zipped({"a.onnx": onnx_bytes(), "b.bin": b"ab" * 1_000}, zipfile.ZIP_DEFLATED)
    yield "small_lie.zip", patched(lie, struct.pack("<I", 2_000), struct.pack("<I", 1_000)), ("size", "more", "expands")
    yield "before.zip", b"PK\x03\x04junk" + whole, ("damaged", "before")
    yield "after.zip", whole + b"junk", ("cut short", "follows")
    yield "comment.zip", whole[:-2] + b"\x04\x00junk", ("comment", "cut short", "damaged")
    yield "other_name.zip", patched(whole, b"w.bin", b"v.bin"), ("another name", "damaged")
    yield "cut.zip", whole[: len(whole) // 2], ("cut short", "incomplete")
    yield "outside.zip", patched(whole, struct.pack("<I", central), struct.pack("<I", 1 << 30)), ("damaged",)
    yield "empty.zip", zipped({}), ("empty",)
    yield from two_stories(whole)
    yield "nested.zip", zipped({"a.zip": whole}), ("archive",)
    yield "two_models.zip", zipped({"a.onnx": onnx_bytes(), "b.onnx": onnx_bytes()}), ("2 ONNX models",)
    yield "no_model.zip", zipped({"a.txt": b"x"}), ("no model",)
    yield "keras.zip", zipped({"config.json": b"{}", "model.weights.h5": b"x"}), ("Keras",)
    yield "arrays.npz", zipped({"x.npy": b"\x93NUMPY"}), ("holds data",)
    yield "many.zip", zipped({f"f{number}": b"" for number in range(2_500)} | {"m.onnx": onnx_bytes()}), ("entries",)
    yield "not_onnx.zip", zipped({"m.onnx": b"hello"}), ("not an ONNX",)


def end64(archive, *, locator=None, count=None, size=44, gap=b""):
    """The archive with a 64-bit end before its end, as large archives have; the changes make it lie."""
    directory, end = archive.index(b"PK\x01\x02"), len(archive) - 22
    listed = struct.unpack("<H", archive[end + 8 : end + 10])[0]
    counts = (listed if count is None else count,) * 2
    long = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", size, 45, 45, 0, 0, *counts, end - directory, directory)
    place = end + len(gap) if locator is None else locator
    return archive[:end] + gap + long + b"PK\x06\x07" + struct.pack("<IQI", 0, place, 1) + archive[end:]


def two_stories(whole):
    """Archives of which one reader sees this list of contents, and another one that."""
    damaged = ("damaged", "hidden", "contradict")
    central, end = whole.index(b"PK\x01\x02"), len(whole) - 22
    yield "end64_elsewhere.zip", end64(whole, locator=central), damaged
    yield "end64_count.zip", end64(whole, count=1), damaged
    yield "end64_long.zip", end64(whole, size=1 << 40), damaged
    yield "end64_gap.zip", end64(whole, gap=b"hidden"), damaged
    yield "directory_gap.zip", whole[:end] + b"hidden" + whole[end:], damaged
    yield (
        "directory_shift.zip",
        whole[:end] + whole[end:].replace(struct.pack("<I", central), struct.pack("<I", central + 4)),
        damaged,
    )
    fewer = whole[:end] + patched(whole[end:], b"\x02\x00\x02\x00", b"\x01\x00\x01\x00")
    yield "fewer_entries.zip", fewer, ("damaged", "entries")
    yield "nul_name.zip", patched(patched(entry("a_b.onnx"), b"a_b", b"a\0b"), b"a_b", b"a\0b", 0), ("unsafe", "name")
    twice = entry("w.bin", extra=struct.pack("<HHQHHQ", 1, 8, 1, 1, 8, 1))
    yield "twice_in_extra.zip", twice, ("damaged", "twice")


def safetensors(header, data=FLOATS, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def weights_of_safetensors():
    def one(**changes):
        return {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | changes}

    header = ("header", "offset", "shape", "dtype", "invalid", "json", "overlap", "duplicate")
    cases = {
        "long_header": safetensors(one(), length=1 << 62), "longer_than_file": safetensors(one(), length=1_000),
        "not_json": safetensors(b"{'w': 1}"), "not_table": safetensors(b"[1]" + b" " * 5, length=8),
        "dtype": safetensors(one(dtype="X9")), "shape": safetensors(one(shape=[5])),
        "negative": safetensors(one(shape=[-4])), "overflow": safetensors(one(shape=[1 << 40, 1 << 40])),
        "backwards": safetensors(one(data_offsets=[16, 0])), "past": safetensors(one(data_offsets=[16, 32])),
        "float_shape": safetensors(one(shape=[4.0])), "gap": safetensors(one(data_offsets=[4, 20]), bytes(20)),
        "trailing": safetensors(one(), bytes(20)), "cut": safetensors(one(), bytes(12)),
        "twice": safetensors(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
                             b'"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}'),
        "overlap": safetensors(one() | {"v": one()["w"]}), "metadata": safetensors(one() | {"__metadata__": {"a": 1}}),
        "deep": safetensors(b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    }  # fmt: skip
    for name, data in cases.items():
        yield f"{name}.safetensors", data, header


def text(value):
    return struct.pack("<Q", len(value)) + value


def gguf(*, version=3, tensors=1, keys=(), name=b"w", dims=(4,), kind=0, offset=0, data=FLOATS, counts=None):
    head = b"GGUF" + struct.pack("<IQQ", version, *(counts or (tensors, len(keys))))
    for key in keys:
        head += key
    if tensors:
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
    return head + bytes(-len(head) % 32) + data


def ggufs():
    words = ("gguf", "version", "count", "length", "dims", "offset", "type", "invalid", "large", "align")
    number = text(b"k") + struct.pack("<II", 4, 1)
    cases = {
        "version": gguf(version=99), "tensors": gguf(counts=(1 << 63, 0)), "keys": gguf(counts=(1, 1 << 62)),
        "dims": gguf(dims=(1,) * 40), "huge_dims": gguf(dims=(1 << 40, 1 << 40)), "type": gguf(kind=999),
        "block": gguf(kind=2, dims=(3,)), "offset": gguf(offset=64), "unaligned": gguf(offset=4),
        "cut": gguf()[:40], "no_data": gguf(data=b""), "text": gguf(keys=[struct.pack("<Q", 1 << 62)]),
        "value_type": gguf(keys=[text(b"k") + struct.pack("<I", 77)]),
        "array": gguf(keys=[text(b"k") + struct.pack("<IIQ", 9, 4, 1 << 60)]),
        "text_array": gguf(keys=[text(b"k") + struct.pack("<IIQ", 9, 8, 1 << 40)]),
        "array_of_arrays": gguf(keys=[text(b"k") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQIQ", 9, 1, 9, 1)]),
        "alignment": gguf(keys=[text(b"general.alignment") + struct.pack("<II", 4, 3)]),
        "key_cut": gguf(keys=[number])[:30],
    }  # fmt: skip
    for name, data in cases.items():
        yield f"{name}.gguf", data, words


def mistakes():
    words = ("not a", "no model", "format", "empty", "unknown", "pointer")
    cases = {
        "empty.onnx": b"", "text.onnx": b"hello " * 200, "page.pt": b"<html><script>alert(1)</script></html>",
        "picture.onnx": b"\x89PNG\r\n\x1a\n" + bytes(2_000), "program.gguf": b"\x7fELF" + bytes(400),
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "array.onnx": b"\x93NUMPY\x01\x00" + bytes(100), "keras.h5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "lite.tflite": b"\x1c\x00\x00\x00TFL3" + bytes(100), "packed.onnx": b"\x1f\x8b\x08" + bytes(100),
        "document.onnx": b"%PDF-1.7" + bytes(100), "noise.onnx": bytes(range(255, 0, -1)) * 9,
        "settings.json": b'{"a": 1}', "broken.json": b'{"model_type": "bert"',
        "openvino.xml": b"<?xml version='1.0'?><net>", "tar.pt": bytes(257) + b"ustar" + bytes(250),
    }  # fmt: skip
    for name, data in cases.items():
        yield name, data, (*words, "damaged", "pickle")
    yield (
        "model.safetensors.index.json",
        b'{"metadata": {}, "weight_map": {"a": "one.safetensors"}}',
        ("index of weights",),
    )
    whole = onnx_bytes()
    for percent in range(10, 100, 10):
        yield f"cut_{percent}.onnx", whole[: len(whole) * percent // 100], ("cut", "incomplete", "damaged", "not a")


def npy(header, data=FLOATS):
    text_of = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text_of)) + text_of + data


def arrays():
    """Calibration data, refused by triage_data."""
    words = ("array", "shape", "size", "npy", "invalid", "memory", "large", "row", "damaged", "data", "pickle")
    yield "objects.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (4,), }"), words
    yield "huge.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"), words
    yield "code.npy", npy("{'descr': __import__('os').system('true'), 'shape': (4,), }"), words
    yield "negative.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,), }"), words
    yield "record.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }"), words
    yield "short.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", bytes(8)), words
    yield "version.npy", b"\x93NUMPY\x09\x00" + bytes(100), words
    yield "deep.npy", npy("(" * 9_000), words
    yield "objects.npz", zipped({"a.npy": npy("{'descr': '|O', 'shape': (4,), }")}), words
    yield "other.npz", zipped({"a.txt": b"x"}), words
    yield "data.pkl", b"\x80\x04K\x01.", words
    yield "wide.csv", b"1," * 300_000, words
    yield "binary.csv", bytes(100), words
    yield "empty.csv", b"", ("empty",)
