"""A Hugging Face config.json: an architecture without weights, built and run on fake tensors.

Only architectures that come with the installed library are built; a configuration that brings code of its own
(auto_map) is refused.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import InputError, Unavailable
from data.text import plain
from profiler.inputs import SEQUENCE_LENGTH
from profiler.torch_graph.model import model_of
from profiler.types import Axis, Model, Tensor

NO_WEIGHTS = "Latency needs a model that runs: this is a configuration, without weights. Export the model to ONNX."
LIMIT_BYTES = 1 << 22
NOT_BUILT = ("model_type", "quantization_config", "auto_map")  # what the library's own class is not given
SECONDS_OF_SOUND = 16_000  # one second at the sampling rate speech models expect


class HfConfig:
    """One config.json."""

    NAME = "hf_config"
    SUFFIXES = (".json",)

    def sniff(self, head: bytes, path: Path) -> bool:
        return head.lstrip()[:1] == b"{" and (b'"model_type"' in head or b'"architectures"' in head)

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """Parameters and layers of the architecture. Raises InputError where it is unknown or brings its own code."""
        os.environ["HF_HUB_OFFLINE"] = "1"
        fields = _fields(path)
        config, module = _built(fields)
        inputs = _inputs(config, module)
        return model_of(
            path, self.NAME, module, inputs, shapes, positional=False, cannot_run=NO_WEIGHTS,
            notes=(f"Built from its configuration as {type(module).__name__}; attention is counted as two products.",),
        )  # fmt: skip


def meta(fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """The configuration and its module, with a head where it writes, of tensors without numbers: to be counted, not
    run. Code that a configuration brings along is left alone: the library's own class is built. Raises as `read`."""
    import torch
    import transformers
    from transformers.initialization import no_init_weights

    os.environ["HF_HUB_OFFLINE"] = "1"
    kind = fields.get("model_type")
    if not isinstance(kind, str) or kind not in transformers.CONFIG_MAPPING:
        raise _unknown(str(kind or "unnamed"))
    known = {name: value for name, value in fields.items() if name not in NOT_BUILT}
    try:
        config = transformers.AutoConfig.for_model(kind, **known)
        config._attn_implementation = "eager"
        make = _named_class(config)._from_config if _named_class(config) else _writing(config).from_config
        with torch.device("meta"), no_init_weights():
            module = make(config, dtype=torch.bfloat16)  # what every layer can be followed in
        module.tie_weights()
    except Exception as error:  # a configuration can be wrong in as many ways as it has fields
        raise InputError(
            "No model can be built from this configuration.", hint="Check its fields.", details=str(error)
        ) from None
    return config, module.eval()


def _writing(config: Any) -> Any:
    """The library's automatic class for this kind of configuration: with a head that writes, if there is one."""
    import transformers
    from transformers.models.auto import modeling_auto

    names = ("MODEL_FOR_CAUSAL_LM", "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM", "MODEL_FOR_IMAGE_TEXT_TO_TEXT")
    makers = ("AutoModelForCausalLM", "AutoModelForSeq2SeqLM", "AutoModelForImageTextToText")
    for name, maker in zip(names, makers, strict=True):
        if type(config) in getattr(modeling_auto, f"{name}_MAPPING"):
            return getattr(transformers, maker)
    return transformers.AutoModel


def _unknown(kind: str) -> Unavailable:
    import transformers

    return Unavailable(
        f'The installed transformers {transformers.__version__} does not know the model type "{plain(kind, 40)}".',
        hint="Export the model to ONNX.",
    )


