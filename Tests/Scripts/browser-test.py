#!/usr/bin/env python3
"""Logs in, watches a value change live without a reload, and switches the language.

usage: browser-test.py ADDRESS USER PASSWORD ROOM
"""
import sys

from console import browser, log_in
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def main() -> None:
    base, user, password, room = sys.argv[1:5]
    for width in (1440, 390):
        with browser(width, 1000) as driver:
            driver.get(f"{base}/rooms/{room}")
            assert "/login" in driver.current_url, "a stranger is sent to the login"
            log_in(driver, base, user, password)
            assert driver.current_url.startswith(base)
            driver.get(f"{base}/rooms/{room}")
            page = driver.find_element(By.TAG_NAME, "html")
            assert page.get_attribute("lang") == "vi", "Vietnamese comes first"
            WebDriverWait(driver, 20).until(
                lambda d: d.find_element(By.CSS_SELECTOR, "[data-live-indicator]").get_attribute("data-state") == "live")
            first = driver.execute_script(
                "return [...document.querySelectorAll('[data-point] [data-value]')].map(e => e.textContent)")
            assert first, "the room shows values"
            WebDriverWait(driver, 30).until(
                lambda d: d.execute_script(
                    "return [...document.querySelectorAll('[data-point] [data-value]')].map(e => e.textContent)") != first)
            assert page == driver.find_element(By.TAG_NAME, "html"), "the page was not loaded again"
            WebDriverWait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[data-chart] canvas"))
            wide = driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{wide} px wider than a screen of {width}"
            driver.find_element(By.CSS_SELECTOR, ".languages a").click()
            WebDriverWait(driver, 10).until(
                lambda d: d.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en")
            # The choice is the user's and is remembered: the next browser would start with it.
            driver.get(f"{base}/language?to=vi&next=/")
            assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "vi"
            errors = [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
            assert not errors, errors
    print("browser test passed: login, live value, charts, language, both widths")


if __name__ == "__main__":
    main()
