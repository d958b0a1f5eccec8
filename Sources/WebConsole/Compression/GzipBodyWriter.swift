internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Packs what a body writes; many small writes leave together.
struct GzipBodyWriter: ResponseBodyWriter {
    private static let pieceBytes = 32 << 10

    private var base: any ResponseBodyWriter
    private let stream: GzipStream
    private var packed = ByteBuffer()

    init(_ base: any ResponseBodyWriter, _ stream: GzipStream) {
        self.base = base
        self.stream = stream
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        self.stream.pack(buffer, into: &self.packed)
        guard self.packed.readableBytes >= Self.pieceBytes else { return }
        try await self.base.write(self.packed)
        self.packed.clear()
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        self.stream.finish(into: &self.packed)
        try await self.base.write(self.packed)
        try await self.base.finish(trailingHeaders)
    }
}
