internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Refuses bodies over the limit: by Content-Length before reading, and by counting while reading.
struct BodyLimit: RouterMiddleware {
    typealias Context = ConsoleContext

    let bytesMax: Int

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.bodyBytesMax = self.bytesMax
        guard request.method != .get, request.method != .head else { return try await next(request, context) }
        if let announced = request.headers[.contentLength], Int(announced).map({ $0 > self.bytesMax }) ?? true {
            throw Problem.tooLarge(bytesMax: self.bytesMax)
        }
        var request = request
        request.body = RequestBody(asyncSequence: Counted(base: request.body, bytesMax: self.bytesMax))
        return try await next(request, context)
    }

    private struct Counted: AsyncSequence, Sendable {
        typealias Element = ByteBuffer

        let base: RequestBody
        let bytesMax: Int

        struct AsyncIterator: AsyncIteratorProtocol {
            var base: RequestBody.AsyncIterator
            var bytesLeft: Int
            let bytesMax: Int

            mutating func next() async throws -> ByteBuffer? {
                guard let buffer = try await self.base.next() else { return nil }
                self.bytesLeft -= buffer.readableBytes
                if self.bytesLeft < 0 { throw Problem.tooLarge(bytesMax: self.bytesMax) }
                return buffer
            }
        }

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(base: self.base.makeAsyncIterator(), bytesLeft: self.bytesMax, bytesMax: self.bytesMax)
        }
    }
}
