#!/usr/bin/env python3
"""Photographs every page of a running gateway, in both languages, 1440 and 390 px wide.

usage: screens.py ADDRESS USER PASSWORD FOLDER
"""
import pathlib
import sys
import time

from console import browser, log_in
from selenium.webdriver.common.by import By

PAGES = ["overview", "rooms", "room", "devices", "device", "quarantine", "password"]


def addresses(driver, base: str) -> dict[str, str]:
    driver.get(f"{base}/rooms")
    room = driver.find_element(By.CSS_SELECTOR, ".card h2 a").get_attribute("href")
    driver.get(f"{base}/devices")
    device = driver.find_element(By.CSS_SELECTOR, "tbody td a").get_attribute("href")
    return {
        "overview": f"{base}/", "rooms": f"{base}/rooms", "room": room, "devices": f"{base}/devices",
        "device": device, "quarantine": f"{base}/quarantine", "password": f"{base}/password",
    }


def main() -> None:
    base, user, password, folder = sys.argv[1:5]
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for width in (1440, 390):
        with browser(width, 1000) as driver:
            driver.get(f"{base}/language?to=en&next=/login")
            driver.save_screenshot(str(target / f"login-en-{width}.png"))
        with browser(width, 1000) as driver:
            driver.get(f"{base}/login")
            driver.save_screenshot(str(target / f"login-vi-{width}.png"))
            log_in(driver, base, user, password)
            pages = addresses(driver, base)
            for language in ("vi", "en"):
                driver.get(f"{base}/language?to={language}&next=/")
                for name in PAGES:
                    driver.get(pages[name])
                    # Charts are drawn after their data came.
                    end = time.monotonic() + 10
                    while time.monotonic() < end and driver.execute_script(
                        "return [...document.querySelectorAll('[data-chart]')].some("
                        "c => c.querySelector('.chart-status') && !c.querySelector('canvas'))"
                    ):
                        time.sleep(0.1)
                    overflow = driver.execute_script(
                        "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    if overflow > 0:
                        print(f"{name} {language} {width}: {overflow} px wider than the screen")
                    driver.save_screenshot(str(target / f"{name}-{language}-{width}.png"))
    print(f"{len(list(target.glob('*.png')))} pictures in {target}")


if __name__ == "__main__":
    main()
