"""The shared corpus of bad and good files: each comes to what its manifest says, and touches nothing outside."""

import time
from pathlib import Path

import pytest

from data.errors import InputError, MeasurementError, RightsizeError
from data.home import Home
from data.records import from_plain, to_plain
from profiler import intake, measure
from profiler.jobs import Desk
from profiler.measure import Entry, Feed
from profiler.sandbox import Limits
from profiler.timing import Settings
from profiler.triage.data import triage_data
from profiler.types import Model
from tests.fakes import Keeper
from tests.hostile.world import CORPUS, NO_CORPUS, TOLD, check_text, corpus, run, untouched

MANIFEST = corpus()
ITEMS = {item["id"]: item for item in MANIFEST["items"]}
DATA = {name for name, item in ITEMS.items() if item["category"] == "calibration" or item["format"] == "npy"}
RUNS = {name for name, item in ITEMS.items() if item["must"] == "limit" or item["category"] == "onnx-bomb"} - DATA
READ = [name for name, item in ITEMS.items() if name not in DATA and item["must"] != "limit"]
LIMITED = [name for name in RUNS if ITEMS[name]["must"] == "limit"]
ENDLESS = ("ob_loop31", "ob_loopinf", "ts_spin")

pytestmark = pytest.mark.skipif(not ITEMS, reason=NO_CORPUS)


@pytest.fixture(autouse=True, scope="module")
def outside():
    with untouched(MANIFEST["marker"], MANIFEST["canary"]):
        yield


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What the product makes of every file, read in children of a few files each."""
    found = {}
    for number in range(0, len(READ), 20):
        names = READ[number : number + 20]
        files = [{"path": str(CORPUS / ITEMS[name]["file"]), "name": Path(ITEMS[name]["file"]).name} for name in names]
        limits, folder = Limits(seconds=300), tmp_path_factory.mktemp("job")
        told = run("look_at", {"files": files}, folder, readable=[CORPUS], limits=limits)
        found |= dict(zip(names, told, strict=True))
    return found


@pytest.fixture
def desk(tmp_path):
    return Desk(Home(tmp_path / "home"), Keeper(), lambda done_frac, text: None)


def judge(item, outcome, table="corpus"):
    """What the manifest says of this file holds for this outcome."""
    assert MANIFEST["canary"] not in str(outcome)
    told = "accepted" if "error" not in outcome else "refused" if outcome["kind"] == "InputError" else "limited"
    TOLD[table][item["category"], told] += 1
    if "error" in outcome:
        check_text(outcome["error"], item["cause"])
        assert item["must"] != "accept", outcome["error"]
        assert "Traceback" not in outcome["details"]
    else:
        assert item["must"] not in ("refuse", "contain"), outcome["format"]


@pytest.mark.parametrize("name", READ)
def test_a_file_comes_to_what_it_must(outcomes, name):
    judge(ITEMS[name], outcomes[name])
    if ITEMS[name]["must"] == "refuse":
        assert outcomes[name]["seconds"] < 5


@pytest.mark.parametrize("name", sorted(DATA))
def test_data_comes_to_what_it_must(name):
    item = ITEMS[name]
    try:
        outcome = {"format": triage_data(CORPUS / item["file"], item["file"])}
    except InputError as error:
        outcome = error.as_dict()
    judge(item, outcome)


@pytest.mark.parametrize("name", sorted(LIMITED))
def test_what_never_ends_is_ended(desk, name, monkeypatch):
    """Inspected and run as the product does, with small limits."""
    seconds = 4.0 if name in ENDLESS else 60.0
    monkeypatch.setattr(intake, "INSPECT_S", seconds)
    started = time.monotonic()
    with pytest.raises(RightsizeError) as failed:
        inspect_and_run(desk, CORPUS / ITEMS[name]["file"], ITEMS[name], Limits(seconds=seconds, memory_bytes=2 << 30))
    check_text(failed.value.message, ITEMS[name]["cause"])
    TOLD["corpus"][ITEMS[name]["category"], "limited"] += 1
    assert time.monotonic() - started < 2 * seconds + 30


@pytest.mark.parametrize("name", ["ok_onnx", "ok_bundle", "pk_exec_dict", "zp_up", "ox_setattr"])
def test_the_way_in_leaves_nothing_of_a_refusal_and_all_of_a_good_file(desk, name):
    item = ITEMS[name]
    if item["must"] == "accept":
        kept = intake.take_in(desk, path=str(CORPUS / item["file"]))
        assert any(desk.home.model(kept["sha256"]).iterdir())
    else:
        with pytest.raises(InputError):
            intake.take_in(desk, path=str(CORPUS / item["file"]))
        assert not (desk.home.root / "models").exists()
    assert list(desk.home.jobs.iterdir()) == []


@pytest.mark.hostile
@pytest.mark.parametrize("name", READ)
def test_the_whole_way_in(desk, name):
    """Every file alone, by the way an upload takes, with its time."""
    item, started = ITEMS[name], time.monotonic()
    try:
        kept = intake.take_in(desk, path=str(CORPUS / item["file"]))
        outcome = {"format": "taken", "kept": kept}
    except RightsizeError as error:
        outcome = error.as_dict()
    judge(item, outcome, table="corpus, by the way an upload takes")
    if item["must"] == "refuse":
        assert time.monotonic() - started < 5
    assert list(desk.home.jobs.iterdir()) == []


@pytest.mark.hostile
@pytest.mark.parametrize("name", sorted(RUNS - set(LIMITED)))
def test_a_bomb_that_may_run_ends_in_one_line(desk, name):
    try:
        inspect_and_run(desk, CORPUS / ITEMS[name]["file"], ITEMS[name], Limits(seconds=60, memory_bytes=2 << 30))
    except (InputError, MeasurementError) as error:
        check_text(error.message)


def inspect_and_run(desk, path, item, limits):
    model = intake.look(desk, path, path.name, {"x": (2, 4)} if item["format"] == "torchscript" else {})
    assert isinstance(model, Model)
    runtime = "torch" if item["format"] == "torchscript" else "onnxruntime"
    entry = Entry(label="original", path=str(path), runtime=runtime)
    arguments = {"entries": [entry], "feed": Feed(model=from_plain(Model, to_plain(model))), "settings": Settings()}
    desk.task(measure.time_group, to_plain(arguments), readable=[path], limits=limits)
