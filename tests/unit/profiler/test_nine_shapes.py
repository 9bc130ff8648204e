"""FLOP and parameters of the nine shapes against their closed forms, and against torch's own counter."""

import make_models
import pytest
from closed_forms import CLOSED_FORMS, PARAMETERS
from onnx_cases import read

# Exporters fold batch norms into the convolutions: weight and bias of each channel become one bias.
FOLDED_CHANNELS = {"digits_cnn": 160 * 2, "mobilenetv2": 17_056, "resnet50": 26_560}
LARGE = ("vit_s", "resnet50", "dlrm", "bert_base", "gpt2_small")
NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in make_models.SHAPES]


# Both of torch's exporters are read; the older one is several times as fast on these.
TRACED = ("mobilenetv2", "resnet50", "vit_s", "bert_base")


@pytest.mark.parametrize("name", NAMES)
def test_flop_and_parameters_of_the_shape(name, tmp_path):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):  # shapes alone: nothing is computed
        module, example = make_models.network(name).eval(), make_models.example(name, batch=1)
    assert sum(parameter.numel() for parameter in module.parameters()) == PARAMETERS[name]
    path = make_models.onnx_file(name, tmp_path, traced=name in TRACED)
    model = read(path)
    path.unlink()  # the large ones take half a gigabyte
    closed = CLOSED_FORMS[name]()
    assert model.flop == pytest.approx(closed, rel=0.01)
    assert model.flop == closed  # in fact to the last one
    assert model.parameter_count == PARAMETERS[name] - FOLDED_CHANNELS.get(name, 0)
    assert sum(each.parameter_count for each in model.layers) == model.parameter_count
    assert sum(each.flop for each in model.layers) == model.flop
    assert model.notes == ()
    if name == "lstm":  # the counter does not know LSTMs: it counts the last layer alone
        return
    with FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device("meta"):
        module(*(value.to("meta") for value in example.values()))
    assert counter.get_total_flops() == closed
