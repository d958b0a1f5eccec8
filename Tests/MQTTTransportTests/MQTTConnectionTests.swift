import Foundation
import MQTTTransport
import Synchronization
import Testing

@Suite(.serialized)
struct MQTTConnectionTests {
    @Test(arguments: [MQTTConfiguration.Version.v3, .v5])
    func receivesWhatIsPublishedWithItsFlags(version: MQTTConfiguration.Version) async throws {
        let broker = try TestBroker()
        broker.start()
        let inbox = Inbox()
        var configuration = broker.configuration
        configuration.version = version
        configuration.subscriptions = ["a/#"]
        try await withConnection(configuration, inbox) { connection in
            try await connection.publishAndWait(topic: "a/kept", payload: Array("old".utf8), isRetained: true)
            try await connection.publishAndWait(topic: "b/other", payload: [1])
            try await connection.publishAndWait(topic: "a/live", payload: Array("now".utf8), qos: 0)
            try await eventually("both arrived") { inbox.messages.count >= 2 }
            #expect(inbox.messages.map(\.topic) == ["a/kept", "a/live"])
            #expect(inbox.messages.map(\.isRetained) == [false, false])
        }
        let later = Inbox()
        var second = broker.configuration
        second.version = version
        second.subscriptions = ["a/kept"]
        try await withConnection(second, later) { _ in
            try await eventually("the retained one arrived") { later.messages.count == 1 }
            #expect(later.messages.first?.isRetained == true)
            #expect(later.messages.first?.payload == Array("old".utf8))
        }
        await broker.stop()
    }

    @Test func aBatchThatCannotBeStoredIsNotAcknowledgedAndComesAgain() async throws {
        let broker = try TestBroker()
        broker.start()
        let inbox = Inbox(refusing: 2)
        var configuration = broker.configuration
        configuration.subscriptions = ["records"]
        let publisher = Inbox()
        try await withConnection(configuration, inbox) { connection in
            try await eventually("connected") { inbox.states.contains(.connected) }
            try await withConnection(broker.configuration, publisher) { sender in
                try await eventually("subscribed and published") { connection.statistics.state == .connected }
                try await sender.publishAndWait(topic: "records", payload: [7])
            }
            try await eventually("redelivered") { inbox.messages.count == 1 }
            #expect(inbox.messages.first?.payload == [7])
            #expect(connection.statistics.refusedBatches == 2)
            #expect(connection.statistics.connects >= 3)
        }
        await broker.stop()
    }

