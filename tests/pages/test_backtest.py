"""The backtest tab: its numbers are the table's own, kinds can be left out, others' errors stand beside ours."""

from advisor.latency import backtest
from data import words


def test_the_tab_shows_every_kind_and_others_beside_ours(open_page, said):
    test = open_page("about")
    part = next(one for one in test.button_group if "Backtest" in one.options)
    test = part.set_value("Backtest").run()
    assert not test.exception
    rows = backtest.rows()
    shown = {metric.label: metric.value for metric in test.metric}
    assert shown["Measured rows"] == words.count(len(rows))
    assert shown["Median error"] == words.percent(rows["error_frac"].abs().median())
    kinds = next(one for one in test.button_group if "models" in str(one.options) or len(one.options) == 5)
    test = kinds.set_value(["models"]).run()
    models = rows[rows["kind"] == "models"]
    shown = {metric.label: metric.value for metric in test.metric}
    assert shown["Measured rows"] == "31" and not test.exception
    assert shown["Median error"] == words.percent(models["error_frac"].abs().median())


def test_others_stand_beside_ours_on_every_device_of_the_models():
    rows = backtest.beside_others(backtest.rows())
    assert set(rows["who"]) >= {backtest.OURS, "NeuSight, published", "Habitat (Yu et al. 2021), published",
                                "Li et al. 2023, published", "Plain roofline"}  # fmt: skip
    assert rows.groupby("who")["device"].nunique().eq(5).all()
