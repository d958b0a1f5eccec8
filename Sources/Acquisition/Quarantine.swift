package import CampusModel
internal import Synchronization

/// The bounded place for messages that no profile claims and payloads that break their profile.
///
/// Entries are kept by topic and reason: the same fault again raises a count. When full, the entry unseen for longest
/// makes room, and that is counted.
package final class Quarantine: Sendable {
    /// A profile that would decode the message, with what its topic gave for the placeholders.
    package struct Suggestion: Sendable, Hashable {
        package var profile: String
        package var parameters: [String: String]
        /// Points that would get a value.
        package var pointCount: Int

        package init(profile: String, parameters: [String: String], pointCount: Int) {
            self.profile = profile
            self.parameters = parameters
            self.pointCount = pointCount
        }
    }

    /// One kind of message that was kept out.
    package struct Entry: Sendable, Hashable {
        /// Stable while the entry lives; counts up.
        package var id: UInt64
        package var topic: String
        /// A short fixed word: `unclaimed`, or why the profile refused.
        package var reason: String
        /// What the operator reads.
        package var detail: String
        /// How the payload differs from its contract, line by line; empty where no contract is broken.
        package var differences: [LocalizedText]
        /// The device whose profile or contract was broken, if any.
        package var device: DeviceID?
        /// The newest payload, shortened, personal fields masked.
        package var payload: String
        package var payloadBytes: Int
        package var firstSeen: Tick
        package var lastSeen: Tick
        package var count: UInt64
        package var suggestions: [Suggestion]
        /// Whether the suggestions were worked out before the profiles changed.
        var isOutdated = false
    }

    private struct Key: Hashable {
        var topic: String
        var reason: String
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var nextID: UInt64 = 1
        var counts: [String: UInt64] = [:]
        var evicted: UInt64 = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// Makes an empty quarantine for at most `capacity` kinds of message.
    package init(capacity: Int) {
        precondition(capacity > 0, "a quarantine has room for one entry")
        self.capacity = capacity
    }

    /// Puts a message away.
    ///
    /// Returns the entry's id when suggestions are to be worked out: for a new kind, and for the first message of a
    /// kind after the profiles changed. The message itself is not kept for that: it may hold what nobody may see.
    @discardableResult
    package func add(
        topic: String,
        reason: String,
        detail: String,
        differences: [LocalizedText] = [],
        device: DeviceID?,
        payload: @autoclosure () -> String,
        payloadBytes: Int,
        at tick: Tick
    ) -> UInt64? {
        let shortTopic = String(topic.prefix(256))
        return self.state.withLock { state in
            state.counts[reason, default: 0] &+= 1
            let key = Key(topic: shortTopic, reason: reason)
            if var entry = state.entries[key] {
                entry.count &+= 1
                entry.lastSeen = tick
                if entry.count.nonzeroBitCount == 1 {
                    entry.payload = payload()
                    entry.payloadBytes = payloadBytes
                    entry.detail = detail
                    entry.differences = differences
                }
                let isOutdated = entry.isOutdated
                entry.isOutdated = false
                state.entries[key] = entry
                return isOutdated ? entry.id : nil
            }
            if state.entries.count >= self.capacity,
                let oldest = state.entries.min(by: { $0.value.lastSeen < $1.value.lastSeen })
            {
                state.entries[oldest.key] = nil
                state.evicted &+= 1
            }
            let id = state.nextID
            state.nextID &+= 1
            state.entries[key] = Entry(
                id: id,
                topic: shortTopic,
                reason: reason,
                detail: detail,
                differences: differences,
                device: device,
                payload: payload(),
                payloadBytes: payloadBytes,
                firstSeen: tick,
                lastSeen: tick,
                count: 1,
                suggestions: []
            )
            return id
        }
    }

    /// Sets what could be done with entry `id`.
    package func suggest(_ suggestions: [Suggestion], for id: UInt64) {
        self.state.withLock { state in
            guard let key = state.entries.first(where: { $0.value.id == id })?.key else { return }
            state.entries[key]?.suggestions = suggestions
        }
    }

    /// The profiles changed: what was suggested of others than `known` is forgotten, and each kind of message gets new
    /// suggestions with its next message.
    package func forgetSuggestions(except known: Set<String>) {
        self.state.withLock { state in
            for key in Array(state.entries.keys) {
                state.entries[key]?.suggestions.removeAll { !known.contains($0.profile) }
                state.entries[key]?.isOutdated = true
            }
        }
    }

    /// The entries, the newest first.
    package var entries: [Entry] {
        self.state.withLock { state in
            state.entries.values.sorted { ($0.lastSeen, $0.id) > ($1.lastSeen, $1.id) }
        }
    }

    /// How many kinds of message are kept now.
    package var count: Int { self.state.withLock { $0.entries.count } }

    /// The entry with this id.
    package func entry(id: UInt64) -> Entry? {
        self.state.withLock { state in state.entries.values.first { $0.id == id } }
    }

    /// Forgets an entry, after it was adopted or dismissed.
    ///
    /// Returns whether it was there.
    @discardableResult
    package func remove(id: UInt64) -> Bool {
        self.state.withLock { state in
            guard let key = state.entries.first(where: { $0.value.id == id })?.key else { return false }
            state.entries[key] = nil
            return true
        }
    }

    /// How many messages were put away, by reason, since the start; and how many entries made room.
    package var statistics: (counts: [String: UInt64], evicted: UInt64) {
        self.state.withLock { ($0.counts, $0.evicted) }
    }
}
