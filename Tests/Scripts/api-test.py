#!/usr/bin/env python3
"""Every operation of /api/openapi.json against a running gateway: answers fit their schemas, nothing is undescribed, pages
follow each other without a gap, strangers are refused.

usage: api-test.py ADDRESS STATE DEVICE ROOM

The paths come from the document: an operation that this script does not exercise is a failure. STATE is the gateway's
state folder (token, records, the broker's port and password); DEVICE is in ROOM and has values; at least four unclaimed
messages are in the quarantine; a device with Tasmota, A4CF123F1B2C, has announced itself.
"""
import copy
import gzip
import json
import pathlib
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import jsonschema
import openapi_spec_validator

BASE, STATE, DEVICE, ROOM = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
TOKEN = (STATE / "operator.token").read_text(encoding="utf-8").strip()
HOUR = 3_600_000


def call(method: str, path: str, body=None, token: str | None = TOKEN, query: dict | None = None,
         text: str | None = None):
    url = BASE + path + ("?" + urllib.parse.urlencode(query) if query else "")
    request = urllib.request.Request(url, method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    elif text is not None:
        data = text.encode()
        request.add_header("Content-Type", "text/csv")
    elif method == "POST":
        data = b""
    try:
        with urllib.request.urlopen(request, data, timeout=30) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read()


document = json.loads(call("GET", "/api/openapi.json")[2])
openapi_spec_validator.validate(document)
exercised: set[tuple[str, str]] = set()


def strict(schema):
    """The schema with its references resolved, and nothing allowed that it does not name."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return strict(copy.deepcopy(found))
    result = {key: strict(value) for key, value in schema.items()}
    if isinstance(result.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def check(value, schema, place: str):
    validator = jsonschema.Draft202012Validator(strict(schema))
    for error in list(validator.iter_errors(value))[:3]:
        raise AssertionError(f"{place}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
    return value


def operation(method: str, template: str, body=None, query: dict | None = None, **names):
    """One described call: its answer is the one described for its status, and strangers get 401."""
    described = document["paths"][template][method]
    path = template.format(**{key: urllib.parse.quote(str(value), safe="") for key, value in names.items()})
    place = f"{method.upper()} {path}"
    stranger, kind, problem = call(method.upper(), path, body, token=None, query=query)
    assert stranger == 401 and kind.startswith("application/problem+json"), f"{place}: a stranger gets {stranger}"
    check(json.loads(problem), described["responses"]["default"]["content"]["application/problem+json"]["schema"], place)
    status, kind, answer = call(method.upper(), path, body, query=query)
    assert str(status) in described["responses"], f"{place}: {status} {answer[:300]!r}"
    exercised.add((method, template))
    content = described["responses"][str(status)].get("content")
    if content is None:
        assert answer == b"", f"{place}: {answer!r}"
        return None
    assert kind.split(";")[0] in content, f"{place}: {kind}"
    return check(json.loads(answer), content[kind.split(";")[0]]["schema"], place)


def key(item: dict) -> str:
    return str(item.get("id") or item.get("name", "") + item.get("at", ""))


def pages(template: str, query: dict | None = None, least: int = 2, **names) -> list:
    """A list in one piece and in small pages: the same items, each once, in the same order."""
    described = document["paths"][template]["get"]
    allowed = {parameter["name"] for parameter in described["parameters"]}
    assert "limit" in allowed, f"{template} has no pages"
    query = query or {}
    whole = operation("get", template, query={**query, "limit": 500}, **names)
    assert "next" not in whole, f"{template}: too long for this test"
    keys = [key(item) for item in whole["items"]]
    assert len(keys) >= least, f"{template}: {len(keys)} items are too few to page"
    size = max(1, len(keys) // 4)
    found, cursor, count = [], {}, 0
    while True:
        page = operation("get", template, query={**query, "limit": size, **cursor}, **names)
        found += [key(item) for item in page["items"]]
        count += 1
        if "next" not in page:
            break
        assert page["items"], f"{template}: an empty page with a next one"
        cursor = {"after" if "after" in allowed else "from": page["next"]}
    assert found == keys, f"{template}: {len(found)} items by page, {len(keys)} in one piece"
    assert count > 1 or len(keys) < 2, f"{template}: one page only"
    refused, _, _ = call("GET", template.format(**names), query={"limit": "0"})
    assert refused == 400, f"{template}: limit=0 gives {refused}"
    return whole["items"]


def seed_summaries() -> None:
    """Hours and days that the gateway would have summed up, had it run for days."""
    now = int(time.time() * 1000)
    with sqlite3.connect(STATE / "records.sqlite", timeout=30) as records:
        for period, length in (("hour", HOUR), ("day", 24 * HOUR)):
            for step in range(1, 7):
                records.execute(
                    "INSERT OR REPLACE INTO summaries (period, point, start, node, unit, minimum, maximum, sum, count, "
                    "bad_count) SELECT ?, id, ?, ?, unit, 1, 3, 20, 10, 0 FROM points WHERE device = ?",
                    (period, now - now % length - step * length, ROOM, DEVICE))


def reading() -> None:
    operation("get", "/api/v1/status")
    pages("/api/v1/nodes")
    devices = pages("/api/v1/devices")
    assert DEVICE in [device["id"] for device in devices]
    operation("get", "/api/v1/devices/{device}", device=DEVICE)
    points = operation("get", "/api/v1/devices/{device}/points", device=DEVICE)["items"]
    pages("/api/v1/latest", {"node": ROOM})
    point = next(p["id"].split("/")[1] for p in points if p["kind"] == "number" and p.get("value") is not None)
    names = {"device": DEVICE, "point": point}
    until = {"from": "-2h", "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    pages("/api/v1/points/{device}/{point}/samples", until, **names)
    pages("/api/v1/points/{device}/{point}/rollups", {**until, "step": "1s"}, least=1, **names)
    seed_summaries()
    for period in ("hour", "day"):
        pages("/api/v1/points/{device}/{point}/summaries", {"period": period}, least=4, **names)
        rooms = pages("/api/v1/nodes/{node}/summaries", {"period": period, "name": point}, least=4, node=ROOM)
        assert all(item["mean"] == 2 and item["devices"] == 1 for item in rooms), rooms[:2]
        pages("/api/v1/nodes/{node}/summaries", {"period": period}, least=4, node=ROOM)
    for span in ("hour", "day", "week", "month", "year"):
        chart = operation("get", "/api/v1/points/{device}/{point}/chart", query={"span": span}, **names)
        assert chart["rows"], f"the chart of a {span} is empty"
    events = operation("get", "/api/v1/events", query={"limit": 500})["items"]
    for wanted in ({"node": ROOM}, {"kind": "card"}, {"name": "nothing"}, {"from": "-1h"}, {"device": DEVICE}):
        fitting = operation("get", "/api/v1/events", query={"limit": 500, **wanted})["items"]
        assert len(fitting) <= len(events) + 5
    if len(events) > 4:
        pages("/api/v1/events", {"to": events[0]["at"]})
    for path in ("/api/v1/devices/nobody", "/api/v1/nodes/nowhere/summaries", "/api/v1/nothing"):
        status, kind, body = call("GET", path)
        assert status == 404 and kind.startswith("application/problem+json"), f"{path}: {status}"
        check(json.loads(body), {"$ref": "#/components/schemas/Problem"}, path)
    for path, wrong in (
        (f"/api/v1/points/{DEVICE}/{point}/samples", {"from": "yesterday"}),
        (f"/api/v1/points/{DEVICE}/{point}/rollups", {"step": "7"}),
        (f"/api/v1/points/{DEVICE}/{point}/chart", {"span": "century"}),
        (f"/api/v1/points/{DEVICE}/{point}/summaries", {"period": "week"}),
        ("/api/v1/devices", {"state": "asleep"}), ("/api/v1/events", {"after": "x"}), ("/api/v1/events", {"kind": "x"}),
        ("/api/v1/nodes", {"after": "nowhere"}), ("/api/v1/quarantine", {"after": "x"}), ("/api/v1/audit", {"after": "x"}),
    ):
        status, _, body = call("GET", path, query=wrong)
        assert status == 400, f"{path} {wrong}: {status} {body!r}"


def history() -> None:
    """Many points in one answer: the same rows as page by page, plain, packed and as a table."""
    points = operation("get", "/api/v1/devices/{device}/points", device=DEVICE)["items"]
    numbers = [p["id"] for p in points if p["hasHistory"] and p.get("value") is not None][:3]
    until = {"from": "-2h", "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2))}
    answer = operation("get", "/api/v1/history", query={**until, "series": ",".join(numbers)})
    assert [series["point"] for series in answer["series"]] == numbers
    for series in answer["series"]:
        device, point = series["point"].split("/")
        page = operation("get", "/api/v1/points/{device}/{point}/samples", query={**until, "limit": 100000},
                         device=device, point=point)["items"]
        assert [(row[1], row[2]) for row in series["rows"]] == [(item.get("value"), item["quality"]) for item in page]
    packed = urllib.request.Request(f"{BASE}/api/v1/history?" + urllib.parse.urlencode({**until, "node": ROOM}),
                                    headers={"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(packed, timeout=30) as response:
        assert response.headers["Content-Encoding"] == "gzip" and response.headers["Vary"] == "Accept-Encoding"
        room = json.loads(gzip.decompress(response.read()))
    assert room == operation("get", "/api/v1/history", query={**until, "node": ROOM})
    minutes = operation("get", "/api/v1/history", query={**until, "device": DEVICE, "step": "1min"})
    assert minutes["stepMilliseconds"] == 60000 and minutes["columns"][1] == "mean"
    described = document["paths"]["/api/v1/history"]["get"]["responses"]["200"]["content"]
    status, kind, table = call("GET", "/api/v1/history", query={**until, "series": numbers[0], "format": "csv"})
    assert status == 200 and kind.split(";")[0] in described, f"{status} {kind}"
    lines = table.decode().splitlines()
    assert lines[0] == "point,at,value,quality" and len(lines) == 1 + len(answer["series"][0]["rows"])
    for wrong in ({}, {"series": numbers[0], "node": ROOM}, {"node": ROOM, "format": "xml"}, {"node": ROOM, "step": "7"}):
        status, _, body = call("GET", "/api/v1/history", query=wrong)
        assert status == 400, f"{wrong}: {status} {body!r}"


def controls() -> None:
    """A command in every way it may end, and everything that keeps one away."""
    device = f"{ROOM}-lanh-1"
    names = {"device": device, "control": "setpoint"}
    path = f"/api/v1/devices/{device}/controls/setpoint"
    listed = operation("get", "/api/v1/devices/{device}/controls", device=device)["items"]
    assert {control["name"] for control in listed} >= {"power", "mode", "fan", "setpoint"}
    dry = operation("post", "/api/v1/devices/{device}/controls/{control}", {"value": 24, "reason": "thử", "dryRun": True},
                    **names)
    assert (dry["wire"], dry["payload"]) == ("modbus", "06 00 04 00 F0"), dry
    sent = operation("post", "/api/v1/devices/{device}/controls/{control}",
                     {"value": 24, "reason": "đang họp", "hold": 600}, **names)
    assert (sent["outcome"], sent["readBack"], sent["priority"]) == ("confirmed", 24, "override"), sent
    assert operation("get", "/api/v1/devices/{device}/controls/{control}/commands/{command}", command=sent["id"],
                     **names) == sent
    assert call("GET", f"{path}/commands/{sent['id'] + 1000}")[0] == 404
    held = operation("get", "/api/v1/devices/{device}/controls/{control}", **names)
    assert held["override"]["value"] == 24 and held["commands"][0] == sent, held
    status, _, body = call("POST", path, {"value": 25, "reason": "nhanh quá"})
    assert status == 429 and b"control-too-soon" in body, body
    operation("delete", "/api/v1/devices/{device}/controls/{control}/override", **names)
    assert "override" not in operation("get", "/api/v1/devices/{device}/controls/{control}", **names)
    operation("post", "/api/v1/devices/{device}/lock", {"reason": "thay lọc gió"}, device=device)
    status, _, body = call("POST", path, {"value": 25, "reason": "vì nóng"})
    assert status == 409 and "thay lọc gió" in body.decode(), body
    operation("delete", "/api/v1/devices/{device}/lock", device=device)
    for wrong in ({"value": 99, "reason": "vì nóng"}, {"value": 25}, {"reason": "vì nóng"}, {"value": "25", "reason": "x y"}):
        assert call("POST", path, wrong)[0] == 400, wrong
    for unknown in (f"/api/v1/devices/{device}/controls/colour", "/api/v1/devices/nobody/controls/setpoint"):
        assert call("POST", unknown, {"value": 25, "reason": "vì nóng"})[0] == 404
    # A publisher: the played socket tells its state after the command.
    socket = operation("post", "/api/v1/devices/{device}/controls/{control}",
                       {"value": False, "reason": "cuối buổi", "waitSeconds": 20}, device=f"{ROOM}-o-1", control="socket")
    assert (socket["outcome"], socket["readBack"]) == ("confirmed", 0), socket
    schedules = operation("get", "/api/v1/schedules")["items"]
    assert [schedule["name"] for schedule in schedules] == ["may-lanh-theo-tiet", "tat-sau-gio-hoc"], schedules
    assert all(schedule["nextAt"] and schedule["actions"][0]["devices"] == 4 for schedule in schedules), schedules
    assert call("POST", "/api/v1/devices/bao-chay/controls/reset", {"reason": "vì nóng"})[0] == 403, "a fire panel"


def quarantine() -> None:
    entries = pages("/api/v1/quarantine", least=4)
    entry = next(e for e in entries if e["suggestions"])
    body = {"profile": entry["suggestions"][0]["profile"], "device": "adopted-by-api", "node": ROOM}
    operation("post", "/api/v1/quarantine/{id}/adopt", body, id=entry["id"])
    other = next(e for e in entries if e["id"] != entry["id"])
    operation("delete", "/api/v1/quarantine/{id}", id=other["id"])
    assert call("DELETE", f"/api/v1/quarantine/{other['id']}")[0] == 404
    operation("post", "/api/v1/reload")


def described() -> None:
    waiting = pages("/api/v1/described", least=4)
    key = "tasmota-a4cf123f1b2c"
    assert key in [item["key"] for item in waiting] and all("points" not in item for item in waiting)
    assert not operation("get", "/api/v1/described", query={"state": "refused"})["items"]
    one = operation("get", "/api/v1/described/{key}", key=key)
    assert one["state"] == "waiting" and one["pointCount"] == len(one["points"]), one
    status, kind, text = call("GET", f"/api/v1/described/{key}/profile")
    assert status == 200 and kind.startswith("application/yaml") and b"profile: " in text, status
    exercised.add(("get", "/api/v1/described/{key}/profile"))
    operation("post", "/api/v1/described/{key}/refuse", key=key)
    assert operation("get", "/api/v1/described/{key}", key=key)["state"] == "refused"
    operation("delete", "/api/v1/described/{key}/refuse", key=key)
    assert call("POST", f"/api/v1/described/{key}/accept")[0] == 400, "nothing is different"
    operation("post", "/api/v1/described/{key}/adopt", {"device": "described-by-api", "node": ROOM}, key=key)
    assert call("POST", f"/api/v1/described/{key}/adopt", {"device": "again", "node": ROOM})[0] == 400, "it is a device"
    config = {"dn": "x", "t": "tasmota_3F1B2C", "md": "Athom Plug V2", "rl": [1, 1], "sw": "15.0.0"}
    subprocess.run(["mosquitto_pub", "-p", (STATE / "broker/port").read_text().strip(), "-u", "devices", "-P",
                    (STATE / "devices.password").read_text().strip(), "-q", "1", "-r",
                    "-t", "tasmota/discovery/A4CF123F1B2C/config", "-m", json.dumps(config)], check=True)
    end = time.monotonic() + 20
    while operation("get", "/api/v1/described/{key}", key=key)["state"] != "changed":
        assert time.monotonic() < end, "the difference shows"
        time.sleep(0.1)
    operation("post", "/api/v1/described/{key}/accept", key=key)
    operation("delete", "/api/v1/described/{key}", key=key)
    assert call("GET", f"/api/v1/described/{key}")[0] == 404
    bus = "nowhere"
    status, _, body = call("POST", "/api/v1/described/scan", {"bus": bus, "unit": 1})
    assert status == 400 and bus.encode() in body, body
    exercised.add(("post", "/api/v1/described/scan"))
    for wrong in ({"state": "x"}, {"family": "x"}, {"limit": "0"}):
        assert call("GET", "/api/v1/described", query=wrong)[0] == 400, wrong


def alerts() -> None:
    """Alerts are listed, followed and dealt with; life-safety ones take two persons."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        rules = [a["rule"] for a in operation("get", "/api/v1/alerts")["items"]]
        if rules.count("test-warm") >= 4 and {"test-gas", "test-latch"} <= set(rules):
            break
        time.sleep(0.5)
    listed = pages("/api/v1/alerts", least=6)
    assert listed[0]["lifeSafety"], "life-safety comes first"
    assert all(a["state"] == "unacknowledged" for a in operation("get", "/api/v1/alerts", query={"state": "unacknowledged"})["items"])
    warm = next(a for a in listed if a["rule"] == "test-warm")
    one = {"id": warm["id"]}
    assert operation("get", "/api/v1/alerts/{id}", **one)["rule"] == "test-warm"
    status, _, body = call("POST", f"/api/v1/alerts/{warm['id']}/acknowledge", {"activation": warm["activation"] + 1})
    assert status == 400, body
    known = operation("post", "/api/v1/alerts/{id}/acknowledge", {"activation": warm["activation"], "note": "đã biết"}, **one)
    assert (known["state"], known["note"]) == ("acknowledged", "đã biết")
    assert operation("post", "/api/v1/alerts/{id}/shelve", {"minutes": 5, "reason": "thử"}, **one)["state"] == "shelved"
    assert call("POST", f"/api/v1/alerts/{warm['id']}/shelve", {"minutes": 100_000, "reason": "thử"})[0] == 400
    assert operation("post", "/api/v1/alerts/{id}/unshelve", {}, **one)["state"] == "unacknowledged"
    gone = operation("post", "/api/v1/alerts/{id}/out-of-service", {"reason": "hỏng"}, **one)
    assert gone["state"] == "out-of-service"
    assert operation("post", "/api/v1/alerts/{id}/in-service", {}, **one)["state"] == "unacknowledged"
    gas = {"id": listed[0]["id"]}
    assert call("POST", f"/api/v1/alerts/{gas['id']}/shelve", {"minutes": 5, "reason": "thử"})[0] == 400, "two persons"
    wrong = {"minutes": 5, "reason": "thử", "second": "admin", "secondPassword": "guessed"}
    assert call("POST", f"/api/v1/alerts/{gas['id']}/shelve", wrong)[0] == 400, "with their password"
    assert call("POST", f"/api/v1/alerts/{gas['id']}/reset", {})[0] == 400, "it is active"
    latch = next(a for a in listed if a["rule"] == "test-latch")
    operation("post", "/api/v1/alerts/{id}/acknowledge", {"activation": latch["activation"]}, id=latch["id"])
    assert not operation("post", "/api/v1/alerts/{id}/restart", {"note": "đã thay lọc"}, id=latch["id"])["active"]
    assert operation("post", "/api/v1/alerts/{id}/reset", {}, id=latch["id"])["state"] == "normal"
    happened = operation("get", "/api/v1/alert-transitions", query={"alert": warm["id"]})["items"]
    kinds = [item["kind"] for item in happened]
    assert kinds[-1] == "raised" and {"acknowledged", "shelved", "unshelved", "out-of-service", "in-service"} <= set(kinds)
    numbers = [item["sequence"] for item in operation("get", "/api/v1/alert-transitions", query={"limit": 1000})["items"]]
    assert numbers == list(range(len(numbers), 0, -1)), "no gap"
    page = operation("get", "/api/v1/alert-transitions", query={"limit": 3})
    again = operation("get", "/api/v1/alert-transitions", query={"limit": 3, "after": page["next"]})
    assert again["items"][0]["sequence"] == page["items"][-1]["sequence"] - 1
    for path in ("/api/v1/alerts/nothing", "/api/v1/alerts/a:b"):
        assert call("GET", path)[0] == 404, path
    assert call("GET", "/api/v1/alert-transitions", query={"alert": "x"})[0] == 400


def people() -> None:
    for name in ("an", "binh", "chi", "dung"):
        login = operation("post", "/api/v1/users", {"name": name, "role": "viewer"})
        assert login["password"]
    assert call("POST", "/api/v1/users", {"name": "an", "role": "viewer"})[0] == 409
    pages("/api/v1/users")
    changed = operation("patch", "/api/v1/users/{name}", {"role": "facility", "isDisabled": True}, name="an")
    assert (changed["role"], changed["isDisabled"]) == ("facility", True)
    assert operation("patch", "/api/v1/users/{name}", {"isDisabled": False}, name="an")["isDisabled"] is False
    status, _, body = call("PATCH", "/api/v1/users/admin", {"role": "viewer"})
    assert status == 400 and "last administrator" in body.decode(), body
    assert call("PATCH", "/api/v1/users/an", {"role": "king"})[0] == 400
    assert call("PATCH", "/api/v1/users/nobody", {"role": "viewer"})[0] == 404
    operation("post", "/api/v1/users/{name}/reset", name="an")
    operation("delete", "/api/v1/users/{name}", name="an")
    assert call("DELETE", "/api/v1/users/an")[0] == 404


def tokens() -> None:
    made = {role: operation("post", "/api/v1/tokens", {"label": f"for {role}", "role": role})
            for role in ("viewer", "facility", "administrator")}
    operation("post", "/api/v1/tokens", {"label": "for a while", "role": "viewer", "expiresAt": "2099-01-01T00:00:00Z"})
    for wrong in ({"label": "x", "role": "king"}, {"label": "x", "role": "viewer", "expiresAt": "soon"},
                  {"label": "x", "role": "viewer", "expiresAt": "2001-01-01T00:00:00Z"}, {"label": ""}):
        assert call("POST", "/api/v1/tokens", wrong)[0] == 400, wrong
    assert call("POST", "/api/v1/tokens", {"label": "for viewer", "role": "viewer"})[0] == 409
    listed = pages("/api/v1/tokens")
    assert not [token for token in listed if "secret" in token]
    for role, forbidden in (("viewer", True), ("facility", True), ("administrator", False)):
        secret = made[role]["secret"]
        assert call("GET", "/api/v1/status", token=secret)[0] == 200
        for path in ("/api/v1/audit", "/api/v1/tokens", "/api/v1/users"):
            assert call("GET", path, token=secret)[0] == (403 if forbidden else 200), f"{role} {path}"
    operation("delete", "/api/v1/tokens/{id}", id=made["viewer"]["id"])
    assert call("GET", "/api/v1/status", token=made["viewer"]["secret"])[0] == 401, "revoked at once"


def audit() -> None:
    entries = pages("/api/v1/audit")
    actions = {entry["action"] for entry in entries}
    wanted = {"user.create", "user.role", "user.disable", "user.remove", "token.create", "token.revoke", "adopt", "reload"}
    assert wanted <= actions, wanted - actions
    revoked = operation("get", "/api/v1/audit", query={"action": "token.revoke"})["items"]
    assert [entry["subject"] for entry in revoked] == ["for viewer"]
    assert not operation("get", "/api/v1/audit", query={"to": "2001-01-01T00:00:00Z"})["items"]
    text = json.dumps(entries)
    assert "cgt_" not in text, "no secret in the audit"


def transfer() -> None:
    point = operation("get", "/api/v1/devices/{device}/points", device=DEVICE)["items"][0]["id"]
    rows = f"point,at,value,quality\r\n{point},2026-01-01T00:00:00.000Z,20.5,good\r\n"
    status, _, body = call("POST", "/api/v1/import", text=rows, query={"dryRun": "true"})
    assert status == 200, body
    answer = json.loads(body)
    check(answer, document["paths"]["/api/v1/import"]["post"]["responses"]["200"]["content"]["application/json"]["schema"],
          "import")
    exercised.add(("post", "/api/v1/import"))
    operation("get", "/api/v1/exporters")


for part in (reading, history, controls, alerts, quarantine, described, people, tokens, audit, transfer):
    part()
    print(f"{part.__name__}: passed", flush=True)
told = {(method, path) for path, item in document["paths"].items() for method in item if method != "parameters"}
assert told == exercised, f"not exercised: {sorted(told - exercised)}"
print(f"{len(told)} operations passed")
