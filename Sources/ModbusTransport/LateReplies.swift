/// What a reply looks like on the wire, which is all that tells one reply of a unit from another on a serial line.
struct ReplyShape: Sendable, Hashable {
    var function: UInt8
    /// Bytes of data; 0 for the confirmation of a write.
    var byteCount: Int

    init(function: UInt8, byteCount: Int) {
        self.function = function
        self.byteCount = byteCount
    }

    init(of read: ModbusRead) {
        self.function = read.table.rawValue
        self.byteCount = read.table.isBits ? (Int(read.count) + 7) / 8 : Int(read.count) * 2
    }
}

/// The replies that may still come over a serial line after their requests were given up, by unit.
///
/// An RTU reply names its unit and function, but neither its request nor its address: a late one is a perfect answer to
/// the next request of the same shape. A unit answers in order, so once it has answered a *fence* - a read whose reply
/// has another shape than anything that is still missing - nothing older can come. The fence must also differ from the
/// request after it; then a late answer to the fence itself is noticed, too.
struct LateReplies: Sendable {
    private var missing: [UInt8: [ReplyShape]] = [:]
    private static let missingMax = 4

    /// Whether something of the unit may still come.
    func isOwed(by unit: UInt8) -> Bool { self.missing[unit] != nil }

    /// A request was given up.
    mutating func expect(_ shape: ReplyShape, from unit: UInt8) {
        var shapes = self.missing[unit] ?? []
        guard !shapes.contains(shape) else { return }
        // The first is the real request, the others are fences; the oldest fence is the least dangerous.
        if shapes.count == Self.missingMax { shapes.remove(at: 1) }
        shapes.append(shape)
        self.missing[unit] = shapes
    }

    /// The unit has answered a fence.
    mutating func clear(_ unit: UInt8) { self.missing[unit] = nil }

    /// A read near `next` whose reply can be mistaken neither for a missing one nor for the one of the next request.
    func fence(before next: ReplyShape, like read: ModbusRead) -> ModbusRead {
        let missing = self.missing[read.unit] ?? []
        // One more than can be taken, so one of them is always free.
        let counts = (0..<UInt16(Self.missingMax + 2)).map { read.table.isBits ? $0 * 8 + 1 : $0 + 1 }
        var fence = read
        for count in counts {
            fence.count = count
            let shape = ReplyShape(of: fence)
            if shape != next, !missing.contains(shape) { break }
        }
        fence.address = min(fence.address, UInt16(clamping: 65_536 - Int(fence.count)))
        return fence
    }
}
