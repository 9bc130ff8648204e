"""Settings: file, then environment, then page; each value says where it comes from, and a wrong one is refused."""

import json

import pytest

from advisor import types
from data import settings as source
from data.__main__ import main
from data.errors import InputError
from data.home import home
from data.settings import KINDS, OBJECTIVES, Settings, put, settings

WRONG = {
    "upload_mb": ["0", "x", "-5", True],
    "measure_seconds": ["0", "nan", "1e9"],
    "search_seconds": ["1"],
    "memory_mb": ["1.5x", "10"],
    "zone": ["Atlantis", ""],
    "objective": ["speed"],
    "usd_per_kwh": ["-1", "inf"],
    "turbine_mw": ["0", "-2", "1e3"],
    "turbine_h": ["0", "9000"],
    "g_per_kwh": ["DE", "DE=-3", "Atlantis=5", 7],
}
RIGHT = {
    "upload_mb": ("800", 800), "measure_seconds": ("4", 4.0), "search_seconds": (90, 90.0), "memory_mb": ("2048", 2048),
    "zone": ("FR", "FR"), "objective": ("size", "size"), "usd_per_kwh": ("0.25", 0.25),
    "turbine_mw": ("10", 10.0), "turbine_h": ("3000", 3000.0),
    "g_per_kwh": ("DE=320, FR=40", {"DE": 320.0, "FR": 40.0}),
}  # fmt: skip


def test_everything_has_a_default_and_says_so():
    found = settings()
    assert found == Settings(origins=dict.fromkeys(KINDS, "default"))
    assert set(KINDS) == set(RIGHT) == set(WRONG)
    assert OBJECTIVES == types.OBJECTIVES
    assert found.memory_bytes is None and put("memory_mb", 512).memory_bytes == 512 * 1024 * 1024


def test_file_environment_page_in_that_order(own_home, monkeypatch):
    own_home.mkdir()
    (own_home / "settings.toml").write_text(
        'zone = "DE"\nobjective = "size"\nsearch_seconds = 60\n[g_per_kwh]\nDE = 300'
    )
    assert settings().zone == "DE" and settings().origins["zone"] == "settings.toml"
    assert settings().g_per_kwh == {"DE": 300.0}
    monkeypatch.setenv("RIGHTSIZE_ZONE", "FR")
    assert (settings().zone, settings().origins["zone"]) == ("FR", "RIGHTSIZE_ZONE")
    assert (put("zone", "SE").zone, settings().origins["zone"]) == ("SE", "set on the page")
    assert settings().objective == "size", "what the page leaves alone still comes from the file"
    assert put("zone", None).zone == "FR"
    monkeypatch.delenv("RIGHTSIZE_ZONE")
    assert settings().zone == "DE"


@pytest.mark.parametrize("name", RIGHT)
def test_a_value_is_read_alike_from_everywhere(name, own_home, monkeypatch):
    given, wanted = RIGHT[name]
    assert getattr(put(name, given), name) == wanted
    put(name, None)
    monkeypatch.setenv(f"RIGHTSIZE_{name.upper()}", str(given))
    assert getattr(settings(), name) == wanted
    assert settings().origins[name] == f"RIGHTSIZE_{name.upper()}"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_value_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises(InputError) as caught:
        put(name, value)
    assert name in caught.value.message and "\n" not in caught.value.message
    assert settings() == Settings(origins=dict.fromkeys(KINDS, "default"))


@pytest.mark.parametrize("text", ["zone = DE", "zonne = 'DE'", "zone = ['DE']", "\x00"])
def test_a_broken_file_names_itself(text, own_home):
    own_home.mkdir()
    (own_home / "settings.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        settings()
    assert caught.value.message.startswith("settings.toml")


def test_a_name_that_is_near_is_offered():
    with pytest.raises(InputError) as caught:
        put("zonee", "DE")
    assert caught.value.hint == "Did you mean zone?"


def test_the_home_s_origin(monkeypatch):
    assert source.home_origin() == "RIGHTSIZE_HOME"
    monkeypatch.delenv("RIGHTSIZE_HOME")
    assert source.home_origin() == "default"


def test_the_command_shows_and_sets(capsys):
    assert main(["settings", "--set", "zone=DE", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["zone"] == {"value": "DE", "from": "set on the page"}
    assert main(["settings", "--unset", "zone"]) == 0
    assert "zone: not set (default)" in capsys.readouterr().out
    assert main(["settings", "--set", "zone=Atlantis"]) == 2
    assert (home().root / "page-settings.json").exists()
