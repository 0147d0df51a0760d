"""Numbers as a reader expects them."""

_UNITS = (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
_COUNTS = (("B", 1e9), ("M", 1e6), ("k", 1e3))


def byte_text(n_bytes: float) -> str:
    """Write bytes with three figures in powers of ten: 2,960,000,000 -> '2.96 GB'."""
    for unit, size in _UNITS:
        if n_bytes >= size:
            return (
                f"{n_bytes / size:.3g} {unit}"
                if n_bytes < 999.5 * size
                else (f"{n_bytes / size:,.0f} {unit}")
            )
    return f"{n_bytes:.0f} B"


def count_text(count: float) -> str:
    """Write a large count shortly: 10,000,000 -> '10M'."""
    for unit, size in _COUNTS:
        if count >= size:
            return f"{count / size:g}{unit}"
    return f"{count:g}"


def share_text(share: float) -> str:
    """Write a share of 1 with three decimals: 0.8734 -> '.873', and 1 as '1.000'."""
    text = f"{share:.3f}"
    return text[1:] if text.startswith("0") else text


def signed_text(difference: float) -> str:
    """Write a difference of shares with its sign: .0462 -> '+.046', -.03 -> '-.030'."""
    rounded = round(difference, 3)
    return f"{rounded:+.3f}".replace("0.", ".", 1) if rounded else ".000"


def times_text(factor: float) -> str:
    """Write a factor with two figures: 31.9 -> '32x', 1.5 -> '1.5x'."""
    return f"{factor:.0f}×" if factor >= 9.95 else f"{factor:.1f}×"


def change_text(before: float, after: float) -> str:
    """Write a relative change: 100, 9 -> '-91%'."""
    percent = 100 * (after / before - 1)
    # Four nines of saving must not be rounded to everything.
    digits = 0 if abs(percent) < 99 else 1
    return f"{percent:+.{digits}f}%"


def time_text(seconds: float) -> str:
    """Write a duration as one would say it: 42 -> '42 s', 150 -> '3 min', 7,600 -> '2 h 7 min'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def percent_text(share: float) -> str:
    """Write a share as a percentage with one decimal, without rounding a loss away."""
    percent = 100 * share
    return "100%" if share >= 1 else f"{min(percent, 99.9):.1f}%"


def money_text(dollars: float) -> str:
    """Write US dollars with three figures: 12.345 -> '$12.30', 1234.5 -> '$1,230'."""
    if dollars >= 1000:
        step = 10 ** (len(str(int(dollars))) - 3)
        return f"${round(dollars / step) * step:,.0f}"
    return f"${dollars:.0f}" if dollars >= 100 else f"${dollars:.2f}"
