package import CampusModel

/// What a rule says for everything it watches: words, urgency and times.
package struct AlertRule: Sendable, Hashable {
    /// A failure that others follow from, with its word in files.
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        case power
        case network
        case broker
        case bus
    }

    package var id: String
    package var title: LocalizedText
    /// What to do about it.
    package var advice: LocalizedText
    package var priority: AlertPriority
    /// The priority beyond the severe limit.
    package var severePriority: AlertPriority
    /// People may come to harm: called at once, never suppressed, two persons to set it aside.
    package var isLifeSafety = false
    /// Stays until it is reset, although it may be over.
    package var isLatching = false
    /// Over means known: nobody has to acknowledge what has ended by itself.
    package var acknowledgesItself = false
    /// How long the condition holds before it counts, milliseconds.
    package var onDelay: Int64 = 0
    /// How long the condition is over before that counts, milliseconds.
    package var offDelay: Int64 = 0
    /// An acknowledged alert is called again after so long, milliseconds; 0 = never.
    package var realarm: Int64 = 0
    /// The longest shelf, milliseconds.
    package var shelfMax: Int64 = 8 * 3_600_000
    /// Three activations within so long make it flap: it is held until it was over for as long, milliseconds.
    package var flapWindow: Int64 = 3_600_000
    /// It names a failure that others follow from.
    package var cause: Cause?
    /// It says nothing while such a failure has an alert of its own.
    package var suppressedBy: Set<Cause> = []
    /// UCUM code of what is compared.
    package var unit: String = "1"

    package init(id: String, title: LocalizedText, advice: LocalizedText, priority: AlertPriority) {
        self.id = id
        self.title = title
        self.advice = advice
        self.priority = priority
        self.severePriority = priority
    }
}
