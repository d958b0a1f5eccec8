package import CampusModel

/// One read of a plan.
package struct RegisterRead: Sendable, Hashable {
    package var table: ModbusWire.Table
    package var address: UInt16
    package var count: UInt16
}

/// What came back for one read of a plan.
package enum RegisterReply: Sendable {
    /// Registers, or bits as 0 and 1, as many as were asked for.
    case words([UInt16])
    /// Nothing usable; every point of the read gets this quality.
    case failed(Quality)
}

/// The reads that bring all points of one poll class, and how their replies become values.
///
/// Values that lie near each other are read together: at most ``ModbusWire/registersMax`` registers or
/// ``ModbusWire/bitsMax`` bits in one read, spanning at most ``ModbusWire/gapMax`` unwanted registers and never a
/// forbidden address.
package struct RegisterPlan: Sendable {
    /// In ascending order of table and address.
    package private(set) var reads: [RegisterRead] = []
    private var groups: [[Int]] = []
    private var steps: [Step] = []
    /// The steps of each read.
    private var stepRanges: [Range<Int>] = []
    private var validities: [(step: Int, other: Int, validity: PointDefinition.Validity)] = []
    private let items: [Item]
    private let wire: ModbusWire
    private let points: [PointDefinition]
    private let rules: [ValueRule]

    /// One wanted value: a point with its place.
    private struct Item: Sendable {
        var point: Int
        var source: RegisterSource
        var isWanted: Bool
    }

    private struct Step: Sendable {
        var point: Int
        var source: RegisterSource
        var read: Int
        var offset: Int
        /// The step of the point that holds the decimal exponent, or -1.
        var exponentStep: Int
        /// The step of the point that holds a factor, or -1.
        var factorStep: Int
        /// Only helps others; not part of this poll class's result.
        var isWanted: Bool
    }

    /// Plans the points of `poll`, and the helpers that they need, of any class.
    ///
    /// Empty for a profile of another wire.
    package init(profile: DeviceProfile, poll: PointDefinition.PollClass) {
        self.points = profile.points
        self.rules = profile.points.map { ValueRule($0) }
        guard case .modbus(let wire) = profile.wire else {
            self.wire = ModbusWire.empty
            self.items = []
            return
        }
        self.wire = wire
        var wanted: Set<Int> = []
        var helpers: Set<Int> = []
        for (index, point) in profile.points.enumerated() where point.poll == poll && !point.isHidden {
            wanted.insert(index)
            for validity in point.validities {
                // Whoever sees the values knows how long a heartbeat has stood still, so it comes out too.
                if case .changesWithin = validity.test {
                    wanted.insert(validity.point)
                } else {
                    helpers.insert(validity.point)
                }
            }
            if let exponent = point.scale.exponentFrom { helpers.insert(exponent) }
            if let factor = point.scale.multiplyFrom { helpers.insert(factor) }
        }
        self.items = wanted.union(helpers).sorted()
            .compactMap { index in
                guard case .register(var source) = profile.points[index].source else { return nil }
                source.documentedAs = nil
                return Item(point: index, source: source, isWanted: wanted.contains(index))
            }
        self.group()
        self.compile()
    }

    /// The plan with one of its reads divided in two, or `nil` when that read brings one place only.
    ///
    /// For a device that answers a coalesced read with "illegal data address": the hole is found by halving.
    package func splitting(readAt index: Int) -> RegisterPlan? {
        guard self.groups.indices.contains(index) else { return nil }
        let group = self.groups[index]
        let addresses = Set(group.map { self.items[$0].source.address }).sorted()
        guard addresses.count > 1 else { return nil }
        let middle = addresses[addresses.count / 2]
        let left = group.filter { self.items[$0].source.address < middle }
        let right = group.filter { self.items[$0].source.address >= middle }
        var copy = self
        copy.groups.replaceSubrange(index...index, with: [left, right])
        copy.compile()
        return copy
    }

    private mutating func group() {
        let order = self.items.indices.sorted { left, right in
            let a = self.items[left].source
            let b = self.items[right].source
            return (a.table.readFunction, a.address, left) < (b.table.readFunction, b.address, right)
        }
        var current: [Int] = []
        var start = 0
        var end = 0
        for index in order {
            let source = self.items[index].source
            let itemStart = Int(source.address)
            let itemEnd = itemStart + source.addressCount
            if let first = current.first, self.items[first].source.table == source.table,
                self.fits(table: source.table, from: start, end: end, itemStart: itemStart, itemEnd: itemEnd)
            {
                current.append(index)
                end = max(end, itemEnd)
            } else {
                if !current.isEmpty { self.groups.append(current) }
                current = [index]
                start = itemStart
                end = itemEnd
            }
        }
        if !current.isEmpty { self.groups.append(current) }
    }

    private func fits(table: ModbusWire.Table, from start: Int, end: Int, itemStart: Int, itemEnd: Int) -> Bool {
        let span = max(end, itemEnd) - start
        guard span <= (table.isBits ? self.wire.bitsMax : self.wire.registersMax) else { return false }
        let gap = itemStart - end
        guard gap <= (table.isBits ? self.wire.gapMax * 16 : self.wire.gapMax) else { return false }
        guard gap > 0 else { return true }
        return !self.wire.forbidden.contains { range in
            range.table == table && Int(range.from) < itemStart && Int(range.to) >= end
        }
    }

    private mutating func compile() {
        self.reads = []
        self.steps = []
        self.stepRanges = []
        self.validities = []
        var stepOfPoint: [Int: Int] = [:]
        for (read, group) in self.groups.enumerated() {
            let start = group.map { Int(self.items[$0].source.address) }.min() ?? 0
            let end = group.map { Int(self.items[$0].source.address) + self.items[$0].source.addressCount }.max() ?? 0
            guard let first = group.first else { continue }
            self.reads.append(
                RegisterRead(
                    table: self.items[first].source.table,
                    address: UInt16(clamping: start),
                    count: UInt16(clamping: end - start)
                )
            )
            self.stepRanges.append(self.steps.count..<(self.steps.count + group.count))
            for index in group {
                let item = self.items[index]
                stepOfPoint[item.point] = self.steps.count
                self.steps.append(
                    Step(
                        point: item.point,
                        source: item.source,
                        read: read,
                        offset: Int(item.source.address) - start,
                        exponentStep: -1,
                        factorStep: -1,
                        isWanted: item.isWanted
                    )
                )
            }
        }
        for index in self.steps.indices {
            let point = self.points[self.steps[index].point]
            if let exponent = point.scale.exponentFrom { self.steps[index].exponentStep = stepOfPoint[exponent] ?? -1 }
            if let factor = point.scale.multiplyFrom { self.steps[index].factorStep = stepOfPoint[factor] ?? -1 }
            for validity in point.validities {
                if let other = stepOfPoint[validity.point] { self.validities.append((index, other, validity)) }
            }
        }
    }

    /// Decodes the replies of one poll.
    ///
    /// - Parameters:
    ///   - replies: One for each of ``reads``; missing ones count as failed.
    ///   - values: Gets one value for each wanted point that is not a text, in the order of the wire; for a text only
    ///     when it is bad.
    ///   - texts: Gets the texts.
    package func decode(replies: [RegisterReply], into values: inout [DecodedValue], texts: inout [DecodedText]) {
        let base = values.count
        for (read, range) in self.stepRanges.enumerated() {
            guard read < replies.count, case .words(let words) = replies[read] else {
                var quality = Quality.bad(.communication)
                if read < replies.count, case .failed(let given) = replies[read] { quality = given }
                for index in range {
                    values.append(DecodedValue(point: self.steps[index].point, value: 0, quality: quality))
                }
                continue
            }
            words.withUnsafeBufferPointer { words in
                for index in range {
                    if self.steps[index].source.type.isText {
                        let point = self.steps[index].point
                        if self.points[point].privacy != .drop,
                            let text = self.steps[index].source.text(in: words, at: self.steps[index].offset)
                        {
                            texts.append(DecodedText(point: point, text: text))
                        }
                        values.append(DecodedValue(point: self.steps[index].point, value: 0, quality: .good))
                    } else {
                        values.append(self.value(of: self.steps[index], words: words, replies: replies))
                    }
                }
            }
        }
        for (step, other, validity) in self.validities where values[base + step].quality.level != .bad {
            let condition = values[base + other]
            if condition.quality.level == .bad || !validity.accepts(condition.value) {
                values[base + step].value = 0
                values[base + step].quality = .bad(.notReady)
            }
        }
        self.dropHelpers(from: base, in: &values)
    }

    /// Takes out the values that only help others, and those of texts unless they say that there is none.
    private func dropHelpers(from base: Int, in values: inout [DecodedValue]) {
        guard self.steps.contains(where: { !$0.isWanted || $0.source.type.isText }) else { return }
        var kept = base
        for (index, step) in self.steps.enumerated() where step.isWanted {
            if step.source.type.isText, values[base + index].quality.isGood { continue }
            values[kept] = values[base + index]
            kept += 1
        }
        values.removeSubrange(kept...)
    }

    private func value(
        of step: Step,
        words: UnsafeBufferPointer<UInt16>,
        replies: [RegisterReply]
    ) -> DecodedValue {
        guard let raw = step.source.raw(in: words, at: step.offset) else {
            return DecodedValue(point: step.point, value: 0, quality: .bad(.malformed))
        }
        var exponent = 0.0
        if step.exponentStep >= 0 {
            guard let found = self.exponent(self.steps[step.exponentStep], replies: replies) else {
                return DecodedValue(point: step.point, value: 0, quality: .bad(.notReady))
            }
            exponent = found
        }
        var factor = 1.0
        if step.factorStep >= 0 {
            guard let found = self.helper(self.steps[step.factorStep], replies: replies), found != 0 else {
                return DecodedValue(point: step.point, value: 0, quality: .bad(.notReady))
            }
            factor = found
        }
        let (value, quality) = self.rules[step.point].judged(raw: raw, exponent: exponent, factor: factor)
        return DecodedValue(point: step.point, value: value, quality: quality)
    }

    /// The decimal exponent of a scale-factor register; `nil` when it is a sentinel or past ±10 (SunSpec's range).
    private func exponent(_ step: Step, replies: [RegisterReply]) -> Double? {
        self.helper(step, replies: replies).flatMap { abs($0) <= 10 ? $0 : nil }
    }

    /// The value of a point that other points are made with; `nil` when it is bad.
    private func helper(_ step: Step, replies: [RegisterReply]) -> Double? {
        guard step.read < replies.count, case .words(let words) = replies[step.read] else { return nil }
        let raw = words.withUnsafeBufferPointer { step.source.raw(in: $0, at: step.offset) }
        guard let raw else { return nil }
        let (value, quality) = self.rules[step.point].judged(raw: raw)
        return quality.level == .bad ? nil : value
    }
}

extension ModbusWire {
    static let empty = ModbusWire(
        unit: 1,
        serial: nil,
        timeoutMilliseconds: 1_000,
        pauseMilliseconds: 0,
        connectPauseMilliseconds: 0,
        registersMax: 125,
        bitsMax: 2_000,
        gapMax: 0,
        forbidden: [],
        byteOrder: .highFirst,
        wordOrder: .highFirst
    )
}
