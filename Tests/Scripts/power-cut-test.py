#!/usr/bin/env python3
"""Cuts the power of a running gateway, again and again, and counts what is missing afterwards.

    Tests/Scripts/power-cut-test.py [--rounds N] [--program PATH] [--seed N]

The card is an ext4 image on a loop device with direct input and output, so that what the kernel still keeps in memory
is not in the image. A cut is EXT4_IOC_SHUTDOWN without a flush of the log: from that moment nothing reaches the image
any more. Then the gateway is killed, its memory (a folder of its own) emptied, the image copied, the copy mounted and
the gateway started on it. The broker is another machine: it keeps running, and delivers again what was not
acknowledged.

What must hold: it opens every time; nothing appears that was not sent, nothing twice; no critical value is missing;
important and usual values are missing only if they are younger than their interval. Needs root, loop devices and
mosquitto; says why where it cannot run.
"""
import argparse
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
# Values a second, and how old one may be that is lost: the interval of its class, and a second for the commit itself.
CLASSES = {"usual": (50, 5.0 + 1), "important": (10, 1.0 + 1), "critical": (10, None)}

PROFILE = """
profile: cut
vendor: V
model: M
category: environment
title: {vi: T, en: T}
sources: [{title: by hand, trust: C}]
verified: false
mqtt:
  messages:
    - {name: usual, topic: "cut/{device}/usual", clock: {pointer: /at, format: unix-milliseconds}}
    - {name: important, topic: "cut/{device}/important", clock: {pointer: /at, format: unix-milliseconds}}
    - {name: critical, topic: "cut/{device}/critical", clock: {pointer: /at, format: unix-milliseconds}}
points:
  - {name: usual, title: {vi: U, en: U}, unit: "1", wire: {message: usual, pointer: /n}}
  - {name: important, title: {vi: I, en: I}, unit: "1", wire: {message: important, pointer: /n}, durability: important}
  - {name: critical, title: {vi: C, en: C}, unit: "1", wire: {message: critical, pointer: /n}, durability: critical}
tests:
  - name: one
    mqtt: {topic: cut/x/usual, payload: '{"at": 1790000000000, "n": 1}'}
    parameters: {device: x}
    expect: {usual: 1}
"""

SITE = """
site: {id: s, name: {vi: S, en: S}}
nodes: [{id: r, kind: room, room: office, name: {vi: R, en: R}}]
devices: [{id: d, node: r, profile: cut, parameters: {device: d}}]
"""


def skip(why: str) -> None:
    print(f"skipped: {why}")
    sys.exit(0)


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Player(threading.Thread):
    """One mosquitto_pub that sends numbered values of one class, and remembers when."""

    def __init__(self, name: str, rate: float, port: int):
        super().__init__(daemon=True)
        self.topic, self.rate, self.ending, self.last = f"cut/d/{name}", rate, False, 0
        self.speaks = threading.Event()
        self.speaks.set()
        self.sent: list[float] = []
        self.client = subprocess.Popen(
            ["mosquitto_pub", "-p", str(port), "-q", "1", "-l", "-t", self.topic], stdin=subprocess.PIPE, text=True
        )

    def run(self) -> None:
        due = time.time()
        while not self.ending:
            due += random.expovariate(self.rate)
            if not self.speaks.wait(0.1):
                due = time.time()
                continue
            time.sleep(max(0.0, due - time.time()))
            now = time.time()
            self.sent.append(now)
            # Numbers from 1; no two in one millisecond, which would be one instant of the device's clock.
            at = max(int(now * 1000), self.last + 1)
            self.last = at
            self.client.stdin.write(json.dumps({"at": at, "n": len(self.sent)}) + "\n")
            self.client.stdin.flush()

    def end(self) -> None:
        self.ending = True
        self.join()
        self.client.stdin.close()
        self.client.wait()


