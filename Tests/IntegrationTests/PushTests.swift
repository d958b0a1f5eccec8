import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// The whole gateway with devices that push over HTTP.
@Suite(.serialized)
struct PushTests {
    private static let devices = """
          - {id: gate, node: r1, profile: zkteco-push, parameters: {serial: CJDE1}}
          - {id: door, node: r1, profile: hikvision-ds-k1t, parameters: {serial: K1}, secretFile: secret}
        """
    private static let punch = "25\t2026-09-08 07:42:18\t0\t15\t0\n"

    private struct Events: Decodable {
        struct Item: Decodable {
            var device: String
            var name: String
            var at: String
            var isReplay: Bool?
        }
        var items: [Item]
    }

    private func withGateway(
        _ devices: String = Self.devices,
        push: String = "port: 0",
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let site = """
            site: {id: s, name: {vi: Trường, en: School}}
            nodes:
              - {id: r1, kind: room, room: entrance, name: {vi: Cổng, en: Gate}}
            devices:
            \(devices)
            """
        // The readers' logs here are of one day of 2026: without it they would be erased as soon as the gateway looks.
        let gateway = try RunningGateway(site: site, settings: "push: {\(push)}\nrecords: {events: 3650 d}")
        defer { gateway.stop() }
        try "s3cret\n".write(toFile: "\(gateway.folder)/secret", atomically: true, encoding: .utf8)
        try await gateway.start()
        try await eventually("the listener is there") { !gateway.text("push-port").isEmpty }
        try await body(gateway)
    }

