import pytest

from mrl_explorer.report import formats


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (32, "32 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_536, "1.54 kB"),
        (999_400, "999 kB"),
        (25_600_000, "25.6 MB"),
        (2_960_000_000, "2.96 GB"),
        (12_820_000_000, "12.8 GB"),
        (307_200_000_000, "307 GB"),
        (1.5e12, "1.5 TB"),
        (2e15, "2 PB"),
        (1.5e18, "1,500 PB"),
    ],
)
def test_bytes_are_in_powers_of_ten(n_bytes, text):
    assert formats.byte_text(n_bytes) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (7, "7"),
        (999, "999"),
        (1_000, "1k"),
        (1_500, "1.5k"),
        (200_000, "200k"),
        (10_000_000, "10M"),
        (1_000_000_000, "1B"),
        (10_000_000_000, "10B"),
    ],
)
def test_counts_are_short(count, text):
    assert formats.count_text(count) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, ".000"),
        (0.0004, ".000"),
        (0.5, ".500"),
        (0.8734, ".873"),
        (0.9996, "1.000"),
        (1, "1.000"),
    ],
)
def test_shares_have_three_decimals(share, text):
    assert formats.share_text(share) == text


@pytest.mark.parametrize(
    ("factor", "text"),
    [(1, "1.0×"), (1.5, "1.5×"), (9.94, "9.9×"), (9.96, "10×"), (31.9, "32×"), (256, "256×")],
)
def test_factors_have_two_figures(factor, text):
    assert formats.times_text(factor) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (42.4, "42 s"),
        (89, "89 s"),
        (91, "2 min"),
        (150.1, "3 min"),
        (3_580, "1 h 0 min"),
        (7_620, "2 h 7 min"),
    ],
)
def test_durations_are_as_one_would_say_them(seconds, text):
    assert formats.time_text(seconds) == text
