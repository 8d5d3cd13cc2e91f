import pytest

from authoring import kernel, record
from authoring.errors import AuthoringError

RESULT = {"name": "test accuracy", "value": 0.98765, "bar": "at least 0.9"}


def run(lab="03_small", **settings):
    settings = {"seconds": 10.0, "peak_bytes": 10**9, "machine": "M", "software": "S"} | settings
    return record.Run(lab, "A small lab", **settings)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "solutions").mkdir()
    for name, (mark, _) in record.TABLES.items():
        (tmp_path / name).write_text(f"Before.\n<!-- {mark} -->\nold\n<!-- /{mark} -->\nAfter.\n")
    return tmp_path


def test_a_record_is_read_as_it_was_written(root):
    runs = [run(results=[RESULT], first_plot=2.5), run(backend="jax")]
    assert record.read(root) == []
    assert record.add(root, runs) == runs
    assert record.read(root) == runs


def test_a_later_run_takes_the_place_of_its_like_alone(root):
    record.add(root, [run("01_a"), run("03_small"), run("03_small", backend="torch")])
    record.add(root, [run("03_small", seconds=20.0), run("03_small", data="real")])
    found = [(r.lab, r.backend, r.data, r.seconds) for r in record.read(root)]
    assert found == [
        ("01_a", "tensorflow", "offline", 10),
        ("03_small", "tensorflow", "offline", 20),
        ("03_small", "tensorflow", "real", 10),
        ("03_small", "torch", "offline", 10),
    ]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"lab": "a", "speed": 3}]'])
def test_what_is_no_record_is_refused_and_kept(root, text):
    record.path(root).write_text(text)
    with pytest.raises(AuthoringError, match="is no record of runs"):
        record.add(root, [run()])
    assert record.path(root).read_text() == text


def test_the_table_of_labs_has_tensorflow_on_the_cpu_offline():
    runs = [run(results=[RESULT], first_plot=2.54, cpu_seconds=12.0, slowest_seconds=4.0)]
    others = [run(backend="jax"), run(device="GPU"), run(data="real")]
    lines = record.labs([*runs, *others]).split("\n")
    assert lines[2:] == [
        "| [03_small](labs/03_small.ipynb) | A small lab | 10 s | 12 s | 4 s | 2.5 s | 1.00 GB "
        "| test accuracy 0.9877 |",
        "",
        "Measured on M; S.",
    ]


def test_different_machines_are_told_apart():
    lines = record.labs([run("01_a"), run("02_b", machine="N")]).split("\n")
    assert lines[-2:] == [
        "Labs 01 were measured on M; S.  ",
        "Labs 02 were measured on N; S.  ",
    ]
    lines = record.backends([run("01_a"), run("02_b"), run("01_a", backend="jax", software="J")])
    assert lines.split("\n")[-2:] == [
        "All labs were measured on M; S.  ",
        "Labs 01 were measured on M; J.  ",
    ]


def test_the_table_of_backends_has_a_column_for_each():
    other = {"name": "error", "value": 2.0, "bar": "at most 3"}
    runs = [
        run(results=[RESULT, other], cpu_seconds=14.0),
        run(results=[RESULT | {"value": 0.5}], backend="jax", cpu_seconds=33.0),
        run(results=[RESULT], backend="jax", device="GPU"),
        run(results=[RESULT], data="real"),
    ]
    table = record.backends(runs).split("\n\n")[0].split("\n")
    assert table == [
        "| lab | result | asked for | TensorFlow | JAX | JAX, GPU |",
        "|---|---|---|---|---|---|",
        "| 03_small | test accuracy | at least 0.9 | 0.9877 | 0.5 | 0.9877 |",
        "| 03_small | error | at most 3 | 2 |  |  |",
        "| 03_small | *time, peak memory* |  | 14 s, 1.00 GB | 33 s, 1.00 GB | 10 s, 1.00 GB |",
    ]


def test_tables_are_written_between_their_marks(root):
    record.write_tables(root, [run()])
    text = (root / "README.md").read_text()
    assert text.startswith("Before.\n<!-- labs -->\n| lab |")
    assert text.endswith("Measured on M; S.\n<!-- /labs -->\nAfter.\n")
    record.write_tables(root, [run()])
    assert (root / "README.md").read_text() == text


@pytest.mark.parametrize(
    "page", ["", "<!-- backends -->", "<!-- backends --><!-- /backends -->" * 2]
)
def test_a_page_without_its_marks_is_refused_and_none_changed(root, page):
    (root / "solutions/README.md").write_text(page)
    before = (root / "README.md").read_text()
    with pytest.raises(AuthoringError, match="needs one pair of marks"):
        record.write_tables(root, [run()])
    assert (root / "README.md").read_text() == before


def test_a_missing_page_is_told(root):
    (root / "README.md").unlink()
    with pytest.raises(AuthoringError, match="is missing; a table is kept there"):
        record.write_tables(root, [run()])


def test_the_tables_of_the_course_are_those_of_its_record():
    runs = record.read(kernel.ROOT)
    assert {r.lab for r in runs} == {p.stem for p in kernel.ROOT.glob("solutions/[0-9]*.py")}
    for name, (mark, table) in record.TABLES.items():
        text = (kernel.ROOT / name).read_text(encoding="utf-8")
        assert record.between(text, mark, table(runs)) == text, "mend it with: make budget"
