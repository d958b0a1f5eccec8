internal import CampusModel
internal import FoundationEssentials
package import HTTPTypes
package import Hummingbird
package import Logging

/// The web console without its pages: layout, language, login, roles, protection, live events, assets.
///
/// An app makes one, asks for ``makeRouter()`` and adds its routes; each page handler ends in ``render(_:_:_:)``.
package final class Console: Sendable {
    package let configuration: ConsoleConfiguration
    /// Every text in both languages.
    package let texts: TextTable
    /// The static files.
    package let assets: AssetLibrary
    /// The compiled templates.
    package let templates: TemplateLibrary
    /// Whether charts can be drawn; without them pages show the table.
    package let hasCharts: Bool
    /// Where live events go.
    package let live: LiveBroadcaster

    let sessions: any SessionStore
    let tokens: any TokenStore
    let cookie: SessionCookie
    let loginLimiter: RateLimiter
    let loginLimiterOfAll: RateLimiter

    /// Loads the console's own resources and those of `resources`, compiles every template and checks every text key.
    package init(
        configuration: ConsoleConfiguration,
        resources: [ResourceFolder],
        sessions: any SessionStore,
        tokens: any TokenStore,
        live: LiveBroadcaster,
        logger: Logger
    ) throws(WebConsoleError) {
        var texts = TextTable()
        var assets = AssetLibrary()
        var templates = TemplateLibrary()
        for folder in [try ResourceFolder(module: "WebConsole")] + resources {
            if let strings = try folder.file("strings.json") {
                try texts.add(json: strings, from: "\(folder.path)/strings.json")
            }
            for file in try folder.files(in: "assets") { try assets.add(file.name, file.contents) }
            try templates.add(folder)
        }
        let chartFolder = configuration.chartFolder
        let hasScript = try assets.addIfPresent("dygraph.js", path: "\(chartFolder)/dygraph.min.js")
        let hasStyle = try assets.addIfPresent("dygraph.css", path: "\(chartFolder)/dygraph.min.css")
        self.hasCharts = hasScript && hasStyle
        if !self.hasCharts {
            logger.warning(
                "no charts, pages show tables instead: install the package libjs-dygraphs and start again",
                metadata: ["folder": .string(chartFolder)]
            )
        }
        try templates.check(texts: texts, assets: assets.templateValue)
        self.configuration = configuration
        self.texts = texts
        self.assets = assets
        self.templates = templates
        self.live = live
        self.sessions = sessions
        self.tokens = tokens
        self.cookie = SessionCookie(isTLS: configuration.isTLS)
        self.loginLimiter = RateLimiter(burst: configuration.loginBurst, refill: .seconds(6))
        self.loginLimiterOfAll = RateLimiter(
            burst: configuration.loginBurst * 6,
            refill: .milliseconds(500),
            capacity: 2
        )
    }

    /// A router with every protection and the console's own routes.
    ///
    /// The routes are `/login`, `/logout`, `/language`, `/assets/**` and `/live`. What the app adds is refused to
    /// strangers unless it is in `publicPaths`.
    package func makeRouter() -> Router<ConsoleContext> {
        let router = Router(context: ConsoleContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: RequestLog())
        router.add(middleware: Compression())
        router.add(middleware: SecurityHeaders(isTLS: self.configuration.isTLS))
        router.add(middleware: Identification(sessions: self.sessions, tokens: self.tokens, cookie: self.cookie))
        router.add(middleware: LanguageSelection())
        router.add(middleware: ErrorAnswers(console: self))
        router.add(middleware: BodyLimit(bytesMax: self.configuration.bodyBytesMax))
        router.add(middleware: AccessControl(console: self))
        router.add(middleware: CrossSiteProtection())
        self.addRoutes(to: router)
        return router
    }

    /// Whether anybody may ask for this.
    func isPublic(_ request: Request) -> Bool {
        let path = request.path
        return path == "/login" || path == "/language" || path.hasPrefix("/assets/")
            || self.configuration.publicPaths.contains(path)
    }

    /// Whether this is open to a user who has to change the password first.
    func isOpenBeforeChange(_ request: Request) -> Bool {
        self.isPublic(request) || request.path == "/password" || request.path == "/logout"
    }

    /// Whether the caller is a person with a browser, who gets pages, not problem+json.
    func isPage(_ request: Request) -> Bool {
        let path = request.path
        if path.hasPrefix("/api/") || path == "/api" || path == "/live" { return false }
        if request.headers[.authorization] != nil { return false }
        return !self.configuration.programPaths.contains(path)
    }

    /// The page as an answer.
    package func render(_ page: Page, _ request: Request, _ context: ConsoleContext) throws -> Response {
        let layout = LayoutValues(console: self, page: page, request: request, context: context)
        guard self.templates.contains(page.template), let html = self.templates.render("layout", layout) else {
            throw WebConsoleError(.templateInvalid, "there is no template \(page.template)")
        }
        return Response(
            status: page.status,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: html))
        )
    }

    /// An answer that sends the browser to `path` after a form was accepted, with a notice shown there.
    ///
    /// `notice` is a text key that starts with `notice.`.
    package func redirect(to path: String, notice: String? = nil) -> Response {
        var target = LocalPath.checked(path)
        if let notice { target += (target.contains("?") ? "&" : "?") + "notice=" + LocalPath.encoded(notice) }
        return Response(status: .seeOther, headers: [.location: target])
    }

    /// JSON for programs.
    package func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encoder.encode(value)))
        )
    }

    func errorPage(_ problem: Problem, _ request: Request, _ context: ConsoleContext) -> Response {
        let content: [String: Any] = [
            "detail": problem.detail.text(in: context.language),
            "status": problem.status.code,
            "request": context.requestID,
        ]
        let page = Page(title: problem.title, template: "error", content: content, status: problem.status)
        guard var response = try? self.render(page, request, context) else {
            return problem.jsonResponse(path: request.path, language: context.language)
        }
        response.headers.append(contentsOf: problem.headers)
        return response
    }
}
