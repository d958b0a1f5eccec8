internal import Mustache

/// How something is, for a status pill: an icon and a word always go with the colour.
package enum StatusKind: String, Sendable, CaseIterable {
    /// As it should be: grey.
    case normal
    /// Worth knowing: grey with a mark.
    case information
    /// Usable with care.
    case uncertain
    /// Somebody should look soon.
    case warning
    /// Wrong now.
    case bad
    /// Silent.
    case offline
    /// Put aside until somebody decides.
    case quarantined
}

/// A small label with icon and word: `{{#status}}{{> pill}}{{/status}}`.
package struct StatusPill: MustacheParent, Sendable {
    package var kind: StatusKind
    package var label: String
    /// The key under which live `states` events change the pill, if any.
    package var liveKey: String?

    package init(_ kind: StatusKind, _ label: String, liveKey: String? = nil) {
        self.kind = kind
        self.label = label
        self.liveKey = liveKey
    }

    package func child(named name: String) -> Any? {
        switch name {
        case "kind": self.kind.rawValue
        case "label": self.label
        case "live_key": self.liveKey
        default: nil
        }
    }
}

/// One value with its name and unit: `{{#tiles}}{{> tile}}{{/tiles}}`.
package struct ValueTile: MustacheParent, Sendable {
    package var label: String
    package var value: String
    package var unit: String
    /// `good`, `uncertain` or `bad`; anything but good shows the reason.
    package var quality: String
    package var qualityText: String
    /// `device/point`, for live updates.
    package var point: String?
    /// The key under which live `figures` events change the value, if any.
    package var figure: String?
    package var address: String?
    /// When the value was measured, in words.
    package var time: String?

    package init(
        label: String,
        value: String,
        unit: String = "",
        quality: String = "good",
        qualityText: String = "",
        point: String? = nil,
        figure: String? = nil,
        address: String? = nil,
        time: String? = nil
    ) {
        self.label = label
        self.value = value
        self.unit = unit
        self.quality = quality
        self.qualityText = qualityText
        self.point = point
        self.figure = figure
        self.address = address
        self.time = time
    }

    package func child(named name: String) -> Any? {
        switch name {
        case "label": self.label
        case "value": self.value
        case "unit": self.unit.isEmpty ? nil : self.unit
        case "quality": self.quality
        case "quality_text": self.qualityText
        case "point": self.point
        case "figure": self.figure
        case "address": self.address
        case "time": self.time
        default: nil
        }
    }
}

/// Links between the parts of one page: `{{#tabs}}{{> tabs}}{{/tabs}}`.
package struct TabBar: MustacheParent, Sendable {
    private let items: [[String: any Sendable]]

    /// Tabs as (title, address), with the index of the current one.
    package init(_ tabs: [(title: String, address: String)], current: Int) {
        self.items = tabs.enumerated()
            .map { index, tab in
                ["title": tab.title, "address": tab.address, "is_current": index == current]
            }
    }

    package func child(named name: String) -> Any? { name == "items" ? self.items : nil }
}

/// Previous and next of a long list: `{{#pagination}}{{> pagination}}{{/pagination}}`.
package struct Pagination: MustacheParent, Sendable {
    /// The current page, from 1.
    package let page: Int
    package let pageCount: Int
    package let itemCount: Int
    private let path: String

    /// `path` is the list's address without the `page` field; other fields may already be there.
    package init(page: Int, itemsPerPage: Int, itemCount: Int, path: String) {
        let perPage = max(1, itemsPerPage)
        self.itemCount = max(0, itemCount)
        self.pageCount = max(1, self.itemCount / perPage + (self.itemCount % perPage == 0 ? 0 : 1))
        self.page = min(max(1, page), self.pageCount)
        self.path = path
    }

    package func child(named name: String) -> Any? {
        switch name {
        case "page": self.page
        case "page_count": self.pageCount
        case "item_count": self.itemCount
        case "has_pages": self.pageCount > 1
        case "previous": self.page > 1 ? self.address(of: self.page - 1) : nil
        case "next": self.page < self.pageCount ? self.address(of: self.page + 1) : nil
        default: nil
        }
    }

    private func address(of page: Int) -> String { "\(self.path)\(self.path.contains("?") ? "&" : "?")page=\(page)" }
}

/// A question before something that cannot be undone: a button, and a dialog with a form that posts to `address`.
package struct Confirmation: MustacheParent, Sendable {
    package var id: String
    package var address: String
    package var button: String
    package var question: String
    /// Hidden fields of the form.
    package var fields: [String: String]

    package init(id: String, address: String, button: String, question: String, fields: [String: String] = [:]) {
        self.id = id
        self.address = address
        self.button = button
        self.question = question
        self.fields = fields
    }

    package func child(named name: String) -> Any? {
        switch name {
        case "id": self.id
        case "address": self.address
        case "button": self.button
        case "question": self.question
        case "fields": self.fields.sorted { $0.key < $1.key }.map { ["name": $0.key, "value": $0.value] }
        default: nil
        }
    }
}

/// What a list shows when it has nothing: `{{#empty}}{{> empty}}{{/empty}}`.
package struct EmptyState: MustacheParent, Sendable {
    package var title: String
    package var text: String

    package init(title: String, text: String) {
        self.title = title
        self.text = text
    }

    package func child(named name: String) -> Any? {
        switch name {
        case "title": self.title
        case "text": self.text
        default: nil
        }
    }
}

/// A chart with its table, on a page with `hasCharts`: `{{#chart}}{{> chart}}{{/chart}}`.
package struct ChartFigure: MustacheParent, Sendable {
    package var title: String
    package var unit: String
    /// The address of the data; `chart.js` says what it must answer.
    package var source: String

    package init(title: String, unit: String, source: String) {
        self.title = title
        self.unit = unit
        self.source = source
    }

    package func child(named name: String) -> Any? {
        switch name {
        case "title": self.title
        case "unit": self.unit.isEmpty ? nil : self.unit
        case "source": self.source
        default: nil
        }
    }
}
