#!/usr/bin/env python3
"""A browser on the pages of a simulated school, part by part; each says what it saw.

usage: browser-test.py ADDRESS USER PASSWORD ROOM CONTROL CONFIG

CONTROL is the file that the simulator reads its commands from, CONFIG the gateway.yaml that it runs with. Two messages of strangers must be in the quarantine:
campus/by-click/telemetry and campus/by-key/telemetry.
"""
import pathlib
import sys
import time

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


def controls(school: School) -> None:
    """A set-point is changed after a question, held, given back; a lock keeps everybody out. On a phone and on a desk."""
    device = f"{school.room}-lanh-1"
    for width, value in ((390, "25"), (1440, "27")):
        with browser(width, 1000) as driver:
            log_in(driver, school.base, school.user, CHOSEN)
            driver.get(f"{school.base}/devices/{device}")
            wait(driver, 20).until(is_live)

            def form():
                found = driver.find_element(By.CSS_SELECTOR, f"form[action='/devices/{device}/controls/setpoint']")
                driver.execute_script("arguments[0].closest('details').open = true", found)
                return found

            def fill(reason: str, hold: str):
                found = form()
                field = found.find_element(By.NAME, "value")
                field.clear()
                field.send_keys(value)
                driver.execute_script("arguments[0].value = arguments[1]", found.find_element(By.NAME, "hold"), hold)
                found.find_element(By.NAME, "reason").send_keys(reason)
                return found

            # What does not come from our own page is refused, even with the session's cookie.
            forged = driver.execute_async_script(
                "const done = arguments[arguments.length - 1];"
                "fetch(location.pathname + '/controls/setpoint', {method: 'POST', headers: {'Content-Type': "
                "'application/x-www-form-urlencoded'}, body: 'value=20&reason=forged&confirmed=true'})"
                ".then((answer) => done(answer.status));")
            assert forged == 403, forged
            driver.get_log("browser")
            # Without a reason nothing is asked and nothing is sent.
            found = fill("", "once")
            found.find_element(By.CSS_SELECTOR, "button[data-dialog]").click()
            assert not driver.find_elements(By.CSS_SELECTOR, "dialog[open]")
            # Enter asks, too, and says what is about to be sent.
            found.find_element(By.NAME, "reason").send_keys("họp phụ huynh", Keys.ENTER)
            dialog = wait(driver, 5).until(lambda d: d.find_element(By.CSS_SELECTOR, "dialog[open]"))
            assert f"→ {value} °C" in dialog.text, dialog.text
            dialog.find_element(By.CSS_SELECTOR, "button[data-dialog-close]").click()
            assert not driver.find_elements(By.CSS_SELECTOR, "dialog[open]")
            found.find_element(By.CSS_SELECTOR, "button[data-dialog]").click()
            dialog = wait(driver, 5).until(lambda d: d.find_element(By.CSS_SELECTOR, "dialog[open]"))
            dialog.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
            wait(driver, 20).until(lambda d: "đọc lại đúng" in d.find_element(By.CSS_SELECTOR, ".notice").text)
            newest = driver.find_element(By.CSS_SELECTOR, f"[data-region='commands-{device}-setpoint'] li").text
            for words in ("Đã xác nhận", f"{value} °C", school.user, "họp phụ huynh"):
                assert words in newest, newest
            # The least time between two writes of this control.
            sent = time.monotonic()
            wait(driver, 5).until(lambda d: time.monotonic() > sent + 1.1)
            # Held: it says by whom and until when, and is given back.
            found = fill("giữ cho buổi họp", "3600")
            found.find_element(By.CSS_SELECTOR, "button[data-dialog]").click()
            dialog = wait(driver, 5).until(lambda d: d.find_element(By.CSS_SELECTOR, "dialog[open]"))
            dialog.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
            held = wait(driver, 20).until(lambda d: d.find_element(By.CSS_SELECTOR, ".hold"))
            assert school.user in held.text and "đến" in held.text, held.text
            wide = driver.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{wide} px wider than a screen of {width}"
            driver.find_element(By.CSS_SELECTOR, "form[action$='/release'] button").click()
            wait(driver, 20).until(lambda d: not d.find_elements(By.CSS_SELECTOR, ".hold"))
            lock = driver.find_element(By.CSS_SELECTOR, f"form[action='/devices/{device}/lock']")
            driver.execute_script("arguments[0].closest('details').open = true", lock)
            lock.find_element(By.NAME, "reason").send_keys("thay lọc gió")
            lock.find_element(By.CSS_SELECTOR, "button").click()
            wait(driver, 20).until(
                lambda d: "thay lọc gió" in d.find_element(By.CSS_SELECTOR, "[data-region=lock]").text)
            assert not driver.find_elements(By.CSS_SELECTOR, f"form[action='/devices/{device}/controls/setpoint']")
            driver.find_element(By.CSS_SELECTOR, f"form[action='/devices/{device}/unlock'] button").click()
            wait(driver, 20).until(
                lambda d: d.find_elements(By.CSS_SELECTOR, f"form[action='/devices/{device}/controls/setpoint']"))
            check_console(driver)