def _fields(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LIMIT_BYTES:
        raise InputError("This JSON file is too large to be a model's configuration.")
    try:
        fields = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError("This JSON file is damaged.", details=str(error)) from None
    if not isinstance(fields, dict) or not isinstance(fields.get("model_type"), str):
        raise InputError("This JSON file is not a model's configuration: it names no model_type.")
    if "auto_map" in json.dumps(fields):
        raise InputError(
            "This configuration brings code of its own (auto_map), which is never run.",
            hint="Export the model to ONNX, or use an architecture of the transformers library.",
        )
    return fields


def _built(fields: dict[str, Any]) -> tuple[Any, Any]:
    """The configuration, and its module made of fake tensors (eager attention, in its own number type)."""
    import transformers

    kind = fields["model_type"]
    if kind not in transformers.CONFIG_MAPPING:
        raise _unknown(kind)
    known = {name: value for name, value in fields.items() if name not in NOT_BUILT}
    try:
        config = transformers.AutoConfig.for_model(kind, **known)
        config._attn_implementation = "eager"
        module = _made(config, config.dtype or _default_dtype(fields))
    except Exception as error:  # a configuration can be wrong in as many ways as it has fields
        raise InputError(
            "No model can be built from this configuration.", hint="Check its fields.", details=str(error)
        ) from None
    return config, module.eval()


def _default_dtype(fields: Mapping[str, Any]) -> Any:
    """Quantized checkpoints and mixtures of experts that name no type compute in bfloat16; others in float32."""
    import torch

    special = any(name == "quantization_config" or name.endswith(("_experts", "_routed_experts")) for name in fields)
    return torch.bfloat16 if special else torch.float32


def _made(config: Any, dtype: Any) -> Any:
    """The module, its tensors fake. Some read numbers while they are made: those are made on the meta device first."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    named = _named_class(config)
    make = named._from_config if named else _automatic
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            return make(config, dtype=dtype)
    except RuntimeError:
        with torch.device("meta"):
            module = make(config, dtype=dtype)
        with FakeTensorMode(allow_non_fake_inputs=True):
            module.to_empty(device="cpu")
        module.tie_weights()
        return module


def _automatic(config: Any, *, dtype: Any) -> Any:
    """The base model of a configuration that names no class."""
    import transformers

    return transformers.AutoModel.from_config(config, dtype=dtype)


def _named_class(config: Any) -> Any:
    """The library's class that the configuration names, if it is one of a model."""
    import transformers

    name = (config.architectures or [""])[0]
    found = getattr(transformers, name, None) if isinstance(name, str) and name.isidentifier() else None
    return found if isinstance(found, type) and issubclass(found, transformers.PreTrainedModel) else None


def _inputs(config: Any, module: Any) -> tuple[Tensor, ...]:
    """What such a model is called with: ids and mask, pictures, or sound."""
    import inspect

    taken = inspect.signature(module.forward).parameters
    places = getattr(config.get_text_config(), "max_position_embeddings", None) or SEQUENCE_LENGTH
    text: tuple[Axis, ...] = ("batch", "sequence" if places >= SEQUENCE_LENGTH else places)
    found = []
    if module.main_input_name == "input_ids" or ("input_ids" in taken and "pixel_values" in taken):
        bound = getattr(config.get_text_config(), "vocab_size", None)
        found.append(Tensor(name="input_ids", dtype="int64", shape=text, upper_bound=bound))
        if "attention_mask" in taken:
            found.append(Tensor(name="attention_mask", dtype="int64", shape=text))
        if config.is_encoder_decoder and "decoder_input_ids" in taken:
            found.append(Tensor(name="decoder_input_ids", dtype="int64", shape=text, upper_bound=bound))
    of_text = found and type(module).__name__.endswith(("ForCausalLM", "ForConditionalGeneration"))
    if "pixel_values" in taken and not of_text:  # a language model that can also see is counted on text
        vision = getattr(config, "vision_config", None) or config
        size = getattr(vision, "image_size", None) or 224
        height, width = size if isinstance(size, list | tuple) else (size, size)
        channels = getattr(vision, "num_channels", 3)
        found.append(Tensor(name="pixel_values", dtype="float32", shape=("batch", channels, height, width)))
    if "input_features" in taken and hasattr(config, "num_mel_bins"):
        frames = 2 * getattr(config, "max_source_positions", 1500)
        found.append(Tensor(name="input_features", dtype="float32", shape=("batch", config.num_mel_bins, frames)))
        if "decoder_input_ids" in taken:
            found.append(Tensor(name="decoder_input_ids", dtype="int64", shape=text))
    if "input_values" in taken and not found:
        found.append(Tensor(name="input_values", dtype="float32", shape=("batch", SECONDS_OF_SOUND)))
    if not found:
        raise InputError("It is not known here what a model of this configuration is called with.")
    return tuple(found)


FORMAT = HfConfig()
