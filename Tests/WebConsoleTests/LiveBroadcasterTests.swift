import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import WebConsole

@Suite struct LiveBroadcasterTests {
    @Test func everyListenerGetsTheEventAndOnlyThoseWhoMay() async throws {
        let live = LiveBroadcaster()
        let viewer = try live.subscribe(owner: "a", role: .viewer)
        let administrator = try live.subscribe(owner: "b", role: .administrator)
        live.publish("secret", json: "{}", for: .administrator)
        live.publish("samples", json: #"[{"point":"d/p"}]"#)
        let seen = try #require(await viewer.next())
        #expect(String(buffer: seen) == "event: samples\ndata: [{\"point\":\"d/p\"}]\n\n")
        let all = try #require(await administrator.next())
        #expect(String(buffer: all).contains("event: secret"))
    }

    @Test func lineEndsInDataCannotForgeAnEvent() async throws {
        let live = LiveBroadcaster()
        let listener = try live.subscribe(owner: "a", role: .viewer)
        live.publish("samples\nevent: x", json: "1\n\nevent: forged\ndata: 2")
        let text = String(buffer: try #require(await listener.next()))
        #expect(text == "event: samplesevent: x\ndata: 1\ndata: \ndata: event: forged\ndata: data: 2\n\n")
    }

    @Test func slowListenerLosesTheOldestAndIsToldToResync() async throws {
        let live = LiveBroadcaster(eventsMax: 4)
        let listener = try live.subscribe(owner: "a", role: .viewer)
        for number in 0..<10 { live.publish("n", json: "\(number)") }
        let text = String(buffer: try #require(await listener.next()))
        #expect(text.hasPrefix("event: resync\n"))
        let kept = text.matches(of: /event: n\ndata: (\d+)/).map { String($0.output.1) }
        #expect(kept == ["6", "7", "8", "9"])
        #expect(live.counts.dropped == 6)
        live.publish("n", json: "10")
        #expect(String(buffer: try #require(await listener.next())) == "event: n\ndata: 10\n\n")
    }

    @Test func waitingReaderIsWokenByEventsAndByTheEnd() async throws {
        let live = LiveBroadcaster()
        let listener = try live.subscribe(owner: "a", role: .viewer)
        async let first = listener.next()
        live.publish("n", json: "1")
        #expect(await first != nil)
        async let last = listener.next()
        live.disconnect(owner: "a")
        #expect(await last == nil)
    }

    @Test func tooManyListenersAreTurnedAwayAndPlacesAreGivenBack() async throws {
        let subject = try ConsoleUnderTest(live: LiveBroadcaster(subscribersMax: 1))
        let only = try subject.live.subscribe(owner: "a", role: .viewer)
        try await subject.test { client in
            let refused = try await client.get("/live", [.authorization: "Bearer reader-token-0123456789"])
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.headers[.retryAfter] != nil)
        }
        subject.live.unsubscribe(only)
        #expect(subject.live.counts.subscribers == 0)
        #expect(subject.live.counts.refused == 1)
    }

    @Test func headRequestTakesNoPlace() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let headers: HTTPFields = [.authorization: "Bearer reader-token-0123456789"]
            let response = try await client.executeRequest(uri: "/live", method: .head, headers: headers, body: nil)
            #expect(response.status == .ok)
            #expect(subject.live.counts.subscribers == 0)
        }
    }

    @Test func streamDeliversOverASocketAndEndsWhenClosed() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test(.live) { client in
            let headers = try await client.login("viewer")
            async let response = client.get("/live", headers)
            try await eventually { subject.live.counts.subscribers == 1 }
            subject.live.publish("samples", [["point": "d/p"]])
            subject.live.sendKeepAlive()
            subject.live.close()
            let stream = try await response
            #expect(stream.headers[.contentType] == "text/event-stream; charset=utf-8")
            #expect(stream.text.contains("event: hello"))
            #expect(stream.text.contains("event: samples\ndata: [{\"point\":\"d/p\"}]\n\n"))
            try await eventually { subject.live.counts.subscribers == 0 }
        }
    }

    @Test func gracefulShutdownEndsOpenStreams() async throws {
        let subject = try ConsoleUnderTest()
        let (ports, announce) = AsyncStream.makeStream(of: Int.self)
        let application = subject.application { channel in
            if let port = channel.localAddress?.port { announce.yield(port) }
        }
        let group = ServiceGroup(
            configuration: .init(services: [application], logger: SilentChannel.logger)
        )
        async let run: Void = group.run()
        let port = try #require(await ports.first { _ in true })
        let client = TestClient(host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(20)))
        client.connect()
        async let stream = client.get("/live", headers: [.authorization: "Bearer reader-token-0123456789"])
        try await eventually { subject.live.counts.subscribers == 1 }
        await group.triggerGracefulShutdown()
        #expect(try await stream.status == .ok)
        try await run
        #expect(subject.live.counts.subscribers == 0)
        try await client.shutdown()
    }

    @Test func logoutEndsTheStreamOfThatSession() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let headers = try await client.login("viewer")
            let csrf = try #require(subject.sessions.state.withLock { $0.sessions.values.first?.csrfToken })
            let mine = try subject.live.subscribe(owner: "s1", role: .viewer)
            _ = try await client.post("/logout", "_csrf=\(csrf)", headers)
            #expect(await mine.next() == nil)
        }
    }

    @Test func idleStreamsGetAKeepAliveComment() async throws {
        let live = LiveBroadcaster()
        let listener = try live.subscribe(owner: "a", role: .viewer)
        live.sendKeepAlive()
        #expect(String(buffer: try #require(await listener.next())) == ": keep-alive\n\n")
        live.publish("n", json: "1")
        live.sendKeepAlive()
        #expect(String(buffer: try #require(await listener.next())) == "event: n\ndata: 1\n\n")
    }

    /// Waits for something that another task does, at most ten seconds.
    private func eventually(_ condition: @Sendable () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !condition() {
            try #require(ContinuousClock.now < deadline, "did not happen within ten seconds")
            await Task.yield()
        }
    }
}
