"""The house stands: rooms import one way, libraries stay with their owners, listing is light, files keep measure."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("data", "profiler", "advisor", "pages")
OWNERS = {
    "streamlit": ("pages", "app.py"),
    "duckdb": ("data",),
    "pynvml": ("profiler/meters", "profiler/gpus.py"),
    "plotly": ("advisor/figures", "advisor/exporters"),
    "torch": ("profiler", "advisor"),
    "onnx": ("profiler", "advisor"),
    "onnxruntime": ("profiler", "advisor"),
    "openvino": ("profiler/runtimes", "advisor/techniques"),
    "nncf": ("advisor/techniques",),
    "torch_pruning": ("advisor/techniques",),
    "sklearn": ("advisor/techniques", "profiler/examples"),
    "mlperf_loadgen": ("profiler/timing", "profiler/load"),
    "scipy": ("advisor", "profiler/stats.py"),
    "kaleido": ("advisor/exporters", "advisor/figures/image.py"),
    "weasyprint": ("advisor/exporters",),
    "huggingface_hub": ("advisor/exporters",),
    "transformers": ("profiler/formats",),
    "gguf": ("profiler/formats",),
    "safetensors": ("profiler/formats", "advisor"),
}
HEAVY = {"torch", "onnx", "onnxruntime", "openvino", "nncf", "transformers", "sklearn", "torch_pruning"}
REGISTRIES = ("profiler/formats", "profiler/runtimes", "profiler/meters", "advisor/techniques", "advisor/exporters")
FILE_LINES, FUNCTION_LINES, PAGE_LINES = 320, 42, 80
LITERALS = re.compile(r"(?<![\w.])(3600000(\.0)?|3\.6e6|3_600_000(\.0)?|12\.5e6|12_500_000|8760|8_760)(?![\w])")


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


EVERYTHING = [path for room in ROOMS for path in sources(room)] + sorted(ROOT.glob("app.py"))


def imports(tree: ast.AST) -> list[tuple[str, bool]]:
    """(module, at top level?) of every import; imports under TYPE_CHECKING do not count."""
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            inside |= {id(child) for child in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, id(node) not in inside))
    return found


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_keeps_the_house(path):
    name = str(path.relative_to(ROOT))
    room = name.split("/")[0]
    tree = ast.parse(path.read_text())
    for module, top in imports(tree):
        head = module.split(".")[0]
        if head in ROOMS and room in ROOMS:
            assert ROOMS.index(head) <= ROOMS.index(room), f"{name} imports {module}, a room to its right"
        for registry in REGISTRIES:
            inside = name.startswith(registry + "/") and not name.endswith("__init__.py")
            sideways = module.startswith(registry.replace("/", ".") + ".")
            assert not (inside and sideways), f"{name} imports {module}: members of a registry do not know each other"
        if head in OWNERS:
            assert name.startswith(OWNERS[head]), f"{name} imports {head}, owned by {OWNERS[head]}"
        if head in HEAVY:
            assert not top, f"{name} imports {head} at its top; heavy imports stay inside functions"


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_keeps_measure(path):
    text = path.read_text()
    name = str(path.relative_to(ROOT))
    limit = PAGE_LINES if re.fullmatch(r"pages/[^/]+\.py", name) else FILE_LINES
    assert text.count("\n") <= limit, f"{name} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno + 1
            assert size <= FUNCTION_LINES, f"{name}: {node.name} has {size} lines"
    if name != "data/units.py":
        found = LITERALS.search(text)
        assert not found, f"{name} converts by hand: {found and found.group()}"


def test_every_module_says_what_it_is():
    silent = [str(path.relative_to(ROOT)) for path in EVERYTHING if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_listing_every_registry_loads_no_heavy_library():
    code = (
        "import sys\n"
        "from profiler.formats import formats\nfrom profiler.runtimes import runtimes\n"
        "from profiler.meters import meters\nfrom advisor.techniques import techniques\n"
        "from advisor.exporters import exporters\n"
        "listed = [formats(), runtimes(), meters(), techniques(), exporters()]\n"
        f"heavy = sorted(({HEAVY!r} | {{'streamlit', 'plotly'}}) & set(sys.modules))\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_no_path_of_one_machine_and_no_silent_failure():
    machine = re.compile(r"(?<![\w.])/(?:work|root|farm|home)/")
    for path in EVERYTHING:
        text = path.read_text()
        assert not machine.search(text), path
        assert not re.search(r"except[^\n]*:\s*\n\s*pass\b", text), path


def test_no_two_test_files_share_a_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)


def test_helpers_of_tests_are_no_conftest():
    """Two folders' conftest.py share a name: what is imported from it is one or the other's, by the order of asking."""
    from_it = re.compile(r"^\s*(from|import) conftest\b", re.MULTILINE)
    assert [path.name for path in (ROOT / "tests").rglob("*.py") if from_it.search(path.read_text())] == []
