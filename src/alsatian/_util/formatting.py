"""Format bytes, durations and numbers for display."""

from __future__ import annotations


def format_bytes(count: float) -> str:
    """Format a number of bytes.

    >>> format_bytes(3_400_000)
    '3.4 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" or count >= 99.95 else f"{count:.1f} {unit}"


def format_duration(seconds: float) -> str:
    """Format a duration in seconds.

    >>> format_duration(0.0123), format_duration(75)
    ('12 ms', '1 min 15 s')
    """
    if seconds < 0.9995:
        return f"{max(seconds * 1000, 1):.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, leftover = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {leftover} s"


def format_number(value: float) -> str:
    """Format a number: whole with thousands separators from 1,000 on, else four significant digits.

    >>> format_number(104692.3), format_number(0.123456)
    ('104,692', '0.1235')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