def schedules(school: School) -> None:
    """What the school does by itself, with its next run; on a phone nothing is cut off."""
    for width in (390, 1440):
        with browser(width, 1000) as driver:
            log_in(driver, school.base, school.user, CHOSEN)
            driver.get(f"{school.base}/schedules")
            rows = driver.find_elements(By.CSS_SELECTOR, "tbody tr")
            text = driver.find_element(By.CSS_SELECTOR, "main").text
            assert len(rows) == 2 and "10 phút sau cuối tiết cuối cùng" in text and "26 °C" in text, text
            assert driver.find_element(By.CSS_SELECTOR, ".navigation a[aria-current]").text == "Lịch"


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
                driver.find_element(By.CSS_SELECTOR, "main .stack details summary").click()
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


def one_click(school: School) -> None:
    """Devices that announced themselves wait with points and units; one click takes one into a room, and it has values."""
    with browser(1440, 1000) as driver:
        log_in(driver, school.base, school.user, CHOSEN)
        driver.get(f"{school.base}/described")
        entries = {e.get_attribute("data-key"): e for e in driver.find_elements(By.CSS_SELECTOR, ".described-entry")}
        entry = entries["zigbee2mqtt-0xa4c1380b2c3d4e5f"]
        assert {"tasmota-a4cf123f1b2c", "shelly-shellyplus1pm-a8032ab12345", "esphome-a0b1c2d3e4f5"} <= set(entries)
        assert "Nhiệt độ °C" in entry.text and "Không dùng được, và vì sao (1)" in entry.text, entry.text
        assert entry.find_element(By.NAME, "device").get_attribute("value") == "phong-y-te"
        fan = entries["shelly-shellyplus1pm-a8032ab12345"].find_element(By.NAME, "device").get_attribute("value")
        assert fan == "quat-nha-da-nang", fan
        entry.find_element(By.CSS_SELECTOR, "form.filter button.primary").click()
        wait(driver, 20).until(lambda d: d.current_url.startswith(f"{school.base}/devices/phong-y-te"))
        assert "Đã nhận thiết bị" in driver.find_element(By.CSS_SELECTOR, ".notice").text
        wait(driver, 30).until(lambda d: "°C" in d.find_element(By.CSS_SELECTOR, "main").text)
        driver.get(f"{school.base}/described?state=adopted")
        entry = driver.find_element(By.CSS_SELECTOR, "[data-key='zigbee2mqtt-0xa4c1380b2c3d4e5f']")
        assert entry.find_elements(By.CSS_SELECTOR, "a[href='/devices/phong-y-te']"), entry.text
        driver.get(f"{school.base}/described")
        entry = driver.find_element(By.CSS_SELECTOR, "[data-key='esphome-a0b1c2d3e4f5']")
        entry.find_element(By.CSS_SELECTOR, "[data-dialog]").click()
        wait(driver, 5).until(lambda d: d.find_elements(By.CSS_SELECTOR, "dialog[open]"))
        driver.find_element(By.CSS_SELECTOR, "dialog[open] button[type=submit]").click()
        wait(driver, 20).until(lambda d: "Đã từ chối" in d.find_element(By.CSS_SELECTOR, ".notice").text)
        assert not driver.find_elements(By.CSS_SELECTOR, "[data-key='esphome-a0b1c2d3e4f5']")
        driver.get(f"{school.base}/described?state=refused")
        assert driver.find_elements(By.CSS_SELECTOR, "[data-key='esphome-a0b1c2d3e4f5']")
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
    for part in (first_password, live_room, controls, schedules, live_overview, alerts, clicks, one_click, keyboard):
        part(school)
        print(f"{part.__name__}: passed", flush=True)


if __name__ == "__main__":
    main()
