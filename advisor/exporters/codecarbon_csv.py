"""An emissions.csv in the shape CodeCarbon 3 writes, so that what reads those reads this: one row a year of serving.

Energy in kWh, carbon in kg, power in W, time in s, as there. What Rightsize does not know stays empty, never 0.
"""

from typing import Any

from advisor.types import Footprint, Report

COLUMNS = (
    "timestamp", "project_name", "run_id", "experiment_id", "duration", "emissions", "emissions_rate", "cpu_power",
    "gpu_power", "ram_power", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed", "water_consumed",
    "country_name", "country_iso_code", "region", "cloud_provider", "cloud_region", "os", "python_version",
    "codecarbon_version", "cpu_count", "cpu_model", "gpu_count", "gpu_model", "longitude", "latitude",
    "ram_total_size", "tracking_mode", "cpu_utilization_percent", "gpu_utilization_percent", "ram_utilization_percent",
    "ram_used_gb", "on_cloud", "pue", "wue",
)  # fmt: skip


class CodeCarbon:
    NAME = "codecarbon_csv"
    MIME = "text/csv"
    SUFFIX = ".emissions.csv"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """A row of the original's year and, where there is a plan, one of the plan's; only the head without energy."""
        import csv
        import io

        from data.text import csv_cell

        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        named = [("original", report.footprint_before)]
        named += [("plan", report.footprint_after)] if report.recommendation.plan else []
        for name, footprint in named:
            row = {} if footprint.kwh_per_year is None else _row(report, name, footprint)
            if row:
                writer.writerow({key: "" if value is None else csv_cell(value) for key, value in row.items()})
        return text.getvalue().encode()


def _row(report: Report, name: str, footprint: Footprint) -> dict[str, Any]:
    from data import units
    from data.version import VERSION

    assert footprint.kwh_per_year is not None
    here, kwh, carbon = report.machine, footprint.kwh_per_year.mid, footprint.g_co2e_per_year
    kg = None if carbon is None else units.kg_from_g(carbon.mid)
    device = "gpu" if report.baseline.options.get("device", "cpu").startswith("cuda") else "cpu"
    return {
        "timestamp": report.created_at[:19], "project_name": report.model.name, "run_id": f"{report.id}-{name}",
        "experiment_id": report.id, "duration": units.S_PER_YEAR, "emissions": kg,
        "emissions_rate": None if kg is None else kg / units.S_PER_YEAR,
        f"{device}_power": units.j_from_kwh(kwh) / units.S_PER_YEAR, f"{device}_energy": kwh, "energy_consumed": kwh,
        "os": here.system, "python_version": here.versions.get("python"), "codecarbon_version": f"rightsize {VERSION}",
        "cpu_count": here.logical_cores, "cpu_model": here.cpu, "gpu_count": len(here.gpus) or None,
        "gpu_model": ", ".join(gpu.name for gpu in here.gpus) or None,
        "ram_total_size": units.gib_from_bytes(here.memory_bytes), "tracking_mode": "process", "on_cloud": "N",
        "pue": 1.0, **_place(report),
    }  # fmt: skip


def _place(report: Report) -> dict[str, Any]:
    from advisor.report.zone import place_of

    if report.budget.zone is None:
        return {}
    place = place_of(report.budget.zone)
    return {
        "country_name": place.country, "country_iso_code": place.iso3, "region": place.region,
        "longitude": place.longitude, "latitude": place.latitude,
    }  # fmt: skip


EXPORTER = CodeCarbon()