    private func send(
        _ gateway: RunningGateway,
        _ method: HTTPMethod,
        _ target: String,
        _ body: String = "",
        type: String = "text/plain"
    ) async throws -> (status: Int, text: String) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(gateway.text("push-port"))\(target)")
        request.method = method
        request.headers.add(name: "Content-Type", value: type)
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let answer = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), String(buffer: answer))
    }

    private func events(_ gateway: RunningGateway) async throws -> [Events.Item] {
        try await gateway.json(Events.self, "/api/v1/events").items
    }

    @Test func aReaderIsAnsweredAsItExpectsAndAPunchIsARecordOnce() async throws {
        try await self.withGateway { gateway in
            let options = try await self.send(gateway, .GET, "/iclock/cdata?SN=CJDE1&options=all&pushver=2.4.1")
            #expect(options.status == 200 && options.text.hasPrefix("GET OPTION FROM: CJDE1\r\nATTLOGStamp=None\r\n"))
            for _ in 0..<3 {
                let answer = try await self.send(
                    gateway,
                    .POST,
                    "/iclock/cdata?SN=CJDE1&table=ATTLOG&Stamp=9999",
                    Self.punch
                )
                #expect(answer.status == 200 && answer.text == "OK: 1")
            }
            #expect(try await self.send(gateway, .GET, "/iclock/getrequest?SN=CJDE1").text == "OK")
            let events = try await self.events(gateway)
            #expect(events.map(\.device) == ["gate"], "sent three times, kept once")
            #expect(events.first?.at.hasPrefix("2026-09-08T00:42:18") == true)
            struct Device: Decodable { var state: String }
            #expect(try await gateway.json(Device.self, "/api/v1/devices/gate").state == "online")
        }
    }

    @Test func templatesAndPicturesAreNeitherStoredNorLoggedNorShown() async throws {
        let secret = "VGhpcyBpcyBub3QgYSBmYWNlLCBidXQgaXQgY291bGQgYmU"
        try await self.withGateway { gateway in
            let bio = try await self.send(
                gateway,
                .POST,
                "/iclock/cdata?SN=CJDE1&table=BIODATA",
                "BIODATA Pin=25\tTmp=\(secret)"
            )
            #expect(bio.status == 200 && bio.text == "OK")
            let event =
                #"{"dateTime":"2026-09-08T07:42:18+07:00","eventType":"AccessControllerEvent","#
                + #""AccessControllerEvent":{"subEventType":75,"employeeNoString":"25","serialNo":7,"currentEvent":false}}"#
            let body =
                "--b\r\nContent-Type: application/json\r\n\r\n\(event)\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n\(secret)\r\n--b--\r\n"
            for _ in 0..<2 {
                let answer = try await self.send(
                    gateway,
                    .POST,
                    "/hikvision/K1/s3cret",
                    body,
                    type: "multipart/form-data; boundary=b"
                )
                #expect(answer.status == 200)
            }
            #expect(try await self.events(gateway).map(\.device) == ["door"])
            // A picture alone breaks the profile: it is put away without being shown.
            let alone = "--b\r\nContent-Type: image/jpeg\r\n\r\n\(secret)\r\n--b--\r\n"
            #expect(
                try await self
                    .send(gateway, .POST, "/hikvision/K1/s3cret", alone, type: "multipart/form-data; boundary=b").status
                    == 200
            )
            let (quarantine, _) = try await gateway.get("/api/v1/quarantine")
            #expect(String(decoding: quarantine, as: UTF8.self).contains("jsonSyntax"))
            var found = gateway.log + String(decoding: quarantine, as: UTF8.self)
            for name in try FileManager.default.subpathsOfDirectory(atPath: gateway.state) {
                let data = FileManager.default.contents(atPath: "\(gateway.state)/\(name)") ?? Data()
                found += String(decoding: data, as: UTF8.self)
            }
            #expect(!found.contains(secret))
            #expect(!gateway.log.contains("s3cret"))
        }
    }

    @Test func aWrongSecretAndUnknownPathsAreRefusedAndAnUnknownReaderKeepsItsPunches() async throws {
        try await self.withGateway { gateway in
            #expect(try await self.send(gateway, .POST, "/hikvision/K1/wrong", "{}").status == 403)
            #expect(try await self.send(gateway, .POST, "/nothing", "{}").status == 404)
            #expect(try await self.send(gateway, .POST, "/iclock/cdata?SN=../x&table=ATTLOG", "x").status == 404)
            // The options are answered to anybody, so that the reader shows itself; its punches are not taken.
            #expect(try await self.send(gateway, .GET, "/iclock/cdata?SN=NEW1&options=all").status == 200)
            #expect(try await self.send(gateway, .POST, "/iclock/cdata?SN=NEW1&table=ATTLOG", Self.punch).status == 503)
            let (data, _) = try await gateway.get("/api/v1/quarantine")
            let text = String(decoding: data, as: UTF8.self)
            #expect(text.contains("unclaimed") && text.contains("zkteco-push"))
            #expect(!text.contains("\"25\""), "the number of a person is masked")
            #expect(try await self.events(gateway).isEmpty)
            #expect(try await gateway.metric("campus_push_refused_total") >= 4)
        }
    }

    @Test func oneBadLineDoesNotHoldUpTheOthers() async throws {
        try await self.withGateway { gateway in
            let lines = "25\t2026-09-08 07:42:18\t0\t15\nnonsense\n26\tnot a time\t0\n27\t2026-09-08 07:43:00\t1\t1\n"
            let answer = try await self.send(gateway, .POST, "/iclock/cdata?SN=CJDE1&table=ATTLOG", lines)
            #expect(answer.status == 200 && answer.text == "OK: 4")
            #expect(try await self.events(gateway).count == 2)
            let (data, _) = try await gateway.get("/api/v1/quarantine")
            #expect(String(decoding: data, as: UTF8.self).contains("clockMalformed"))
        }
    }

    @Test func bodiesRequestsAndSlowClientsAreBounded() async throws {
        try await self.withGateway(push: "port: 0, bodyMax: 2 KiB, requestsPerSecond: 2") { gateway in
            let long = String(repeating: Self.punch, count: 200)
            #expect(try await self.send(gateway, .POST, "/iclock/cdata?SN=CJDE1&table=ATTLOG", long).status == 413)
            #expect(try await self.send(gateway, .POST, "/iclock/cdata?SN=CJDE1&table=BIODATA", long).status == 413)
            var statuses: Set<Int> = []
            for _ in 0..<40 {
                statuses.insert(try await self.send(gateway, .GET, "/iclock/getrequest?SN=CJDE1").status)
            }
            #expect(statuses == [200, 429])
        }
    }

    @Test func nothingListensUnlessTheFileSaysSo() async throws {
        let gateway = try RunningGateway(site: RunningGateway.oneRoom)
        defer { gateway.stop() }
        try await gateway.start()
        #expect(gateway.text("push-port").isEmpty)
    }

    @Test func punchesThatCannotBeCommittedAreNotAcknowledged() async throws {
        try await self.withGateway { gateway in
            // Another writer holds the records: a commit waits for it and then fails.
            let holder = try Process.run(
                URL(fileURLWithPath: "/usr/bin/python3"),
                arguments: [
                    "-c",
                    "import sqlite3,time,sys; c=sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); "
                        + "open(sys.argv[2],'w').write('x'); time.sleep(60)",
                    "\(gateway.state)/records.sqlite", "\(gateway.folder)/held",
                ]
            )
            defer { kill(holder.processIdentifier, SIGKILL) }
            try await eventually("the records are held") {
                FileManager.default.fileExists(atPath: "\(gateway.folder)/held")
            }
            let status = try? await self.send(gateway, .POST, "/iclock/cdata?SN=CJDE1&table=ATTLOG", Self.punch).status
            #expect(status != 200)
            kill(holder.processIdentifier, SIGKILL)
            try await eventually("it is taken when it is sent again") {
                (try? await self.send(gateway, .POST, "/iclock/cdata?SN=CJDE1&table=ATTLOG", Self.punch).status) == 200
            }
            #expect(try await self.events(gateway).count == 1)
        }
    }
}
