internal import CampusModel

/// Lays a rule set out in flat tables.
struct RuleCompiler {
    private(set) var cells: [RuleCell] = []
    private(set) var inputs: [CellInput] = []
    private(set) var terms: [JoinTerm] = []
    private(set) var memory: [Double] = []
    private(set) var limitRows: [Double] = []
    private(set) var readerStarts: [Int32] = []
    private(set) var readers: [Int32] = []
    private(set) var dependents: [Int: [Int32]] = [:]

    init(_ set: RuleSet) {
        for instance in set.instances {
            let rule = set.rules[instance.rule]
            var cell = RuleCell(
                kind: .threshold,
                gate: instance.states.reduce(into: 0) { $0 |= 1 << $1.rawValue },
                isGated: instance.states.count < TimetableState.allCases.count,
                rule: Int32(clamping: instance.rule),
                onDelay: rule.onDelay,
                offDelay: rule.offDelay
            )
            self.compile(instance.condition, &cell, hours: set.hours)
            self.cells.append(cell)
        }
        self.linkSignals(count: set.signals.count)
        self.linkCauses(set)
    }

    private mutating func compile(_ condition: AlertCondition, _ cell: inout RuleCell, hours: SchoolHours) {
        switch condition {
        case .threshold(let input, let limits):
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
        case .rate(let input, let limits, let window, let per):
            cell.kind = .rate
            cell.span = max(window, 1)
            cell.parameter = Double(max(per, 1))
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
            self.reserve(SlopeWindow.size, &cell)
        case .stuck(let input, let span, let tolerance, let partner, let partnerTolerance):
            cell.kind = .stuck
            cell.span = max(span, 1)
            cell.parameter = tolerance
            cell.secondParameter = partnerTolerance
            self.add([input] + (partner.map { [$0] } ?? []), to: &cell)
            self.reserve(StuckMemory.size, &cell)
        case .missing(let inputs, let span):
            cell.kind = .missing
            cell.span = max(span, 1)
            self.add(inputs, to: &cell)
        case .quality(let input, let reasons, let uncertainToo):
            cell.kind = .quality
            cell.parameter = uncertainToo ? 1 : 0
            cell.span = reasons.reduce(into: 0) { $0 |= 1 << Int64($1.rawValue) }
            self.add([input], to: &cell)
        case .aggregate(let inputs, let aggregate, let limits, let quorum):
            cell.kind = .aggregate
            cell.aggregate = aggregate
            cell.parameter = Double(quorum)
            // Many inputs are looked at once a second, few at every sample.
            cell.span = aggregate == .silent ? 5_000 : inputs.count > 8 ? 1_000 : 0
            self.add(inputs, to: &cell)
            self.add(limits, to: &cell)
        case .join(let parts):
            cell.kind = .join
            cell.firstTerm = Int32(clamping: self.terms.count)
            cell.termCount = Int32(clamping: parts.count)
            cell.firstInput = Int32(clamping: self.inputs.count)
            for part in parts {
                let first = self.inputs.count
                self.inputs += part.inputs.map(Self.input)
                self.terms.append(
                    JoinTerm(
                        firstInput: Int32(clamping: first),
                        inputCount: Int32(clamping: part.inputs.count),
                        isEvery: part.isEvery,
                        comparison: part.comparison,
                        limit: part.limit,
                        upper: part.upper,
                        held: part.held
                    )
                )
            }
            cell.inputCount = Int32(clamping: self.inputs.count) - cell.firstInput
        default: self.compileOverTime(condition, &cell)
        }
    }

    /// The kinds that remember more than the newest value.
    private mutating func compileOverTime(_ condition: AlertCondition, _ cell: inout RuleCell) {
        switch condition {
        case .counter(let input, let limits, let window):
            cell.kind = .counter
            cell.span = max(window / Int64(CounterWindow.buckets), 1)
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
            self.reserve(CounterWindow.size, &cell, first: .nan)
        case .runHours(let input, let limits):
            cell.kind = .runHours
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
            self.reserve(Integral.size, &cell)
        case .excess(let input, let over, let isBelow, let limits):
            cell.kind = .excess
            cell.parameter = over
            cell.secondParameter = isBelow ? -1 : 1
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
            self.reserve(Integral.size, &cell)
        case .forecast(let input, let limits, let step, let season, let horizon):
            cell.kind = .forecast
            cell.span = max(step, 1)
            cell.parameter = Double(season)
            cell.secondParameter = Double(max(horizon, 1))
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
            self.reserve(HoltWinters.size(season: season), &cell)
        case .anomaly(let input, let limits):
            cell.kind = .anomaly
            self.add([input], to: &cell)
            self.add(limits, to: &cell)
            self.reserve(Rarity.size, &cell)
        default: break
        }
    }

    private static func input(_ input: RuleInput) -> CellInput {
        CellInput(
            signal: Int32(clamping: input.signal),
            factor: input.conversion.factor,
            offset: input.conversion.offset
        )
    }

    private mutating func add(_ inputs: [RuleInput], to cell: inout RuleCell) {
        cell.firstInput = Int32(clamping: self.inputs.count)
        cell.inputCount = Int32(clamping: inputs.count)
        self.inputs += inputs.map(Self.input)
    }

    private mutating func add(_ limits: Limits, to cell: inout RuleCell) {
        cell.comparison = limits.comparison
        cell.limit = limits.limit
        cell.upper = limits.upper
        cell.deadband = limits.deadband
        if let severe = limits.severe {
            cell.hasSevere = true
            cell.severe = severe
        }
        guard !limits.byState.isEmpty else { return }
        cell.limitRow = Int32(clamping: self.limitRows.count)
        cell.isGated = true
        self.limitRows += TimetableState.allCases.map { limits.byState[$0] ?? limits.limit }
    }

    private mutating func reserve(_ count: Int, _ cell: inout RuleCell, first: Double = 0) {
        cell.memory = Int32(clamping: self.memory.count)
        cell.memoryCount = Int32(clamping: count)
        self.memory += [first] + Array(repeating: 0, count: count - 1)
    }

    /// Which cells read a signal, one list after the other.
    private mutating func linkSignals(count: Int) {
        var lists = Array(repeating: [Int32](), count: count)
        for (index, cell) in self.cells.enumerated() {
            let range = Int(cell.firstInput)..<Int(cell.firstInput + cell.inputCount)
            for signal in Set(range.map { Int(self.inputs[$0].signal) }) {
                lists[signal].append(Int32(clamping: index))
            }
        }
        for list in lists {
            self.readerStarts.append(Int32(clamping: self.readers.count))
            self.readers += list
        }
        self.readerStarts.append(Int32(clamping: self.readers.count))
    }

    /// What follows from each cause: never a life-safety alert, never a cause of the same kind.
    private mutating func linkCauses(_ set: RuleSet) {
        for (index, instance) in set.instances.enumerated() {
            guard let cause = set.rules[instance.rule].cause else { continue }
            self.dependents[index] = set.instances.indices
                .filter { other in
                    let rule = set.rules[set.instances[other].rule]
                    return other != index && rule.suppressedBy.contains(cause) && !rule.isLifeSafety
                        && !instance.reach.isDisjoint(with: set.instances[other].places)
                }
                .map { Int32(clamping: $0) }
        }
    }
}
