internal import CampusModel
internal import Hummingbird
internal import Mustache

/// What the layout and every page template see: `t` (texts), `asset`, `csrf`, the navigation, the user, and `content`.
struct LayoutValues: MustacheParent {
    private let values: [String: Any]

    init(console: Console, page: Page, request: Request, context: ConsoleContext) {
        let language = context.language
        let target = LocalPath.checked(request.method == .get ? request.head.path : nil)
        var values: [String: Any] = [
            "t": console.texts.templateValue(language),
            "asset": console.assets.templateValue,
            "language": language.rawValue,
            "languages": Self.languages(current: language, target: target),
            "title": page.title.text(in: language),
            "product": console.configuration.productName.text(in: language),
            "site": console.configuration.siteName.text(in: language),
            "utc_offset": console.configuration.utcOffsetMinutes,
            "version": console.configuration.version,
            "shows_heading": page.showsHeading,
            "is_live": page.isLive && context.role != nil,
            "wants_charts": page.hasCharts,
            "has_charts": page.hasCharts && console.hasCharts,
            "content_template": page.template,
            "content": page.content,
        ]
        if !page.breadcrumb.isEmpty {
            values["has_breadcrumb"] = true
            values["breadcrumb"] = page.breadcrumb.map {
                ["title": $0.title.text(in: language), "address": $0.address]
            }
        }
        if let session = context.session {
            values["csrf"] = session.csrfToken
            values["user"] = [
                "name": session.user, "role": console.texts.text("role.\(session.role.rawValue)", language),
            ]
        }
        if let role = context.role {
            values["has_navigation"] = true
            values["navigation"] = console.configuration.navigation.filter { role.allows($0.role) }
                .map { item in
                    [
                        "title": item.title.text(in: language), "address": item.address,
                        "is_current": item.id == page.navigation,
                    ] as [String: Any]
                }
            for allowed in ConsoleRole.allCases where role.allows(allowed) { values["may_\(allowed.rawValue)"] = true }
        }
        // Only a text that exists and is meant as a notice: the query cannot put words on the page.
        if let key = request.query["notice"], key.hasPrefix("notice."), let notice = console.texts[key] {
            values["notice"] = notice.text(in: language)
        }
        self.values = values
    }

    func child(named name: String) -> Any? { self.values[name] }

    private static func languages(current: Language, target: String) -> [[String: Any]] {
        Language.allCases.map { language in
            [
                "code": language.rawValue,
                "name": language == .vi ? "Tiếng Việt" : "English",
                "is_current": language == current,
                "address": "/language?to=\(language.rawValue)&next=\(LocalPath.encoded(target))",
            ]
        }
    }
}
