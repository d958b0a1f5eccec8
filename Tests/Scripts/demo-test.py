#!/usr/bin/env python3
"""Starts deploy/demo, presses Ctrl-C when its address is printed, and sees every process and file of it gone."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = f"CAMPUS_DEMO_MARK={uuid.uuid4()}"


def marked() -> dict[int, str]:
    """The running processes that descend from the demo: they inherited the mark in their environment."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if MARK.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue  # it ended meanwhile
    return found


def main() -> None:
    name, value = MARK.split("=")
    demo = subprocess.Popen(
        ["deploy/demo", "--rooms", "2"], cwd=ROOT, env={**os.environ, name: value}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        text = ""
        for line in demo.stdout:
            text += line
            if "Ctrl-C stops everything" in line:
                break
        else:
            sys.exit(f"the demo ended with {demo.wait()}:\n{text}")
        address = re.search(r"Address: +(\S+)", text)[1]
        folder = pathlib.Path(re.search(r"Logs: +(\S+)/gateway.log", text)[1])
        assert urllib.request.urlopen(f"{address}/healthz", timeout=10).status == 200
        names = sorted(marked().values())
        for program in ("campus-gateway", "campus-simulato", "mosquitto"):
            assert program in names, f"{program} is not among {names}"
        assert folder.exists()
        # As a terminal does: to the whole group in the foreground.
        os.killpg(demo.pid, signal.SIGINT)
        demo.stdout.read()
        demo.wait(timeout=30)
        end = time.monotonic() + 10
        while (left := marked()) and time.monotonic() < end:
            time.sleep(0.1)
        assert not left, f"still running after Ctrl-C: {left}"
        assert not folder.exists(), f"{folder} is left"
        print(f"Ctrl-C ended all of {', '.join(names)}")
    finally:
        for process in marked():
            os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
