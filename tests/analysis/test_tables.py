from keras_convnets.analysis.tables import Column, Table, _width, shown

TABLE = Table(
    (Column("name", "layer"), Column("shape", "output"), Column("n", "count", is_number=True)),
    (("a|b", (64, None, 3), 1234), ("c", None, None)),
    ("What it means.",),
    ("total", None, 1234),
)


def test_text():
    assert TABLE.to_text().splitlines() == [
        "layer   output       count",
        "──────────────────────────",
        "a|b     64 × ? × 3   1,234",
        "c",
        "",
        "total                1,234",
        "",
        "What it means.",
    ]


OPTIONAL = Table(
    (
        Column("name", "class"),
        Column("n", "images", is_number=True, is_optional=True),
        Column("share", "AUC", is_number=True, missing="-"),
        Column("other", "taken for", is_optional=True),
    ),
    (("犬" * 20, 1234, 0.5, "cat"), ("owl", 1, None, None)),
    ("What it means, in some words.",),
    ("mean", 1235, 0.5, None),
)


def test_a_narrow_console_cuts_names_and_leaves_out_what_is_optional():
    assert OPTIONAL.to_text(100) == OPTIONAL.to_text()
    assert "-" in OPTIONAL.to_text()
    for width in (60, 40, 30, 20, 16):
        lines = OPTIONAL.to_text(width).splitlines()
        assert max(map(_width, lines)) <= width
        assert "AUC" in lines[0]
        assert ("taken for" in lines[0], "images" in lines[0]) == (width == 60, width >= 40)
    assert OPTIONAL.to_text(20).splitlines()[2:4] == ["犬犬犬犬犬犬…   0.5", "owl               -"]
    assert OPTIONAL.to_text(1).splitlines()[2] == "犬犬犬…   0.5"


def test_markdown():
    assert TABLE.to_markdown().splitlines() == [
        "| layer | output | count |",
        "| --- | --- | ---: |",
        "| a\\|b | 64 × ? × 3 | 1,234 |",
        "| c |  |  |",
        "| **total** |  | **1,234** |",
        "",
        "What it means.",
    ]


def test_csv_has_plain_numbers_and_no_total():
    assert TABLE.to_csv().splitlines() == [
        "# What it means.",
        "name,shape,n",
        "a|b,64x?x3,1234",
        "c,,",
    ]


def test_names_that_look_like_markup_are_kept():
    table = Table((Column("name", "name"),), (("[red]x[/red]",),))
    assert "[red]x[/red]" in table.to_text()


def test_values():
    assert [shown(value) for value in (0, 1.5, True, None, "x")] == ["0", "1.5", "yes", "", "x"]


def test_letters_that_take_two_columns():
    columns = (Column("name", "name"), Column("n", "n", is_number=True))
    text = Table(columns, (("層一", 1), ("conv", 22))).to_text()
    assert text.splitlines()[2:] == ["層一    1", "conv   22"]
