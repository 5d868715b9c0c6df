"""Take pictures of the main screens of the console, light, dark and as narrow as a phone: `make screenshots`.

    .venv/bin/python -m scripts.screenshots [DIRECTORY]

1. Migrate a database in a new temporary directory, fill it with the demo, and start the product there (`manage.py serve`).
2. Log in with a browser, and open each of SCREENS.
3. Write every picture into DIRECTORY (default: var/screenshots), and those that the documents show also into docs/images.

A screen that does not open stops the command, and so does a picture for the documents of more than MAX_BYTES.
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests import browsers
from tests.binaries import wheel_node

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 200_000
START_SECONDS = 300
TENANT = "demo live"


@dataclass(frozen=True)
class Variant:
    """How the browser shows a screen. Sizes in CSS pixels."""

    width: int
    height: int
    is_dark: bool = False


VARIANTS = {"light": Variant(1280, 900), "dark": Variant(1280, 900, is_dark=True), "narrow": Variant(390, 844)}


@dataclass(frozen=True)
class Screen:
    """A page of the console.

    `click` are links to follow from `path`, one after the other. `anchor` is what to scroll to. `documents` are the variants that the
    documents show.
    """

    path: str
    click: tuple[str, ...] = ()
    anchor: str = ""
    documents: tuple[str, ...] = ()


ROW = "#result_list tbody th a, #result_list tbody td a"
PARTICIPANTS = "participants/participant/?o=-3"
SCREENS: Mapping[str, Screen] = {
    "overview": Screen("", documents=("light", "dark", "narrow")),
    "participant": Screen(PARTICIPANTS, (ROW,), documents=("light",)),
    "timeline": Screen(PARTICIPANTS, (ROW,), ".console-timeline", documents=("light",)),
    "at-risk": Screen("streaks/participantstreak/", documents=("light",)),
    "rule": Screen("rules/rule/", ("#result_list a:has-text('Purchase Bonus')",), documents=("light",)),
    "streak": Screen("streaks/streak/", ("#result_list a:has-text('Daily Login')",), documents=("light",)),
    "tiers": Screen("tiers/tier/ladder/", documents=("light",)),
    "periodic-tasks": Screen("periodic_tasks/", documents=("light",)),
    "deliveries": Screen("webhooks/delivery/", (ROW,), documents=("light",)),
    "changes": Screen("participants/configurationchange/", documents=("light",)),
}


def main(arguments: list[str]) -> int:
    """Take all pictures. Return the exit code."""
    target = Path(arguments[0]) if arguments else ROOT / "var" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    with product() as (site, password), browser() as chromium:
        for name, variant in VARIANTS.items():
            take_all(log_in(chromium, variant, site, password), site, name, target)
    return copy_to_documents(target)


# --- the product --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def product() -> Iterator[tuple[str, str]]:
    """Run the product with the demo on a temporary directory. Yield its address and the password of the console."""
    with tempfile.TemporaryDirectory(prefix="gamify-screenshots-") as var:
        environment = {name: value for name, value in os.environ.items() if not name.endswith(("_URL", "_KEYS"))}
        environment |= {"GAMIFY_VAR": var, "HOST": "127.0.0.1", "PORT": str(free_port())}
        for command in (("migrate", "-v0"), ("seed_demo",)):
            subprocess.run(manage(*command), cwd=ROOT, env=environment, check=True)
        server = subprocess.Popen(
            manage("serve", "--stop-with-parent"), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            wait_until_it_answers(int(environment["PORT"]))
            yield (
                f"http://127.0.0.1:{environment['PORT']}",
                json.loads(Path(var, "welcome.json").read_text())["password"],
            )
        finally:
            server.terminate()
            server.wait()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            client.request("GET", "/health")
            if client.getresponse().status == http.HTTPStatus.OK:
                return
        time.sleep(0.2)
    raise SystemExit(f"The product did not answer on port {port} within {START_SECONDS} seconds.")


# --- the browser --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(wheel_node()))
    if not (found := browsers.find_browser()):
        raise SystemExit(f"No browser was found. To install one: {browsers.remedy()}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def log_in(chromium: Browser, variant: Variant, site: str, password: str) -> Page:
    """Return a page of a session of its own, with the demo chosen."""
    size = {"width": variant.width, "height": variant.height}
    context = chromium.new_context(viewport=size, color_scheme="dark" if variant.is_dark else "light")
    page = context.new_page()
    page.goto(f"{site}/console/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.click("button:has-text('Log in')")
    page.goto(f"{site}/console/tenant/")
    page.click(f"button[title='{TENANT}']")
    page.wait_for_load_state()
    return page


def take_all(page: Page, site: str, variant: str, target: Path) -> None:
    for name, screen in SCREENS.items():
        answer = page.goto(f"{site}/console/{screen.path}")
        if answer is None or not answer.ok:
            raise SystemExit(f"{name}: {page.url} does not open.")
        for link in screen.click:
            page.goto(site + str(page.locator(link).first.get_attribute("href")))
        page.wait_for_load_state("networkidle")
        if screen.anchor:
            page.locator(screen.anchor).first.evaluate("each => each.closest('section').scrollIntoView()")
        page.screenshot(path=target / f"{name}-{variant}.png", animations="disabled")
        sys.stdout.write(f"{name}-{variant}: {page.title()}\n")


def copy_to_documents(target: Path) -> int:
    for name, screen in SCREENS.items():
        for variant in screen.documents:
            picture = target / f"{name}-{variant}.png"
            if picture.stat().st_size > MAX_BYTES:
                sys.stderr.write(f"{picture}: {picture.stat().st_size} bytes are more than {MAX_BYTES}.\n")
                return 1
            shutil.copyfile(picture, IMAGES / f"console-{picture.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
