/// The replies that may still come over a serial line after their requests were given up, by unit.
///
/// A line seldom says which request it answers: a late one may be a perfect answer to the next request. A device
/// answers in order, so once it has answered a *fence* - a request whose reply is like none that is still missing -
/// nothing older can come.
struct LateLines: Sendable {
    private var missing: [UInt8: [LineRequest]] = [:]
    private static let missingMax = 4

    /// Whether something of the unit may still come.
    func isOwed(by unit: UInt8) -> Bool { self.missing[unit] != nil }

    /// Whether a frame fits a request of the unit that was given up.
    func mayBeOwed(_ frame: ArraySlice<UInt8>, by unit: UInt8) -> Bool {
        self.missing[unit]?.contains { $0.verdict(frame) == .reply } ?? false
    }

    /// A request was given up.
    mutating func expect(_ request: LineRequest) {
        var requests = self.missing[request.unit] ?? []
        guard !requests.contains(where: { $0.name == request.name }) else { return }
        // The first is the real request, the others are fences; the oldest fence is the least dangerous.
        if requests.count == Self.missingMax { requests.remove(at: 1) }
        requests.append(request)
        self.missing[request.unit] = requests
    }

    /// The unit has answered a fence.
    mutating func clear(_ unit: UInt8) { self.missing[unit] = nil }

    /// A request that is neither missing nor the next one; otherwise one that is at least not missing.
    func fence(before next: LineRequest, among requests: [LineRequest]) -> LineRequest? {
        let missing = Set((self.missing[next.unit] ?? []).map(\.name))
        let free = requests.filter { !missing.contains($0.name) }
        return free.first { $0.name != next.name } ?? free.first
    }
}
