#!/usr/bin/env python3
"""A browser on the pages of a simulated school, part by part; each says what it saw.

usage: browser-test.py ADDRESS USER PASSWORD ROOM CONTROL CONFIG

CONTROL is the file that the simulator reads its commands from, CONFIG the gateway.yaml that it runs with. Two messages of strangers must be in the quarantine:
campus/by-click/telemetry and campus/by-key/telemetry.
"""
import pathlib
import sys

from console import browser, log_in, press, tab_to, wait
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHOSEN = "một câu ngắn dễ nhớ"


class School:
    def __init__(self, base: str, user: str, first: str, room: str, control: str, config: str):
        self.base, self.user, self.first, self.room = base, user, first, room
        self.control = pathlib.Path(control)
        self.config = pathlib.Path(config)

    def fault(self, device: str, kind: str) -> None:
        with self.control.open("a", encoding="utf-8") as file:
            file.write(f"fault {device} {kind}\n")


def is_live(driver) -> bool:
    return driver.find_element(By.CSS_SELECTOR, "[data-live-indicator]").get_attribute("data-state") == "live"


def check_console(driver) -> None:
    errors = [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
    assert not errors, errors


def first_password(school: School) -> None:
    """A password that was handed over opens the page that changes it, and nothing else."""
    def change(driver, old: str, again: str) -> None:
        for name, text in (("password", old), ("new", CHOSEN), ("again", again)):
            driver.find_element(By.NAME, name).send_keys(text)
        driver.find_element(By.CSS_SELECTOR, "main form button[type=submit]").click()

    with browser(390, 1000) as driver:
        log_in(driver, school.base, school.user, school.first)
        driver.get(f"{school.base}/rooms/{school.room}")
        assert driver.current_url == f"{school.base}/password?next=/rooms/{school.room}", driver.current_url
        for old, again, words in ((school.first, CHOSEN + "!", "không giống nhau"), ("not it", CHOSEN, "không đúng")):
            change(driver, old, again)
            wait(driver, 15).until(
                lambda d: any(words in e.text for e in d.find_elements(By.ID, "password-message")))
        change(driver, school.first, CHOSEN)
        wait(driver, 15).until(lambda d: d.current_url.startswith(f"{school.base}/rooms/{school.room}"))
        wait(driver, 15).until(
            lambda d: any("Đã đổi mật khẩu" in e.text for e in d.find_elements(By.CSS_SELECTOR, ".notice")))


def live_room(school: School) -> None:
    """A room's values change without a reload, its charts are drawn, and the language is switched, at both widths."""
    values = "return [...document.querySelectorAll('[data-point] [data-value]')].map(e => e.textContent)"
    for width in (1440, 390):
        with browser(width, 1000) as driver:
            driver.get(f"{school.base}/rooms/{school.room}")
            assert "/login" in driver.current_url, "a stranger is sent to the login"
            log_in(driver, school.base, school.user, CHOSEN)
            driver.get(f"{school.base}/rooms/{school.room}")
            page = driver.find_element(By.TAG_NAME, "html")
            assert page.get_attribute("lang") == "vi", "Vietnamese comes first"
            wait(driver, 20).until(is_live)
            first = driver.execute_script(values)
            assert first, "the room shows values"
            wait(driver, 30).until(lambda d: d.execute_script(values) != first)
            assert page == driver.find_element(By.TAG_NAME, "html"), "the page was not loaded again"
            wait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[data-chart] canvas"))
            wide = driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{wide} px wider than a screen of {width}"
            driver.find_element(By.CSS_SELECTOR, ".languages a").click()
            wait(driver, 10).until(
                lambda d: d.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en")
            times = driver.execute_script(
                "return [...document.querySelectorAll('[data-time]')].map(e => e.textContent)")
            assert times and not [t for t in times if "M" in t], f"one clock of 24 hours: {times}"
            # The choice is the user's and is remembered: the next browser would start with it.
            driver.get(f"{school.base}/language?to=vi&next=/")
            assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "vi"
            check_console(driver)


def live_overview(school: School) -> None:
    """A device that goes silent is listed on the open overview, its room marked, the counters changed; then it is back."""
    device = f"{school.room}-den"
    row = f"[data-region=wrong] a[href='/devices/{device}']"
    place = f"[data-region=places] a[href='/rooms/{school.room}']"
    online = "return document.querySelector('[data-figure=online]').textContent"
    pill = f"a[href='/rooms/{school.room}']"
    with browser(1440, 1000) as driver:
        log_in(driver, school.base, school.user, CHOSEN)
        driver.get(f"{school.base}/")
        wait(driver, 20).until(is_live)
        wait(driver, 60).until(lambda d: (lambda t: t.split("/")[0] == t.split("/")[1])(d.execute_script(online)))
        wait(driver, 30).until(lambda d: "Mọi thiết bị bình thường" in d.find_element(By.CSS_SELECTOR, "main").text)
        driver.execute_script("window.isTheSamePage = true")
        all_online = driver.execute_script(online)
        school.fault(device, "silence")
        wait(driver, 60).until(lambda d: d.execute_script(online) != all_online)
        wait(driver, 8).until(lambda d: d.find_elements(By.CSS_SELECTOR, row))
        wait(driver, 60).until(lambda d: d.find_element(By.CSS_SELECTOR, place).get_attribute("class") == "offline")
        assert "Mọi thiết bị bình thường" not in driver.find_element(By.CSS_SELECTOR, "main").text
        assert driver.execute_script("return window.isTheSamePage"), "the page was not loaded again"
        driver.get(f"{school.base}/devices/{device}")
        fault = driver.find_element(By.CSS_SELECTOR, "[data-region=fault]").text
        assert "Không trả lời kịp" in fault and "unit" in fault, fault
        driver.get(f"{school.base}/rooms")
        wait(driver, 20).until(is_live)
        card = "return document.querySelector(arguments[0]).closest('.card').querySelector('.pill').className"
        assert "pill-offline" in driver.execute_script(card, pill)
        driver.execute_script("window.isTheSamePage = true")
        school.fault(device, "none")
        wait(driver, 60).until(lambda d: "pill-normal" in d.execute_script(card, pill))
        assert driver.execute_script("return window.isTheSamePage"), "the page was not loaded again"
        check_console(driver)


def alerts(school: School) -> None:
    """Alerts come first, say why and what to do, and are acknowledged and shelved in a few clicks, at both widths."""
    for width in (1440, 390):
        with browser(width, 1000) as driver:
            log_in(driver, school.base, school.user, CHOSEN)
            driver.get(f"{school.base}/")
            wait(driver, 60).until(
                lambda d: "Có không khí" in d.find_element(By.CSS_SELECTOR, "[data-region=alerts] tbody tr").text)
            driver.get(f"{school.base}/alerts")
            first = driver.find_element(By.CSS_SELECTOR, "[data-region=alert-list] tbody tr")
            assert "Có không khí" in first.text and "an toàn tính mạng" in first.text, first.text
            wide = driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{wide} px wider than a screen of {width}"
            driver.get(f"{school.base}/alerts/test-warm:{school.room}-khi~temperature")
            facts = driver.find_element(By.CSS_SELECTOR, "[data-region=alert-facts]").text
            assert "Không cần làm gì." in facts and "trên -100 °C" in facts, facts
            wait(driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[data-chart] canvas"))
            if width == 1440:
                driver.find_element(By.CSS_SELECTOR, "form[action$='/acknowledge'] [name=note]").send_keys("đang xem")
                driver.find_element(By.CSS_SELECTOR, "form[action$='/acknowledge'] button").click()
                wait(driver, 15).until(
                    lambda d: "Đã xác nhận" in d.find_element(By.CSS_SELECTOR, "[data-region=alert-facts]").text)
            else:
                driver.find_element(By.CSS_SELECTOR, "details summary").click()
                driver.find_element(By.CSS_SELECTOR, "form[action$='/shelve'] [name=reason]").send_keys("sửa cảm biến")
                driver.find_element(By.CSS_SELECTOR, "form[action$='/shelve'] button").click()
                wait(driver, 15).until(
                    lambda d: "Gác lại" in d.find_element(By.CSS_SELECTOR, "[data-region=alert-facts] .pill").text)
            assert "đang xem" in driver.find_element(By.CSS_SELECTOR, "[data-region=alert-history]").text
            wide = driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{wide} px wider than a screen of {width}"
            check_console(driver)


def clicks(school: School) -> None:
    """A stranger is adopted with the mouse, and the configuration is read again: first without, then with a problem."""
    with browser(1440, 1000) as driver:
        log_in(driver, school.base, school.user, CHOSEN)
        driver.get(f"{school.base}/quarantine")
        entry = next(e for e in driver.find_elements(By.CSS_SELECTOR, ".quarantine-entry")
                     if "campus/by-click/telemetry" in e.text)
        assert "nil" not in entry.text, entry.text
        name = entry.find_element(By.NAME, "device")
        assert name.get_attribute("value") == "by-click", "the topic proposes a name"
        entry.find_element(By.CSS_SELECTOR, "button.primary").click()
        wait(driver, 20).until(lambda d: d.current_url.startswith(f"{school.base}/devices/by-click"))
        assert "Đã nhận thiết bị" in driver.find_element(By.CSS_SELECTOR, ".notice").text
        driver.get(f"{school.base}/devices")
        assert driver.find_elements(By.CSS_SELECTOR, "a[href='/devices/by-click']")
        driver.find_element(By.CSS_SELECTOR, "form[action='/devices/reload'] button").click()
        wait(driver, 20).until(
            lambda d: any("Đã đọc lại cấu hình." in e.text for e in d.find_elements(By.CSS_SELECTOR, ".notice")))
        before = school.config.read_text(encoding="utf-8")
        school.config.write_text(before + "\nlog: {level: debug}\n", encoding="utf-8")
        driver.find_element(By.CSS_SELECTOR, "form[action='/devices/reload'] button").click()
        wait(driver, 20).until(
            lambda d: any("nhưng có vấn đề" in e.text for e in d.find_elements(By.CSS_SELECTOR, ".notice")))
        problems = driver.find_element(By.CSS_SELECTOR, "[data-region=problems]").text
        assert "log.level đã thay đổi; hãy khởi động lại gateway" in problems, problems
        school.config.write_text(before, encoding="utf-8")
        check_console(driver)


def keyboard(school: School) -> None:
    """Login, a room, the language and an adoption without a pointer; the focus is always to be seen."""
    with browser(1440, 1000) as driver:
        driver.get(f"{school.base}/login")
        press(driver, school.user, Keys.TAB, CHOSEN, Keys.ENTER)
        wait(driver, 15).until(lambda d: "/login" not in d.current_url)
        tab_to(driver, ".skip")
        tab_to(driver, f"[data-region=places] a[href='/rooms/{school.room}']")
        press(driver, Keys.ENTER)
        wait(driver, 15).until(lambda d: d.current_url.endswith(f"/rooms/{school.room}"))
        tab_to(driver, ".tabs a[href$='span=day']")
        press(driver, Keys.ENTER)
        wait(driver, 15).until(lambda d: d.current_url.endswith("span=day"))
        tab_to(driver, ".languages a")
        press(driver, Keys.ENTER)
        wait(driver, 15).until(lambda d: d.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en")
        tab_to(driver, ".navigation a[href='/quarantine']")
        press(driver, Keys.ENTER)
        wait(driver, 15).until(lambda d: d.current_url.endswith("/quarantine"))
        tab_to(driver, "input[name=device][value='by-key']")
        press(driver, Keys.END, "-1")
        tab_to(driver, "select[name=node]")
        press(driver, Keys.END)
        room = driver.execute_script("return document.activeElement.value")
        tab_to(driver, "button.primary")
        press(driver, Keys.ENTER)
        wait(driver, 20).until(lambda d: "/devices/by-key-1" in d.current_url)
        assert driver.find_elements(By.CSS_SELECTOR, f"main a[href='/rooms/{room}']"), "in the room that was chosen"
        tab_to(driver, ".menu summary")
        press(driver, Keys.ENTER)
        tab_to(driver, "form[action='/logout'] button")
        press(driver, Keys.ENTER)
        wait(driver, 15).until(lambda d: "/login" in d.current_url)
        check_console(driver)


def main() -> None:
    school = School(*sys.argv[1:7])
    for part in (first_password, live_room, live_overview, alerts, clicks, keyboard):
        part(school)
        print(f"{part.__name__}: passed", flush=True)


if __name__ == "__main__":
    main()
