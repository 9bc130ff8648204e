"""`python -m data` proves and credits the tables, and fails with 5 where one is broken."""

import pytest

from data.__main__ import main

BROKEN = "# title: Zones\n# source: somebody\n# licence: CC BY 4.0\n# as_of: 2001-01-31\nzone_id,pue\nNA,0.5\n"


def test_check_prints_every_file_and_passes(capsys):
    assert main(["check"]) == 0
    printed = capsys.readouterr().out
    assert "grid/electricity_maps" in printed
    assert ", 0 wrong" in printed


def test_check_fails_on_a_broken_table(tmp_path, capsys):
    (tmp_path / "grid").mkdir()
    (tmp_path / "grid" / "zones.csv").write_text(BROKEN)
    assert main(["check"], root=tmp_path) == 5
    printed = capsys.readouterr()
    assert "1 wrong" in printed.out
    assert "0.5 (row 1) is outside 1 to 3" in printed.err


def test_missing_tables_are_a_data_error(tmp_path, capsys):
    assert main(["check"], root=tmp_path / "none") == 5
    assert "missing" in capsys.readouterr().err


def test_sources_say_licence_date_and_age(tmp_path, capsys):
    (tmp_path / "grid").mkdir()
    (tmp_path / "grid" / "zones.csv").write_text(BROKEN.replace("0.5", "1.5"))
    assert main(["sources"], root=tmp_path) == 0
    assert "CC BY 4.0; as of 2001-01-31, more than two years old" in capsys.readouterr().out


def test_the_licences_that_ask_for_credit_are_credited(capsys):
    assert main(["sources"]) == 0
    printed = capsys.readouterr().out
    for credit in ("Credit: Electricity Maps", "ODbL-1.0", "Credit: SpareCores", "Credit: Ember", "Credit: Epoch AI"):
        assert credit in printed


def test_an_unknown_command_is_refused():
    with pytest.raises(SystemExit) as stopped:
        main(["prove"])
    assert stopped.value.code == 2
