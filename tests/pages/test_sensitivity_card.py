"""The card of sensitive layers: a button that starts the ranking, and the ranking with its advice."""

from dataclasses import replace

from advisor.find_sensitive import kept_id
from advisor.sensitivity import Outlier, Ranking, Sensitivity
from data.home import home
from data.store import Store

RANKING = Ranking(
    layers=(
        Sensitivity(
            layer="fc3", op="Gemm", weight_bytes=4, loss=0.25, snr_db=6.0, low=-1.0, high=3.0,
            outliers=(Outlier(channel=17, ratio=98.0),), advice="Channel 17 stretches the range 98 times.",
        ),
        Sensitivity(layer="fc1", op="Gemm", weight_bytes=4, loss=0.001, snr_db=30.0),
    ),
    bits=8, inputs="random", calls=8, not_measured=("fc9",), notes=("Ranked on random inputs.",),
)  # fmt: skip


def test_the_ranking_is_shown_with_its_advice(open_page, seeded, said):
    sha256 = seeded.model.sha256
    store = Store(home().store)
    store.save(replace(RANKING, id=kept_id(sha256, 8), model_sha256=sha256, created_at="2026-11-25T10:00:00"))
    store.close()
    test = open_page("compress").run()
    assert not test.exception
    told = said(test).replace("\\", "")
    assert "2026-11-25 10:00: measured on 8 calls with random inputs, 8 bits. Ranked on random inputs." in told
    assert "Not reached in time: 1 of 3 layers." in told
    test.session_state["sensitive_layers_table"] = True  # the table of a chart is built when it is opened
    test.run()
    frames = [frame.value for frame in test.dataframe if "layer" in frame.value.columns]
    assert any(list(frame["layer"])[:1] == ["fc3"] and "17 (98×)" in str(frame.iloc[0].to_dict()) for frame in frames)


def test_the_button_starts_the_ranking(open_page, seeded):
    test = open_page("compress")
    test.button(key="rank-layers").click().run()
    assert not test.exception
    assert test.session_state["sensitivity"]
