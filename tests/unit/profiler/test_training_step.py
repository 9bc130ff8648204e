"""A real training step in a locked child."""

import pytest

from data.errors import InputError
from data.home import home
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.memory import training_memory
from profiler.profile import Subject
from profiler.training import measure_step, trained
from profiler.types import Model, Tensor
from tests.fakes import Keeper

WIDTH, CLASSES = 2048, 10
MODEL = Model(
    sha256="s", name="m", format="pt2", file_bytes=1, parameter_count=WIDTH * WIDTH, parameters_by_dtype={},
    weight_bytes=1, inputs=(Tensor(name="x", dtype="float32", shape=(4, WIDTH)),),
)  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, CLASSES))
    path = tmp_path_factory.mktemp("torch") / "m.pt2"
    torch.export.save(torch.export.export(network.eval(), (torch.zeros(4, WIDTH),)), path)
    return path


def test_a_step_takes_what_the_arithmetic_says(program):
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    subject = Subject(path=program, model_sha256="s", runtime="torch")
    feed = Feed(model=MODEL, batch_size=4)
    full, head = (measure_step(desk, subject, feed, mode) for mode in ("full", "head"))
    count = WIDTH * WIDTH + WIDTH + CLASSES * WIDTH + CLASSES
    assert full.trained_count == full.parameter_count == count
    assert head.trained_count == CLASSES * WIDTH + CLASSES
    assert head.peak_bytes < full.peak_bytes
    # Adam works on temporaries as large as a parameter, and the file is held beside the weights while it is read.
    assert 0.8 < full.peak_bytes / training_memory(count, 0).total_bytes < 2.5
    with pytest.raises(InputError):
        measure_step(desk, Subject(path=program, model_sha256="s"), feed)
    with pytest.raises(InputError):
        measure_step(desk, subject, feed, "sideways")


def test_the_head_is_the_last_module_with_parameters():
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    head = trained(list(network.named_parameters()), "head")
    assert sum(parameter.numel() for parameter in head) == 4
    assert [parameter.requires_grad for parameter in network.parameters()] == [False, False, True, True]
    with pytest.raises(InputError):
        trained([], "full")
