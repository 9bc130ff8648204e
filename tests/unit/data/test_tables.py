"""The shipped tables hold, and every way in which one can be broken is found."""

from datetime import date

import pytest

from data import tables
from data.errors import DataError

HEADER = "# title: Zones\n# source: somebody\n# licence: CC BY 4.0\n# as_of: 2026-01-31\n"
SOURCES = HEADER + "source_id,title,licence,as_of,url,notice\nember,Ember,CC BY 4.0,2024-01-01,https://ember.example,\n"


def make(folder, **files):
    for name, text in files.items():
        kind, _, file = name.partition("_")
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"{file}.csv").write_text(text)
    return folder


def test_every_shipped_table_holds():
    assert tables.check() == []


def test_examine_counts_rows_and_checks_of_every_file():
    found = {name: (rows, checks) for name, rows, checks, _ in tables.examine()}
    assert found["grid/ember"][0] == 5439
    assert all(rows > 0 and checks > 4 for rows, checks in found.values())


def test_namibia_is_a_zone_and_a_hash_inside_a_cell_is_no_comment(tmp_path):
    root = make(tmp_path, grid_zones=HEADER + "zone_id,name\nNA,Namibia #1\nDE,\n")
    rows = tables.frame("grid", "zones", root=root)
    assert list(rows.zone_id) == ["NA", "DE"]
    assert rows.name[0] == "Namibia #1"
    assert rows.name.isna()[1]


def test_a_table_is_read_once_and_not_changed_by_its_readers(tmp_path):
    root = make(tmp_path, grid_grid=HEADER + "zone_id,year\nDE,2025\n")
    first = tables.frame("grid", root=root)
    first.loc[0, "year"] = 1999
    (tmp_path / "grid" / "grid.csv").unlink()
    assert tables.frame("grid", root=root).year[0] == 2025


def test_files_that_name_one_table_are_one_table(tmp_path):
    text = HEADER + "# table: hourly\n# key: zone_id\nzone_id,mean_g_per_kwh\n"
    root = make(tmp_path, grid_neso=text + "GB,120\n", grid_eia=text + "US,380\n")
    assert list(tables.frame("grid", "hourly", root=root).zone_id) == ["US", "GB"]
    assert [header.name for header in tables.headers("grid", "hourly", root=root)] == ["eia", "neso"]


def test_one_key_in_two_files_of_a_table_is_refused(tmp_path):
    text = HEADER + "# table: hourly\n# key: zone_id\nzone_id,mean_g_per_kwh\n"
    root = make(tmp_path, grid_neso=text + "GB,120\n", grid_eia=text + "GB,380\n")
    with pytest.raises(DataError, match=r"\(GB\) is in two of its files"):
        tables.frame("grid", "hourly", root=root)
    assert any("(GB) is in two of its files" in fault for fault in tables.check(root=root))


BROKEN = {
    "no licence": (HEADER.replace("# licence: CC BY 4.0\n", "") + "a\n1\n", "has no licence"),
    "no source": (HEADER.replace("# source: somebody\n", "") + "a\n1\n", "has no source"),
    "as_of no date": (HEADER.replace("2026-01-31", "2026-02-31") + "a\n1\n", "as_of is '2026-02-31', not a date"),
    "unknown word": (HEADER + "# licenze: x\na\n1\n", "is not one of title"),
    "no rows": (HEADER + "zone_id,year\n", "has no rows"),
    "key twice": (HEADER + "# key: zone_id, year\nzone_id,year\nDE,2025\nDE,2025\n", "(DE, 2025) is there twice"),
    "key empty": (HEADER + "# key: zone_id\nzone_id,year\n,2025\n", "1 rows have an empty key"),
    "key unknown": (HEADER + "# key: zone\nzone_id,year\nDE,2025\n", "its key names zone"),
    "share over 1": (HEADER + "zone_id,free_frac\nDE,1.2\n", "column free_frac: 1.2 (row 1) is outside 0 to 1"),
    "PUE below 1": (HEADER + "zone_id,pue\nDE,1.1\nFR,0.9\n", "column pue: 0.9 (row 2) is outside 1 to 3"),
    "negative power": (HEADER + "device_id,rated_w\nx,-3\n", "column rated_w: -3"),
    "negative price": (HEADER + "name,spot_usd_per_h\nx,-0.1\n", "outside 0 to inf"),
    "text for number": (HEADER + "zone_id,mean_g_per_kwh\nDE,many\n", "holds text where numbers belong"),
    "latitude": (HEADER + "zone_id,latitude\nDE,95\n", "outside -90 to 90"),
    "date": (HEADER + "name,release_date\nx,2020-13-01\n", "'2020-13-01' is not a date"),
    "unverified": (HEADER + "name,unverified_fields\nx,tdp\n", "names tdp, which the table does not have"),
    "join lost": (HEADER + "# joins: zone_id -> grid/zones.zone_id\nzone_id\nXX\n", "XX is not in grid/zones (1 such)"),
    "join nowhere": (HEADER + "# joins: zone_id -> grid/none.zone_id\nzone_id\nXX\n", "grid/none.zone_id, which does"),
    "join misspelt": (HEADER + "# joins: zone_id to grid\nzone_id\nXX\n", "is not 'a -> kind/table.b'"),
    "row without source": (HEADER + "zone_id,source_id\nDE,\n", "1 rows name no source"),
    "unknown source": (HEADER + "zone_id,source_ids\nDE,ember;none\n", "none is not in grid/sources"),
    "no CSV": (HEADER + 'a,b\n"x,1\n', "cannot be read"),
    "not UTF-8": (HEADER.encode() + b"name\n\xff\xfe\n", "cannot be read"),
}


