"""Make the README's pictures from a finished run's report.

    python docs/screenshots.py runs/quickstart-1a2b3c4d

Writes docs/images/*.png, each under 200 kB. Needs Debian's chromium and the package playwright.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).parent / "images"
LARGEST = 200_000


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run folder")
    report = parser.parse_args().run / "report.html"
    if not report.is_file():
        sys.exit(f"{report}: no such file; expected the folder of a finished run")
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, take in (("report", first_screen), ("whatif", moved)):
            page = browser.new_page(viewport={"width": 1180, "height": 860}, color_scheme="light")
            page.goto(report.resolve().as_uri())
            page.wait_for_selector("#whatif[data-ready]")
            file = IMAGES / f"{name}.png"
            take(page, file)
            page.close()
            if file.stat().st_size > LARGEST:
                sys.exit(f"{file}: {file.stat().st_size:,} bytes, at most {LARGEST:,} are wanted")
            print(f"{file}: {file.stat().st_size:,} bytes")
        browser.close()


def first_screen(page: Any, file: Path) -> None:
    page.screenshot(path=file)


def moved(page: Any, file: Path) -> None:
    """The what-if section after its first weight was raised by five points."""
    typed = page.locator("#weights input[type=number]").first
    typed.fill(f"{float(typed.input_value()) + 5:.1f}")
    typed.press("Enter")
    typed.blur()
    page.wait_for_timeout(200)
    page.locator(".whatif").screenshot(path=file)


if __name__ == "__main__":
    main()
