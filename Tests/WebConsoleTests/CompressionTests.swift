import Hummingbird
import HummingbirdTesting
import HTTPTypes
import NIOCore
import NIOEmbedded
import Testing

@testable import WebConsole

@Suite struct CompressionTests {
    @Test(arguments: [
        ("gzip", true), ("deflate, GZIP;q=0.5", true), ("*", true), ("x-gzip", true), ("br, *;q=0.1", true),
        ("gzip;q=0", false), ("*, gzip; q=0", false), ("gzip;q=x", false), ("identity", false), ("", false),
        ("*;q=0", false),
    ])
    func gzipIsSentToWhoAcceptsIt(header: String, isAccepted: Bool) {
        #expect(Compression.accepts(header) == isAccepted)
    }

    @Test func nobodyGetsGzipUnasked() { #expect(!Compression.accepts(nil)) }

    @Test func assetsArePackedWithAWeakTagAndCachesAreTold() async throws {
        let subject = try ConsoleUnderTest()
        try await subject.test { client in
            let plain = try await client.get("/assets/console.css")
            #expect(plain.headers[.contentEncoding] == nil)
            #expect(plain.headers[.vary] == "Accept-Encoding")
            let packed = try await client.get("/assets/console.css", [.acceptEncoding: "gzip"])
            #expect(packed.headers[.contentEncoding] == "gzip")
            #expect(packed.headers[.eTag] == plain.headers[.eTag].map { "W/" + $0 })
            #expect(packed.body.readableBytes < plain.body.readableBytes / 2)
            #expect(packed.body.getInteger(at: packed.body.readerIndex, as: UInt16.self) == 0x1F8B)
            let tag = try #require(packed.headers[.eTag])
            let known = try await client.get("/assets/console.css", [.acceptEncoding: "gzip", .ifNoneMatch: tag])
            #expect(known.status == .notModified)
            #expect(known.headers[.contentEncoding] == nil)
        }
    }

    @Test func pagesAreNotPackedBecauseTheyHoldAToken() async throws {
        try await ConsoleUnderTest()
            .test { client in
                let page = try await client.get("/login", [.acceptEncoding: "gzip"])
                #expect(page.status == .ok)
                #expect(page.headers[.contentEncoding] == nil)
                #expect(page.headers[.vary] == nil)
            }
    }

    @Test func aStreamPacksWhatIsWrittenInPieces() throws {
        let stream = try #require(GzipStream(level: 1))
        var packed = ByteBuffer()
        for number in 0..<50_000 { stream.pack(ByteBuffer(string: "\(number),"), into: &packed) }
        stream.finish(into: &packed)
        // gzip ends with the length of what was packed.
        let length = packed.getInteger(at: packed.writerIndex - 4, endianness: .little, as: UInt32.self)
        #expect(length == UInt32((0..<50_000).map { "\($0),".utf8.count }.reduce(0, +)))
        #expect(packed.readableBytes < 200_000)
    }
}

@Suite struct SlowReaderTests {
    /// A channel whose client takes what the test says.
    private static func channel() throws -> (EmbeddedChannel, WaitingBytes) {
        let waiting = WaitingBytes()
        let channel = EmbeddedChannel(handlers: [
            SlowReaderGuard(patience: .seconds(30), waitingBytes: { _ in waiting.count })
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, waiting)
    }

    private final class WaitingBytes {
        var count = 0
    }

    private static func setWritable(_ channel: EmbeddedChannel, _ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    @Test func aClientThatTakesNothingIsClosed() throws {
        let (channel, waiting) = try Self.channel()
        waiting.count = 100_000
        Self.setWritable(channel, false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func aSlowClientIsLeftAloneAsLongAsItReads() throws {
        let (channel, waiting) = try Self.channel()
        waiting.count = 100_000
        Self.setWritable(channel, false)
        for _ in 0..<10 {
            waiting.count -= 1_000
            channel.embeddedEventLoop.advanceTime(by: .seconds(30))
            #expect(channel.isActive)
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive, "then it stopped")
    }

    @Test func aClientThatTookAllIsForgotten() throws {
        let (channel, waiting) = try Self.channel()
        waiting.count = 100_000
        Self.setWritable(channel, false)
        Self.setWritable(channel, true)
        channel.embeddedEventLoop.advanceTime(by: .seconds(120))
        #expect(channel.isActive)
        _ = try channel.finish()
    }
}
