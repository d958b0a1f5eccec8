internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// One line per request: method, route, status, time; never the query, the body or a name.
struct RequestLog: RouterMiddleware {
    typealias Context = ConsoleContext

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response = try await next(request, context)
        if let name = HTTPField.Name("X-Request-Id") { response.headers[name] = context.requestID }
        let isQuiet = response.status.code < 400
        context.logger.log(
            level: isQuiet ? .debug : .info,
            "request",
            metadata: [
                "method": .string(request.method.rawValue),
                // The route (`/rooms/:room`), not the path: a path may hold a card number.
                "route": .string(context.endpointPath ?? "unknown"),
                "status": .stringConvertible(response.status.code),
                "milliseconds": .stringConvertible((ContinuousClock.now - start) / .milliseconds(1)),
            ]
        )
        return response
    }
}