@pytest.mark.parametrize("text, fault", BROKEN.values(), ids=BROKEN)
def test_a_broken_table_is_found_and_refused(tmp_path, text, fault):
    root = make(tmp_path, grid_zones=HEADER + "zone_id,name\nDE,Germany\n", grid_sources=SOURCES)
    (root / "grid" / "broken.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert any(fault in found for found in tables.check(root=root))
    with pytest.raises(DataError) as error:
        tables.frame("grid", "broken", root=root)
    assert fault in error.value.message
    assert error.value.hint
    assert str(tmp_path) not in error.value.message + error.value.details


def test_composite_and_self_joins(tmp_path):
    regions = (
        HEADER + "# joins: parent_id -> regions/regions.region_id\nprovider,region_id,parent_id\naws,eu,\naws,eu-1,eu\n"
    )
    prices = HEADER + "# joins: provider+region_id -> regions/regions.provider+region_id\nprovider,region_id\n"
    root = make(tmp_path, regions_regions=regions, instances_prices=prices + "aws,eu\ngcp,eu\n")
    assert tables.check(root=root) == [
        "Table instances/prices: provider+region_id: ('gcp', 'eu') is not in regions/regions (1 such)."
    ]


def test_a_missing_table_names_the_command_that_lists_them(tmp_path):
    with pytest.raises(DataError, match="no table grid/none") as error:
        tables.frame("grid", "none")
    assert "python -m data check" in error.value.hint
    with pytest.raises(DataError, match="missing"):
        tables.frame("grid", root=tmp_path / "nowhere")


def test_parquet_takes_its_header_from_beside_it(tmp_path):
    (tmp_path / "devices").mkdir()
    rows = tables.frame("grid", "hourly_zones").drop(columns="source_id")
    rows.to_parquet(tmp_path / "devices" / "big.parquet", index=False)
    (tmp_path / "devices" / "big.header").write_text(HEADER)
    assert len(tables.frame("devices", "big", root=tmp_path)) == 9


def test_parquet_without_its_header_is_refused(tmp_path):
    (tmp_path / "devices").mkdir()
    tables.frame("grid", "zones").to_parquet(tmp_path / "devices" / "bare.parquet", index=False)
    assert tables.check(root=tmp_path) == ["Table devices/bare cannot be read."]


def test_sources_come_from_rows_and_from_files_once(tmp_path):
    ember = HEADER + "zone_id\nDE\n"
    mixed = HEADER + "zone_id,source_id\nDE,ember\n"
    root = make(tmp_path, grid_sources=SOURCES, grid_ember=ember, grid_mixed=mixed, grid_own=ember)
    found = {source.id: source for source in tables.sources(root=root)}
    assert set(found) == {"grid/ember", "grid/own"}
    assert found["grid/ember"].url == "https://ember.example"
    assert found["grid/own"].title == "Zones: somebody"
    assert tables.source("grid/own", root=root).licence == "CC BY 4.0"
    with pytest.raises(DataError):
        tables.source("grid/nobody", root=root)


def test_two_years_make_a_source_stale():
    source = tables.Source(id="a/b", title="", licence="", as_of="2024-01-01")
    assert not source.is_stale(date(2025, 12, 31))
    assert source.is_stale(date(2026, 1, 2))


def test_every_shipped_source_has_a_licence_a_date_and_a_title():
    for source in tables.sources():
        assert source.title and source.licence and date.fromisoformat(source.as_of), source.id
