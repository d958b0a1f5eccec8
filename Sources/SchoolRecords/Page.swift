/// Part of a list, newest first, and where the rest begins.
package struct RecordsPage<Element: Sendable, Cursor: Sendable>: Sendable {
    package var items: [Element]
    /// Ask again with this; `nil` when there is no more.
    package var next: Cursor?

    package init(items: [Element], next: Cursor?) {
        self.items = items
        self.next = next
    }
}

/// The bounds of a page.
package enum PageSize {
    /// The rows that one page may have; other requests are brought into this range.
    package static let allowed = 1...1_000

    static func clamped(_ size: Int) -> Int { min(max(size, self.allowed.lowerBound), self.allowed.upperBound) }
}
