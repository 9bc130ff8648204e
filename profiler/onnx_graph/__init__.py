"""ONNX graphs: read, checked, their shapes inferred, their costs counted, layer by layer."""
