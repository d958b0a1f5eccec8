package import CampusModel

/// One stored event as one reader may see it.
package struct EventRecord: Sendable, Hashable {
    /// One field as this reader may see it.
    package struct Field: Sendable, Hashable {
        package var name: String
        /// Class `none`: the value.
        ///
        /// Class `hash`: the pseudonym, or it masked. Class `mask`: the text, or it masked.
        package var text: String
        package var privacy: PrivacyClass

        package init(name: String, text: String, privacy: PrivacyClass) {
            self.name = name
            self.text = text
            self.privacy = privacy
        }
    }

    /// Ascending in the order of storing, never reused.
    package var id: Int64
    package var device: DeviceID
    /// Where the device was when the event was stored; `nil` when it was not configured.
    package var node: NodeID?
    package var name: String
    package var kind: Event.Kind
    package var tick: Tick
    package var received: Tick
    package var sequence: String?
    package var isReplay: Bool
    package var fields: [Field]
}

/// Where a page of events goes on: after the event of this tick and id.
package struct EventCursor: Sendable, Hashable {
    package var tick: Tick
    package var id: Int64

    package init(tick: Tick, id: Int64) {
        self.tick = tick
        self.id = id
    }
}

/// Which events are asked for; everything that is set must hold.
package struct EventQuery: Sendable, Hashable {
    package var device: DeviceID?
    /// This node and everything inside it.
    package var node: NodeID?
    package var name: String?
    package var kind: Event.Kind?
    /// By ``EventRecord/tick``: the lower bound is in, the upper is not.
    package var range: Range<Tick>?

    package init(
        device: DeviceID? = nil,
        node: NodeID? = nil,
        name: String? = nil,
        kind: Event.Kind? = nil,
        range: Range<Tick>? = nil
    ) {
        self.device = device
        self.node = node
        self.name = name
        self.kind = kind
        self.range = range
    }
}

/// What became of a batch of events.
package struct EventStoreResult: Sendable, Hashable {
    package var stored: Int
    /// Known already: the same number, or the same content within the window.
    package var duplicates: Int

    package init(stored: Int, duplicates: Int) {
        self.stored = stored
        self.duplicates = duplicates
    }
}
