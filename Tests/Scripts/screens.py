#!/usr/bin/env python3
"""Photographs every page of a running gateway from top to bottom, in both languages, 1440 and 390 px wide.

usage: screens.py ADDRESS USER PASSWORD FOLDER [CONTROL]

With CONTROL, the file that a simulator reads its commands from, a device is silenced and photographed with its fault, and
the overview that lists it. Long lists are cut after 6,000 px.
"""
import base64
import pathlib
import sys
import time
import urllib.parse

from console import browser, log_in, wait
from selenium.webdriver.common.by import By

HEIGHT_MAX = 6_000


def addresses(driver, base: str) -> dict[str, str]:
    driver.get(f"{base}/rooms")
    room = driver.find_element(By.CSS_SELECTOR, ".card h2 a").get_attribute("href")
    driver.get(f"{base}/devices")
    device = driver.find_element(By.CSS_SELECTOR, "tbody td a").get_attribute("href")
    driver.get(f"{base}/alerts")
    found = driver.find_elements(By.CSS_SELECTOR, "tbody td a")
    alert = {"alert": found[0].get_attribute("href")} if found else {}
    return {
        **alert, "alerts": f"{base}/alerts",
        "overview": f"{base}/", "rooms": f"{base}/rooms", "room": room, "room-month": f"{room}?span=month",
        "devices": f"{base}/devices", "device": device, "described": f"{base}/described", "quarantine": f"{base}/quarantine",
        "schedules": f"{base}/schedules",
        "password": f"{base}/password", "not-found": f"{base}/nothing-here",
    }


def whole_page(driver, path: pathlib.Path) -> None:
    """The page from top to bottom, as it would look on a very high screen."""
    size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], HEIGHT_MAX), "scale": 1}
    picture = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(picture["data"]))


def photograph(driver, address: str, name: str, target: pathlib.Path) -> None:
    driver.get(address)
    # Charts are drawn after their data came.
    end = time.monotonic() + 10
    while time.monotonic() < end and driver.execute_script(
        "return [...document.querySelectorAll('[data-chart]')].some("
        "c => c.querySelector('.chart-status')?.textContent === c.dataset.textLoading)"
    ):
        time.sleep(0.1)
    for indicator in driver.find_elements(By.CSS_SELECTOR, "[data-live-indicator]"):
        wait(driver, 10).until(lambda _: indicator.get_attribute("data-state") == "live")
    overflow = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if overflow > 0:
        print(f"{name}: {overflow} px wider than the screen")
    whole_page(driver, target / f"{name}.png")


def every_page(driver, base: str, width: int, target: pathlib.Path, fault: str | None) -> None:
    pages = addresses(driver, base)
    if fault:
        pages = {"overview-fault": f"{base}/", "device-fault": f"{base}/devices/{fault}"}
    for language in ("vi", "en"):
        driver.get(f"{base}/language?to={language}&next=/")
        for name, address in pages.items():
            photograph(driver, address, f"{name}-{language}-{width}", target)


def main() -> None:
    base, user, password, folder = sys.argv[1:5]
    control = pathlib.Path(sys.argv[5]) if len(sys.argv) > 5 else None
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    silent = None
    for fault in (False, True) if control else (False,):
        for width in (1440, 390):
            with browser(width, 1000) as driver:
                if not fault:
                    for language in ("en", "vi"):
                        driver.get(f"{base}/language?to={language}&next=/login")
                        whole_page(driver, target / f"login-{language}-{width}.png")
                log_in(driver, base, user, password)
                if fault and not silent:
                    room = urllib.parse.urlparse(addresses(driver, base)["room"]).path.rsplit("/", 1)[1]
                    silent = f"{room}-den"
                    with control.open("a", encoding="utf-8") as commands:
                        commands.write(f"fault {silent} silence\n")
                    driver.get(f"{base}/")
                    wait(driver, 60).until(
                        lambda d: d.find_elements(By.CSS_SELECTOR, f"[data-region=wrong] a[href='/devices/{silent}']"))
                    wait(driver, 60).until(
                        lambda d: d.find_elements(By.CSS_SELECTOR, "[data-region=wrong] .pill-offline"))
                every_page(driver, base, width, target, silent)
    if control and silent:
        with control.open("a", encoding="utf-8") as commands:
            commands.write(f"fault {silent} none\n")
    print(f"{len(list(target.glob('*.png')))} pictures in {target}")


if __name__ == "__main__":
    main()
