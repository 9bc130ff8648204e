"""Live intensity through a fake transport: what is asked, what is believed, and what answers when it fails."""

import json
from datetime import UTC, datetime

import pytest

from data import live, net
from data.errors import InputError, Unavailable

NOON = datetime(2026, 6, 15, 11, 0, tzinfo=UTC).timestamp()  # 12:00 in London, 13:00 in Berlin
NESO = {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"forecast": 266, "actual": 263, "index": "moderate"}}]}
MAPS = {"zone": "DE", "carbonIntensity": 302, "datetime": "2026-06-15T11:00:00.000Z", "isEstimated": True}
DANES = {"records": [{"Minutes5UTC": "2026-06-15T10:55:00", "PriceArea": "DK1", "CO2Emission": 88.5}]}


class Answers:
    """Answers every URL with the next of these; an error is raised."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, url, headers):
        self.asked.append((url, headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def source(*answers, clock=lambda: NOON, **settings):
    fetch = Answers(*answers)
    return live.Live(enabled=True, fetch=fetch, clock=clock, **{"key": None} | settings), fetch


def test_off_by_default_and_silent(monkeypatch):
    monkeypatch.delenv(live.SWITCH, raising=False)
    fetch = Answers(NESO)
    reading = live.Live(fetch=fetch, clock=lambda: NOON).now("GB")
    assert reading.used == "hourly shape" and reading.note == "" and fetch.asked == []
    monkeypatch.setenv(live.SWITCH, "1")
    monkeypatch.setenv(live.KEY, "secret")
    assert live.Live().enabled and live.Live().key == "secret"


def test_great_britain_without_a_key():
    ask, fetch = source(NESO)
    reading = ask.now("GB")
    assert (reading.g_per_kwh.mid, reading.used, reading.estimated) == (263.0, "live", False)
    assert reading.at == "2026-06-15T11:00+00:00"
    assert "operational" in reading.basis
    assert fetch.asked == [("https://api.carbonintensity.org.uk/intensity", {})]


def test_the_forecast_stands_in_while_the_half_hour_runs():
    running = {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"forecast": 266, "actual": None}}]}
    reading = source(running)[0].now("GB")
    assert (reading.g_per_kwh.mid, reading.estimated) == (266.0, True)


def test_electricity_maps_with_a_key():
    ask, fetch = source(MAPS, key="secret")
    reading = ask.now("DE")
    assert (reading.g_per_kwh.mid, reading.source, reading.estimated) == (302.0, "Electricity Maps", True)
    url, headers = fetch.asked[0]
    assert url.startswith("https://api.electricitymaps.com/v4/carbon-intensity/latest?zone=DE")
    assert headers == {"auth-token": "secret"}


def test_denmark_without_a_key():
    ask, fetch = source(DANES)
    reading = ask.now("DK-DK1")
    assert (reading.g_per_kwh.mid, reading.at) == (88.5, "2026-06-15T10:55+00:00")
    assert "%22DK1%22" in fetch.asked[0][0]


def test_a_zone_without_a_source_says_so_and_asks_nobody():
    ask, fetch = source(MAPS)
    reading = ask.now("FR")
    assert (reading.used, reading.g_per_kwh.mid) == ("annual average", 31)
    assert "without a key" in reading.note and fetch.asked == []


def test_a_quarter_of_an_hour_is_kept():
    now = [NOON]
    ask, fetch = source(NESO, clock=lambda: now[0])
    for _ in range(3):
        ask.now("GB")
    assert len(fetch.asked) == 1
    now[0] += live.KEPT_S + 1
    ask.now("GB")
    assert len(fetch.asked) == 2


def test_failure_is_kept_too_and_told():
    ask, fetch = source(Unavailable("api.carbonintensity.org.uk did not answer."))
    for _ in range(3):
        reading = ask.now("GB")
    assert (reading.used, reading.note) == ("hourly shape", "api.carbonintensity.org.uk did not answer.")
    assert len(fetch.asked) == 1


def test_the_last_live_value_is_shown_with_its_time_while_it_is_young():
    now = [NOON]
    ask, _ = source(NESO, Unavailable("no answer"), clock=lambda: now[0])
    ask.now("GB")
    now[0] += 3600
    reading = ask.now("GB")
    assert (reading.used, reading.g_per_kwh.mid, reading.at) == ("last live value", 263.0, "2026-06-15T11:00+00:00")
    assert reading.note == "no answer"
    now[0] += live.LAST_LIVE_S
    assert ask.now("GB").used == "hourly shape"


WRONG = {
    "no object": [],
    "no rows": {"data": []},
    "rows no objects": {"data": ["x"]},
    "no intensity": {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"forecast": None, "actual": None}}]},
    "text": {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"actual": "263"}}]},
    "negative": {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"actual": -3}}]},
    "absurd": {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"actual": 1e9}}]},
    "infinite": {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"actual": float("inf")}}]},
    "true": {"data": [{"from": "2026-06-15T11:00Z", "intensity": {"actual": True}}]},
    "no time": {"data": [{"intensity": {"actual": 263}}]},
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_an_answer_that_cannot_be_is_not_believed(answer):
    reading = source(answer)[0].now("GB")
    assert reading.used == "hourly shape"
    assert reading.note.startswith("The live source")


def test_an_unknown_zone_is_refused_before_anything_is_asked():
    ask, fetch = source(MAPS, key="secret")
    with pytest.raises(InputError):
        ask.now("XX&zone=DE")
    assert fetch.asked == []


def test_the_shape_of_the_hour_by_hand():
    """Great Britain, June, 12 h: its mean there over the mean of the 24 hours of the year, x 176 g."""
    from data import tables

    rows = tables.frame("grid", "hourly").query("zone_id == 'GB'")
    year = rows.query("month == 0").mean_g_per_kwh.mean()
    hour = rows.query("month == 6 and hour_local == 12").iloc[0]
    reading = live.by_tables("GB", NOON)
    assert reading.g_per_kwh.mid == pytest.approx(176 * hour.mean_g_per_kwh / year)
    assert reading.g_per_kwh.low == pytest.approx(176 * hour.p10_g_per_kwh / year)
    assert reading.source == "grid/electricity_maps; grid/neso"


class Wire:
    """A transport without a network."""

    def __init__(self, addresses=("8.8.8.8",), status=200, body=b"{}", error=None):
        self.addresses, self.status, self.body, self.error, self.asked = addresses, status, body, error, []

    def resolve(self, host):
        if isinstance(self.error, OSError):
            raise self.error
        return list(self.addresses)

    def fetch(self, host, address, target, headers):
        self.asked.append((host, address, target, dict(headers)))
        return self.status, self.body


URL = "https://api.carbonintensity.org.uk/intensity?x=1"


def test_json_comes_from_the_address_that_was_checked():
    wire = Wire(body=json.dumps({"a": 1}).encode())
    assert net.get_json(URL, {"auth-token": "k"}, wire) == {"a": 1}
    assert wire.asked == [("api.carbonintensity.org.uk", "8.8.8.8", "/intensity?x=1", {"auth-token": "k"})]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.carbonintensity.org.uk/intensity",
        "https://example.org/",
        "https://api.carbonintensity.org.uk.example.org/",
        "https://api.carbonintensity.org.uk:8080/",
        "https://user@api.carbonintensity.org.uk/",
        "file:///etc/passwd",
    ],
)
def test_only_the_fixed_hosts_by_https(url):
    wire = Wire()
    with pytest.raises(Unavailable, match="fixed list"):
        net.get_json(url, None, wire)
    assert wire.asked == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "192.168.1.1", "::1", "fe80::1", "fd00::1", "0.0.0.0"]
)
def test_private_addresses_are_refused(address):
    wire = Wire(addresses=("8.8.8.8", address))
    with pytest.raises(Unavailable, match="not a public one"):
        net.get_json(URL, None, wire)
    assert wire.asked == []


@pytest.mark.parametrize(
    "wire, message",
    [
        (Wire(status=302, body=b""), "with status 302"),
        (Wire(status=401), "that the key is wrong"),
        (Wire(status=429), "limit of requests"),
        (Wire(body=b"<html>"), "no JSON"),
        (Wire(body=b"\xff\xfe\x00"), "no JSON"),
        (Wire(addresses=()), "not a public one"),
        (Wire(error=OSError("name not known")), "did not answer"),
    ],
)
def test_what_is_not_a_good_answer_is_told(wire, message):
    with pytest.raises(Unavailable, match=message) as error:
        net.get_json(URL, None, wire)
    assert error.value.hint == net.HINT


class Long:
    """A connection whose answer has no end."""

    closed = False
    status = 200

    def __init__(self, host, address):
        Long.closed = False

    def request(self, method, target, headers):
        assert (method, headers["Accept"]) == ("GET", "application/json")

    def getresponse(self):
        return self

    def read(self, size):
        return b"x" * size

    def close(self):
        Long.closed = True


def test_an_answer_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(net, "_Pinned", Long)
    monkeypatch.setattr(net.Https, "resolve", lambda self, host: ["8.8.8.8"])
    with pytest.raises(Unavailable, match="did not answer"):
        net.get_json(URL)
    assert Long.closed
