"""The settings on the page: what is in force and from where, setting one, taking it back, what follows from it."""

import pytest

from advisor.site import usual_budget
from data.settings import settings


@pytest.fixture
def opened(open_page):
    test = open_page("about")
    (part,) = [one for one in test.get("button_group") if one.label == "Part"]
    return part.set_value("Settings").run()


def rows(test):
    (frame,) = [one.value for one in test.dataframe if "comes_from" in one.value]
    return {row.name: (row.value, row.comes_from) for row in frame.itertuples(index=False)}


def button(test, label):
    (found,) = [one for one in test.button if one.label == label]
    return found


def test_every_setting_is_shown_with_its_origin(opened, own_home):
    shown = rows(opened)
    assert shown["RIGHTSIZE_HOME"] == (str(own_home), "RIGHTSIZE_HOME")
    assert shown["upload_mb"] == ("400", "default")
    assert set(settings().origins) <= set(shown)


def test_a_value_is_set_and_taken_back(opened):
    test = opened.selectbox(key="setting").set_value("zone").run()
    test = test.selectbox(key="setting-zone").set_value("FR").run()
    test = button(test, "Set").click().run()
    assert not test.exception
    assert rows(test)["zone"] == ("FR", "set on the page")
    assert usual_budget().zone == "FR"
    test = button(test, "Take back").click().run()
    assert rows(test)["zone"] == ("not set", "default")
    assert settings().zone is None


def test_a_variable_is_shown_and_cannot_be_taken_back_here(open_page, monkeypatch):
    monkeypatch.setenv("RIGHTSIZE_OBJECTIVE", "size")
    test = open_page("about")
    (part,) = [one for one in test.get("button_group") if one.label == "Part"]
    test = part.set_value("Settings").run().selectbox(key="setting").set_value("objective").run()
    assert rows(test)["objective"] == ("size", "RIGHTSIZE_OBJECTIVE")
    assert button(test, "Take back").disabled


def test_a_broken_file_is_a_card_not_a_crash(own_home, open_page):
    own_home.mkdir(exist_ok=True)
    (own_home / "settings.toml").write_text("zone = 3 4")
    test = open_page("overview")
    assert any("settings.toml cannot be read" in one.value.replace("\\", "") for one in test.markdown)
