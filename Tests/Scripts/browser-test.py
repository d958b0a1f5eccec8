#!/usr/bin/env python3
"""Changes the first password, logs in, watches a value change live without a reload, and switches the language.

usage: browser-test.py ADDRESS USER PASSWORD ROOM
"""
import sys

from console import browser, log_in, wait
from selenium.webdriver.common.by import By


def choose_password(base: str, user: str, first: str, room: str) -> str:
    """A password that was handed over opens the page that changes it, and nothing else."""
    chosen = "một câu ngắn dễ nhớ"

    def change(driver, old: str, again: str) -> None:
        for name, text in (("password", old), ("new", chosen), ("again", again)):
            driver.find_element(By.NAME, name).send_keys(text)
        driver.find_element(By.CSS_SELECTOR, "main form button[type=submit]").click()

    with browser(390, 1000) as driver:
        log_in(driver, base, user, first)
        driver.get(f"{base}/rooms/{room}")
        assert driver.current_url == f"{base}/password?next=/rooms/{room}", driver.current_url
        for old, again, words in ((first, chosen + "!", "không giống nhau"), ("not it", chosen, "không đúng")):
            change(driver, old, again)
            wait(driver, 15).until(
                lambda d: any(words in e.text for e in d.find_elements(By.ID, "password-message")))
        change(driver, first, chosen)
        wait(driver, 15).until(lambda d: d.current_url.startswith(f"{base}/rooms/{room}"))
        wait(driver, 15).until(
            lambda d: any("Đã đổi mật khẩu" in e.text for e in d.find_elements(By.CSS_SELECTOR, ".notice")))
    return chosen


def main() -> None:
    base, user, first, room = sys.argv[1:5]
    password = choose_password(base, user, first, room)
    for width in (1440, 390):
        with browser(width, 1000) as driver:
            driver.get(f"{base}/rooms/{room}")
            assert "/login" in driver.current_url, "a stranger is sent to the login"
            log_in(driver, base, user, password)
            assert driver.current_url.startswith(base)
            driver.get(f"{base}/rooms/{room}")
            page = driver.find_element(By.TAG_NAME, "html")
            assert page.get_attribute("lang") == "vi", "Vietnamese comes first"
            wait(driver, 20).until(
                lambda d: d.find_element(By.CSS_SELECTOR, "[data-live-indicator]").get_attribute("data-state") == "live")
            first = driver.execute_script(
                "return [...document.querySelectorAll('[data-point] [data-value]')].map(e => e.textContent)")
            assert first, "the room shows values"
            wait(driver, 30).until(
                lambda d: d.execute_script(
                    "return [...document.querySelectorAll('[data-point] [data-value]')].map(e => e.textContent)") != first)
            assert page == driver.find_element(By.TAG_NAME, "html"), "the page was not loaded again"
            wait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[data-chart] canvas"))
            wide = driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{wide} px wider than a screen of {width}"
            driver.find_element(By.CSS_SELECTOR, ".languages a").click()
            wait(driver, 10).until(
                lambda d: d.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en")
            # The choice is the user's and is remembered: the next browser would start with it.
            driver.get(f"{base}/language?to=vi&next=/")
            assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "vi"
            errors = [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
            assert not errors, errors
    print("browser test passed: first password, login, live value, charts, language, both widths")


if __name__ == "__main__":
    main()
