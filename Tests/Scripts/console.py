"""A browser for the pages of a running gateway: headless Chromium, driven by selenium."""
import contextlib

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


@contextlib.contextmanager
def browser(width: int, height: int):
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},{height}")
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    # Chromium's window is never narrower than 500 px; the page's own width is what counts.
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    try:
        yield driver
    finally:
        driver.quit()


def wait(driver, seconds: float) -> WebDriverWait:
    """Waits for something of a page that may be loaded anew meanwhile: an element of the page before is no answer yet."""
    return WebDriverWait(driver, seconds, ignored_exceptions=[StaleElementReferenceException])


def log_in(driver, address: str, user: str, password: str) -> None:
    driver.get(f"{address}/login")
    driver.find_element(By.NAME, "user").send_keys(user)
    driver.find_element(By.NAME, "password").send_keys(password)
    driver.find_element(By.CSS_SELECTOR, "form button[type=submit]").click()
    wait(driver, 15).until(lambda d: "/login" not in d.current_url)


def press(driver, *keys: str) -> None:
    """Types into whatever has the focus."""
    for key in keys:
        driver.switch_to.active_element.send_keys(key)


def tab_to(driver, selector: str, presses_max: int = 400) -> None:
    """Presses Tab until an element that fits `selector` has the focus, and sees that it is marked."""
    for _ in range(presses_max):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        if driver.execute_script("return document.activeElement.matches(arguments[0])", selector):
            outline = driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{selector} has the focus and does not show it"
            return
    raise AssertionError(f"{presses_max} times Tab do not reach {selector}")