    @Test(arguments: [MQTTConfiguration.Version.v3, .v5])
    func aCommandIsForThePresentConnectionOnly(version: MQTTConfiguration.Version) async throws {
        let broker = try TestBroker()
        broker.start()
        var configuration = broker.configuration
        configuration.version = version
        configuration.subscriptions = ["cmd/#", "plain"]
        let inbox = Inbox()
        let results = Inbox()
        try await withConnection(configuration, inbox) { connection in
            try await eventually("connected") { connection.statistics.state == .connected }
            try connection.publishCommand(topic: "cmd/a", payload: [1], expirySeconds: 5) { result in
                if case .success = result { results.connectionChanged(.connected) }
            }
            try await eventually("the command arrived") { inbox.messages.map(\.topic) == ["cmd/a"] }
            #expect(inbox.messages.first?.isRetained == false && inbox.messages.first?.qos == 1)
            try await eventually("it was acknowledged") { results.states == [.connected] }
            await broker.stop()
            try await eventually("the connection is gone") { connection.statistics.state != .connected }
            let refusal = #expect(throws: MQTTError.self) {
                try connection.publishCommand(topic: "cmd/b", payload: [2], expirySeconds: 5) { _ in }
            }
            #expect(refusal?.code == .notConnected)
            // What is no command waits, and comes first when the broker is back.
            try connection.publish(topic: "plain", payload: [3])
            let again = try TestBroker(port: broker.broker.port, folder: broker.folder)
            again.start()
            try await eventually("the plain one arrived") { inbox.messages.contains { $0.topic == "plain" } }
            #expect(inbox.messages.map(\.topic) == ["cmd/a", "plain"])
            await again.stop()
        }
    }

    @Test func aCommandThatNobodyAcknowledgedIsNotSentAgain() async throws {
        let broker = try TestBroker()
        broker.start()
        var configuration = broker.configuration
        configuration.subscriptions = ["cmd", "plain"]
        let inbox = Inbox()
        let outcome = Mutex<MQTTError.Code?>(nil)
        try await withConnection(configuration, inbox) { connection in
            try await eventually("connected") { connection.statistics.state == .connected }
            let processID = try #require(pid_t(try String(contentsOfFile: "\(broker.folder)/pid", encoding: .utf8)))
            // The broker hears nothing for a moment, and then is gone.
            kill(processID, SIGSTOP)
            try connection.publishCommand(topic: "cmd", payload: [1], expirySeconds: 60) { result in
                if case .failure(let error) = result { outcome.withLock { $0 = error.code } }
            }
            try connection.publish(topic: "plain", payload: [2])
            for _ in 0..<20 { await Task.yield() }
            kill(processID, SIGKILL)
            try await eventually("it is told") { outcome.withLock { $0 } != nil }
            #expect([.unanswered, .notConnected].contains(outcome.withLock { $0 }))
            // The broker is started again by its supervisor.
            try await eventually("the plain one arrived") { inbox.messages.contains { $0.topic == "plain" } }
            #expect(!inbox.messages.contains { $0.topic == "cmd" })
        }
        await broker.stop()
    }

    @Test func whatCameWhileAwayIsDeliveredAfterwards() async throws {
        let broker = try TestBroker()
        broker.start()
        var configuration = broker.configuration
        configuration.subscriptions = ["x"]
        let first = Inbox()
        try await withConnection(configuration, first) { connection in
            try await connection.publishAndWait(topic: "x", payload: [0])
            try await eventually("subscribed") { first.messages.count == 1 }
        }
        try await withConnection(broker.configuration, Inbox()) { sender in
            for index in 1...50 { try await sender.publishAndWait(topic: "x", payload: [UInt8(index)]) }
        }
        let again = Inbox()
        try await withConnection(configuration, again) { _ in
            try await eventually("all 50 arrived") { again.messages.count == 50 }
            #expect(again.messages.map { $0.payload[0] } == Array(1...50))
        }
        await broker.stop()
    }

    @Test func fiveThousandMessagesArriveOnceAndInOrder() async throws {
        let broker = try TestBroker()
        broker.start()
        let inbox = Inbox()
        var configuration = broker.configuration
        configuration.subscriptions = ["n"]
        try await withConnection(configuration, inbox) { connection in
            try await eventually("connected") { inbox.states.contains(.connected) }
            try await connection.publishAndWait(topic: "n", payload: Array("0".utf8))
            for index in 1..<5_000 { try connection.publish(topic: "n", payload: Array("\(index)".utf8)) }
            try await eventually("all arrived", seconds: 30) { inbox.messages.count >= 5_000 }
            #expect(inbox.messages.map { String(decoding: $0.payload, as: UTF8.self) } == (0..<5_000).map(String.init))
        }
        await broker.stop()
    }

    @Test func aWrongPasswordIsSaidInWords() async throws {
        let broker = try TestBroker()
        broker.start()
        for version in [MQTTConfiguration.Version.v3, .v5] {
            let inbox = Inbox()
            var configuration = broker.configuration
            configuration.version = version
            configuration.password = "wrong"
            try await withConnection(configuration, inbox) { _ in
                try await eventually("refused") {
                    inbox.states.contains { state in
                        if case .disconnected(let reason) = state {
                            reason.contains("password") || reason.contains("does not allow")
                        } else {
                            false
                        }
                    }
                }
            }
            #expect(!inbox.states.contains(.connected))
        }
        await broker.stop()
    }

    @Test func comesBackWhenTheBrokerDoes() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-mqtt-\(UUID().uuidString)")
            .path
        let first = try TestBroker(folder: folder)
        first.start()
        let inbox = Inbox()
        var configuration = first.configuration
        configuration.subscriptions = ["x"]
        try await withConnection(configuration, inbox) { connection in
            try await eventually("connected") { connection.statistics.state == .connected }
            await first.stop()
            try await eventually("noticed") { connection.statistics.state != .connected }
            let second = try TestBroker(port: first.broker.port, folder: folder)
            second.start()
            try await eventually("connected again", seconds: 5) { connection.statistics.state == .connected }
            try await connection.publishAndWait(topic: "x", payload: [9])
            try await eventually("subscribed again") { inbox.messages.count == 1 }
            await second.stop()
        }
    }

    @Test func anInterruptedConnectionComesBack() async throws {
        let broker = try TestBroker()
        broker.start()
        let inbox = Inbox()
        try await withConnection(broker.configuration, inbox) { connection in
            try await eventually("connected") { connection.statistics.state == .connected }
            connection.interrupt()
            try await eventually("connected again") { connection.statistics.connects == 2 }
            try await connection.publishAndWait(topic: "x", payload: [1])
        }
        await broker.stop()
    }

    @Test func survivesAServerThatAcceptsAndCloses() async throws {
        let stub = try ClosingServer()
        let inbox = Inbox()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("campus-mqtt-\(UUID().uuidString)")
            .path
        let broker = try TestBroker(port: stub.port, folder: folder)
        try await withConnection(broker.configuration, inbox) { connection in
            try await eventually("ten connections were closed", seconds: 20) { stub.accepted >= 20 }
            #expect(connection.statistics.state != .connected)
            stub.stop()
            broker.start()
            try await eventually("connected within 5 s of the healing", seconds: 5) {
                connection.statistics.state == .connected
            }
        }
        await broker.stop()
    }

    @Test func aMessageThatTheBrokerWillNotHaveDoesNotHoldUpTheOthers() async throws {
        let broker = try TestBroker()
        broker.start()
        let inbox = Inbox()
        var configuration = broker.configuration
        configuration.subscriptions = ["ok"]
        try await withConnection(configuration, inbox) { connection in
            // mosquitto closes the connection over a topic of more than 200 levels.
            let poison = String(repeating: "a/", count: 300) + "z"
            await #expect(throws: MQTTError.self) {
                try await connection.publishAndWait(topic: poison, payload: [1])
            }
            try await connection.publishAndWait(topic: "ok", payload: [2])
            try await eventually("the next one arrived") { inbox.messages.count == 1 }
        }
        await broker.stop()
    }

    @Test func theQueueOfUnpublishedMessagesIsBounded() async throws {
        var configuration = MQTTConfiguration(host: "127.0.0.1", port: 1, clientID: "t")
        configuration.publishQueueMax = 10
        let connection = MQTTConnection(configuration: configuration, receiver: Inbox(), logger: quietLogger)
        for _ in 0..<10 { try connection.publish(topic: "a", payload: []) }
        #expect(throws: MQTTError.self) { try connection.publish(topic: "a", payload: []) }
        for topic in ["", "a/+", "#", "a\0b"] {
            #expect(throws: MQTTError.self) { try connection.publish(topic: topic, payload: []) }
        }
    }

    @Test func aClientSaysThatItIsThereAndThatItGoes() async throws {
        let broker = try TestBroker()
        broker.start()
        let watcher = Inbox()
        var watching = broker.configuration
        watching.subscriptions = ["status/#"]
        try await withConnection(watching, watcher) { connection in
            try await connection.publishAndWait(topic: "status/probe", payload: [])
            try await eventually("subscribed") { watcher.messages.count == 1 }
            var polite = broker.configuration
            polite.birth = .init(topic: "status/polite", payload: Array("online".utf8), isRetained: true)
            polite.lastWill = .init(topic: "status/polite", payload: Array("offline".utf8), isRetained: true)
            for round in 1...2 {
                try await withConnection(polite, Inbox()) { client in
                    try await client.publishAndWait(topic: "status/work", payload: [])
                }
                try await eventually("it said goodbye") { watcher.messages.count == 1 + 3 * round }
                #expect(
                    watcher.messages.suffix(3).map { "\($0.topic) \(String(decoding: $0.payload, as: UTF8.self))" }
                        == ["status/polite online", "status/work ", "status/polite offline"]
                )
            }
        }
        let later = Inbox()
        watching.clientID = "later"
        try await withConnection(watching, later) { _ in
            try await eventually("the word is kept") { later.messages.count == 1 }
            #expect(later.messages.first?.payload == Array("offline".utf8))
        }
        await broker.stop()
    }

    @Test func theLastWillIsToldByTheBrokerWhenAClientVanishes() async throws {
        let broker = try TestBroker()
        broker.start()
        let watcher = Inbox()
        var watching = broker.configuration
        watching.subscriptions = ["status/#"]
        try await withConnection(watching, watcher) { connection in
            try await connection.publishAndWait(topic: "status/probe", payload: [])
            try await eventually("subscribed") { watcher.messages.count == 1 }
            var refused = broker.configuration
            refused.lastWill = .init(topic: "status/vanished", payload: Array("offline".utf8), isRetained: false)
            refused.subscriptions = ["trigger"]
            // A client that is back before the broker has noticed takes its session over, and mosquitto drops the will.
            refused.backoffInitialMilliseconds = 600_000
            refused.backoffMaxMilliseconds = 600_000
            try await withConnection(refused, Inbox(refusing: 1)) { clumsy in
                // What it publishes is acknowledged after what it subscribed.
                try await clumsy.publishAndWait(topic: "status/hello", payload: [])
                try await connection.publishAndWait(topic: "trigger", payload: [1])
                try await eventually("the will came") { watcher.messages.contains { $0.topic == "status/vanished" } }
            }
        }
        await broker.stop()
    }
}
