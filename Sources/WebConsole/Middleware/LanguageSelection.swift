internal import CampusModel
internal import Hummingbird

/// Chooses the language: `?lang=`, then the user's, then the cookie's, then Vietnamese.
struct LanguageSelection: RouterMiddleware {
    typealias Context = ConsoleContext

    static let cookieName = "lang"

    func handle(
        _ request: Request,
        context: ConsoleContext,
        next: (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let asked = request.query["lang"].flatMap(Language.init(rawValue:))
        let kept = request.cookies[Self.cookieName].flatMap { Language(rawValue: $0.value) }
        context.language = asked ?? context.session?.language ?? kept ?? .vi
        var response = try await next(request, context)
        response.headers[.contentLanguage] = context.language.rawValue
        return response
    }
}