class Board:
    """A gateway whose state is on a card."""

    def __init__(self, folder: pathlib.Path, program: str, broker: int):
        self.folder, self.program = folder, program
        self.mount, self.memory = folder / "card", folder / "memory"
        self.image, self.loop, self.process = folder / "card.img", "", None
        for path in (self.mount, folder / "profiles"):
            path.mkdir()
        (folder / "profiles" / "cut.yaml").write_text(PROFILE)
        (folder / "site.yaml").write_text(SITE)
        (folder / "gateway.yaml").write_text(
            f"state: {self.mount}/state\nprofiles: [profiles]\nweb: {{port: 0}}\n"
            f"broker: {{mode: external, port: {broker}}}\n"
            f"ring: {{memory: {self.memory}, commit: {{telemetry: 5 s, important: 1 s}}, "
            "journal: 4 MiB, raw: 16 MiB, minutes: 4 MiB, quarters: 4 MiB}\n"
        )
        run("truncate", "-s", "192M", str(self.image))
        run("mkfs.ext4", "-q", str(self.image))

    def power_on(self) -> float:
        """Mounts the card and starts the gateway; returns the seconds until it is ready."""
        self.loop = run("losetup", "--direct-io=on", "--find", "--show", str(self.image))
        run("mount", "-o", "noatime", self.loop, str(self.mount))
        self.memory.mkdir()
        (self.mount / "state" / "address").unlink(missing_ok=True)
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [self.program, "--config", str(self.folder / "gateway.yaml")], stdout=log, stderr=log
        )
        start = time.time()
        while time.time() - start < 60:
            if self.process.poll() is not None:
                raise SystemExit(f"the gateway ended with {self.process.returncode}\n{self.log()[-3000:]}")
            try:
                self.get("/readyz")
                return time.time() - start
            except OSError:
                time.sleep(0.02)
        raise SystemExit(f"the gateway is not ready after a minute\n{self.log()[-3000:]}")

    def cut_power(self, copy: pathlib.Path) -> float:
        """Nothing reaches the card from now on; its copy is the card of the next life. Returns the instant."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, NO_LOG_FLUSH.to_bytes(4, "little"))
        instant = time.time()
        os.close(descriptor)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.memory)
        run("umount", str(self.mount))
        run("losetup", "-d", self.loop)
        self.loop = ""
        run("cp", "--sparse=always", str(self.image), str(copy))
        self.image.unlink()
        self.image = copy
        return instant

    def power_off(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.loop:
            subprocess.run(["umount", str(self.mount)], check=False)
            subprocess.run(["losetup", "-d", self.loop], check=False)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def get(self, path: str) -> bytes:
        address = (self.mount / "state" / "address").read_text().strip()
        request = urllib.request.Request(address + path)
        if path != "/readyz":
            token = (self.mount / "state" / "operator.token").read_text().strip()
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.read()

    def values(self, name: str) -> list[int]:
        values, start = [], "2000-01-01T00:00:00Z"
        while start:
            page = json.loads(self.get(f"/api/v1/points/d/{name}/samples?from={start}&limit=3000"))
            values += [int(item["value"]) for item in page["items"] if item["quality"] == "good"]
            start = page.get("next")
        return values


def check(board: Board, players: dict[str, Player], cut: float | None, known: dict[str, set[int]]) -> dict:
    """Compares what is there with what was sent; returns the age of the oldest loss of the last cut, by class."""
    result = {}
    for name, (_, limit) in CLASSES.items():
        found = board.values(name)
        sent = players[name].sent
        if found != sorted(set(found)):
            raise SystemExit(f"{name}: a value twice or out of order")
        if found and found[-1] > len(sent):
            raise SystemExit(f"{name}: {found[-1]} was never sent")
        missing = [n for n in range(1, len(sent) + 1) if n not in set(found) and n not in known[name]]
        if cut is not None:
            missing = [n for n in missing if sent[n - 1] <= cut]
            oldest = max((cut - sent[n - 1] for n in missing), default=0.0)
            if limit is None and missing:
                raise SystemExit(f"{name}: {len(missing)} acknowledged values are lost, the oldest {oldest:.2f} s old")
            if limit is not None and oldest > limit:
                raise SystemExit(f"{name}: lost values are up to {oldest:.2f} s old; {limit} s are allowed")
            known[name].update(missing)
            result[name] = (len(missing), round(oldest, 2))
        elif missing:
            raise SystemExit(f"{name}: {len(missing)} values are missing that no cut took: {missing[:10]}")
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--program", default=str(ROOT / ".build/debug/campus-gateway"))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        skip("mounting an image needs root")
    for tool in ("losetup", "mkfs.ext4", "mount", "mosquitto", "mosquitto_pub"):
        if not shutil.which(tool) and not shutil.which(f"/usr/sbin/{tool}"):
            skip(f"{tool} is not installed")
    if not os.path.exists("/dev/loop-control"):
        skip("this kernel or container has no loop devices")
    if not os.path.exists(arguments.program):
        skip(f"{arguments.program} is not built")
    random.seed(arguments.seed)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="campus-power-cut-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker_file = folder / "broker.conf"
    broker_file.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 100\n"
    )
    broker = subprocess.Popen(["mosquitto", "-c", str(broker_file)], stderr=subprocess.DEVNULL)
    board, players = None, {}
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        board = Board(folder, arguments.program, port)
        try:
            board.power_on()
        except subprocess.CalledProcessError as error:
            skip(f"{' '.join(error.cmd)}: {error.stderr.strip()}")
        players = {name: Player(name, rate, port) for name, (rate, _) in CLASSES.items()}
        for player in players.values():
            player.start()
        known: dict[str, set[int]] = {name: set() for name in CLASSES}
        worst: dict[str, float] = {name: 0.0 for name in CLASSES}
        for number in range(1, arguments.rounds + 1):
            # A commit takes all that is new with it: each class is alone with what is laxer, too.
            strictest = random.randrange(len(CLASSES))
            for rank, player in enumerate(players.values()):
                if rank <= strictest:
                    player.speaks.set()
                else:
                    player.speaks.clear()
            time.sleep(random.uniform(0.5, 9))
            cut = board.cut_power(folder / f"card-{number}.img")
            ready = board.power_on()
            # What the broker had no acknowledgement for comes again; a second is plenty for it.
            time.sleep(1)
            result = check(board, players, cut, known)
            for name, (_, oldest) in result.items():
                worst[name] = max(worst[name], oldest)
            told = board.log().count("read from its journal")
            print(f"cut {number}, up to {list(CLASSES)[strictest]}: ready in {ready:.2f} s, lost {result}", flush=True)
            if told == 0:
                raise SystemExit("the gateway says nothing of a cut")
        for player in players.values():
            player.end()
        time.sleep(1)
        check(board, players, None, known)
        sent = {name: len(player.sent) for name, player in players.items()}
        lost = {name: len(numbers) for name, numbers in known.items()}
        print(f"{arguments.rounds} cuts, seed {arguments.seed}: sent {sent}, lost {lost}, oldest lost in s {worst}")
        print([line for line in board.log().split("\n") if "read from its journal" in line][-1])
    finally:
        for player in players.values():
            player.ending = True
            player.client.kill()
        if board:
            board.power_off()
        broker.terminate()
        broker.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
