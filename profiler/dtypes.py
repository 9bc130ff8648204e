"""Number types by name: how many bits each takes, and what a tensor of it weighs."""

from data.units import BITS_PER_BYTE

BITS = {
    "float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "complex64": 64, "complex128": 128,
    "float8_e4m3": 8, "float8_e4m3fnuz": 8, "float8_e5m2": 8, "float8_e5m2fnuz": 8, "float8_e8m0": 8,
    "float4_e2m1": 4, "int64": 64, "int32": 32, "int16": 16, "int8": 8, "int4": 4, "int2": 2,
    "uint64": 64, "uint32": 32, "uint16": 16, "uint8": 8, "uint4": 4, "uint2": 2, "bool": 8, "string": 0,
}  # fmt: skip
# The widths at which sizes are told: what the same weights would weigh.
PRECISIONS = ("float32", "bfloat16", "int8", "int4")


def bytes_of(dtype: str, count: int) -> int:
    """Bytes of `count` numbers of this type, packed (two int4 a byte); 4 bytes each for a type not known."""
    return -(-count * BITS.get(dtype, 32) // BITS_PER_BYTE)


def is_float(dtype: str) -> bool:
    """Whether this is a floating type of 16 bits or more."""
    return dtype in ("float64", "float32", "float16", "bfloat16")


def sizes(parameter_count: int) -> dict[str, int]:
    """Bytes this many parameters take at each of PRECISIONS."""
    return {dtype: bytes_of(dtype, parameter_count) for dtype in PRECISIONS}


def onnx_dtype_name(elem_type: int) -> str:
    """The name of an ONNX element type: numpy's, and "float8_e4m3", "int4" and the like beside them."""
    import onnx

    if elem_type == onnx.TensorProto.UNDEFINED:
        return ""
    name = str(onnx.TensorProto.DataType.Name(elem_type)).lower()
    special = {"float": "float32", "double": "float64", "float8e4m3fn": "float8_e4m3", "float8e5m2": "float8_e5m2"}
    name = special.get(name, name)
    if name.startswith(("float8e", "float4e")):
        name = name.replace("e", "_e", 1)
    return name
