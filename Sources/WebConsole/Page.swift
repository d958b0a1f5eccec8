package import CampusModel
package import HTTPTypes

/// One page: what the layout needs to know, and a template with its values.
package struct Page {
    /// One step of the path to this page.
    package struct Crumb {
        package var title: LocalizedText
        package var address: String

        package init(_ title: LocalizedText, _ address: String) {
            self.title = title
            self.address = address
        }
    }

    /// The heading and the window's title.
    package var title: LocalizedText
    /// The template of the content, as registered (`rooms`).
    package var template: String
    /// What the template sees, escaped when shown: a dictionary, or any struct.
    package var content: Any
    /// The id of the navigation item to mark as current.
    package var navigation: String?
    /// The pages above this one, outermost first.
    package var breadcrumb: [Crumb]
    /// Whether values on the page follow the event stream.
    package var isLive: Bool
    /// Whether the page draws charts.
    package var hasCharts: Bool
    /// The HTTP status.
    package var status: HTTPResponse.Status
    /// Whether the layout shows the title as a heading; false when the template has one of its own.
    package var showsHeading: Bool

    package init(
        title: LocalizedText,
        template: String,
        content: Any = [:],
        navigation: String? = nil,
        breadcrumb: [Crumb] = [],
        isLive: Bool = false,
        hasCharts: Bool = false,
        status: HTTPResponse.Status = .ok,
        showsHeading: Bool = true
    ) {
        self.title = title
        self.template = template
        self.content = content
        self.navigation = navigation
        self.breadcrumb = breadcrumb
        self.isLive = isLive
        self.hasCharts = hasCharts
        self.status = status
        self.showsHeading = showsHeading
    }
}
