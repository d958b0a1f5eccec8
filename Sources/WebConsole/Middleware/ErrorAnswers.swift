internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Turns what was thrown into an answer: problem+json for programs, a page for people, nothing leaked to either.
struct ErrorAnswers: RouterMiddleware {
    typealias Context = ConsoleContext

    let console: Console

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem =
                error is NIOTooManyBytesError
                ? Problem.tooLarge(bytesMax: context.bodyBytesMax) : Problem.from(error, requestID: context.requestID)
            if problem.status.code >= 500 {
                context.logger.error(
                    "request failed",
                    metadata: ["error": "\(error)", "type": "\(type(of: error))", "code": .string(problem.code)]
                )
            }
            guard self.console.isPage(request) else {
                return problem.jsonResponse(path: request.path, language: context.language)
            }
            return self.console.errorPage(problem, request, context)
        }
    }
}
