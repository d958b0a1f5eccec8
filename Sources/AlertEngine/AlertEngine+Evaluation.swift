internal import CampusModel

extension AlertEngine {
    private func isOpen(_ cell: borrowing RuleCell) -> Bool { cell.gate & (1 << self.timetable.rawValue) != 0 }

    @inline(__always)
    private func converted(_ input: Int) -> Double {
        let input = self.inputs[input]
        return self.signals[Int(input.signal)].value * input.factor + input.offset
    }

    /// A cell gets a new value of one of its signals.
    @inline(__always)
    mutating func take(_ index: Int, _ signal: Int, tick: Int64, isUsable: Bool) {
        self.counters.evaluations &+= 1
        switch self.cells[index].kind {
        case .threshold:
            guard isUsable else { return }
            self.compare(index, self.converted(Int(self.cells[index].firstInput)), at: tick)
        case .missing:
            guard isUsable else { return }
            self.settle(index, .no, at: tick)
        case .quality: self.settle(index, self.hasPoorQuality(index, signal) ? .yes : .no, at: tick)
        case .join: self.join(index, at: self.now.rawValue)
        case .aggregate:
            if self.cells[index].span == 0 {
                self.aggregate(index, at: tick)
            } else if self.cells[index].wake == .max {
                self.wake(index, at: self.now.rawValue + self.cells[index].span)
            }
        default: self.takeOverTime(index, signal, tick: tick, isUsable: isUsable)
        }
    }

    private mutating func takeOverTime(_ index: Int, _ signal: Int, tick: Int64, isUsable: Bool) {
        let cell = self.cells[index]
        let start = Int(cell.memory)
        guard isUsable else {
            if cell.kind == .runHours || cell.kind == .excess { Integral.pause(&self.memory, start) }
            return
        }
        let value = self.converted(Int(cell.firstInput))
        switch cell.kind {
        case .rate:
            guard let slope = SlopeWindow.add(&self.memory, start, value, tick, window: cell.span) else { return }
            self.compare(index, slope * cell.parameter, at: tick)
        case .stuck: self.stuck(index, signal, at: tick)
        case .counter:
            let increase = CounterWindow.add(
                &self.memory,
                start,
                value,
                tick,
                width: cell.span,
                counts: self.isOpen(cell)
            )
            self.compare(index, increase, at: tick)
            if self.cells[index].wake == .max, increase > 0 { self.wake(index, at: tick + cell.span) }
        case .runHours, .excess: self.integrate(index, value, at: tick, stale: self.signals[signal].staleAfter)
        case .forecast:
            let edge = HoltWinters.add(&self.memory, start, value, tick, cell)
            if let edge { self.compare(index, edge, at: tick) }
        case .anomaly:
            let score = Rarity.add(&self.memory, start, value, self.timetable)
            self.compare(index, score, at: tick)
        default: break
        }
    }

    /// Time that the kind asked for has come.
    mutating func wakeUp(_ index: Int) {
        let now = self.now.rawValue
        let cell = self.cells[index]
        switch cell.kind {
        case .missing:
            var last = Int64.min
            for input in Int(cell.firstInput)..<Int(cell.firstInput + cell.inputCount) {
                last = max(last, self.signals[Int(self.inputs[input].signal)].usable)
            }
            self.cells[index].measure = Double(now - last) / 60_000
            if now - last >= cell.span { self.settle(index, .yes, at: last + cell.span) }
            self.cells[index].wake = now - last >= cell.span ? now + cell.span : last + cell.span
        case .stuck: self.stuck(index, nil, at: now)
        case .aggregate:
            self.aggregate(index, at: now)
            if cell.aggregate == .silent { self.cells[index].wake = now + cell.span }
        case .join: self.join(index, at: now)
        case .counter:
            let increase = CounterWindow.roll(&self.memory, Int(cell.memory), now, width: cell.span)
            if self.isFresh(index) { self.compare(index, increase, at: now) }
            if increase > 0 { self.cells[index].wake = now + cell.span }
        case .runHours, .excess:
            let signal = Int(self.inputs[Int(cell.firstInput)].signal)
            guard self.signals[signal].isFresh(at: now) else { return }
            let value = self.converted(Int(cell.firstInput))
            self.integrate(index, value, at: now, stale: self.signals[signal].staleAfter)
        default: break
        }
    }

    /// Another timetable state has begun.
    mutating func timetableChanged(_ index: Int) {
        let cell = self.cells[index]
        switch cell.kind {
        case .threshold, .rate, .counter, .runHours, .excess, .forecast:
            if self.isFresh(index), !cell.measure.isNaN {
                self.compare(index, cell.measure, at: self.now.rawValue)
            } else if !self.isOpen(cell) {
                self.settle(index, .no, at: self.now.rawValue)
            }
        case .aggregate: self.aggregate(index, at: self.now.rawValue)
        case .join: self.join(index, at: self.now.rawValue)
        case .missing: self.wakeUp(index)
        case .stuck: self.stuck(index, nil, at: self.now.rawValue)
        case .quality, .anomaly: if !self.isOpen(cell) { self.settle(index, .no, at: self.now.rawValue) }
        }
        self.arm(index)
    }

    /// Compares a measure with the limits of the hour.
    @inline(__always)
    mutating func compare(_ index: Int, _ measure: Double, at tick: Int64) {
        self.cells[index].measure = measure
        let row = self.cells[index].limitRow
        let limit = row < 0 ? self.cells[index].limit : self.limitRows[Int(row) + Int(self.timetable.rawValue)]
        let holds = self.cells[index].comparison
            .holds(
                measure,
                limit,
                self.cells[index].upper,
                deadband: self.cells[index].deadband,
                held: self.cells[index].truth == .yes
            )
        if self.cells[index].hasSevere {
            let isSevere =
                holds
                && self.cells[index].comparison
                    .holds(
                        measure,
                        self.cells[index].severe,
                        self.cells[index].upper,
                        deadband: self.cells[index].deadband,
                        held: self.cells[index].isSevere
                    )
            if isSevere != self.cells[index].isSevere {
                self.cells[index].isSevere = isSevere
                self.cells[index].severeSince = tick
            }
        }
        self.settle(index, holds ? .yes : .no, at: tick)
    }

    /// Takes up what is known of the condition since `tick`, and looks at the delays when that matters.
    @inline(__always)
    mutating func settle(_ index: Int, _ found: RuleCell.Truth, at tick: Int64) {
        let truth = found == .yes && !self.isOpen(self.cells[index]) ? .no : found
        guard truth != .unknown else { return }
        if truth != self.cells[index].truth {
            self.cells[index].truth = truth
            self.cells[index].since = tick
        }
        let isActive = self.alerts[index].isActive
        guard (truth == .yes) != isActive || self.cells[index].isSevere != self.alerts[index].isSevere else { return }
        self.lookAtDelays(index)
        self.arm(index)
    }

    private mutating func wake(_ index: Int, at tick: Int64) {
        self.cells[index].wake = tick
        self.arm(index)
    }

    private func hasPoorQuality(_ index: Int, _ signal: Int) -> Bool {
        let quality = self.signals[signal].quality
        let isPoor =
            quality.level == .bad || (quality.level == .uncertain && self.cells[index].parameter != 0)
        return isPoor && self.cells[index].span & (1 << Int64(quality.reason.rawValue)) != 0
    }

    private mutating func stuck(_ index: Int, _ signal: Int?, at tick: Int64) {
        let cell = self.cells[index]
        let start = Int(cell.memory)
        let own = self.inputs[Int(cell.firstInput)]
        let state = self.signals[Int(own.signal)]
        guard state.tick != 0 else { return }
        let value = state.value * own.factor + own.offset
        let hasPartner = cell.inputCount > 1
        let partnerInput = Int(cell.firstInput) + 1
        let isPartnerKnown =
            hasPartner && self.signals[Int(self.inputs[partnerInput].signal)].usable != 0
            && self.signals[Int(self.inputs[partnerInput].signal)].tick != 0
        let partner = isPartnerKnown ? self.converted(partnerInput) : .nan
        if StuckMemory.changed(&self.memory, start, value, partner, tick, tolerance: cell.parameter) {
            self.settle(index, .no, at: tick)
            self.wake(index, at: tick + cell.span)
            return
        }
        if self.memory[start + 3].isNaN { self.memory[start + 3] = partner }
        let since = StuckMemory.since(self.memory, start)
        let moved = StuckMemory.partnerMoved(self.memory, start, partner, tolerance: cell.secondParameter)
        let isStuck = self.now.rawValue - since >= cell.span && (!hasPartner || moved)
        self.cells[index].measure = Double(self.now.rawValue - since) / 3_600_000
        if isStuck {
            self.settle(index, .yes, at: max(since + cell.span, self.cells[index].since))
        } else if self.cells[index].truth == .unknown {
            self.settle(index, .no, at: tick)
        }
        if since + cell.span > self.now.rawValue, self.cells[index].wake == .max {
            self.wake(index, at: since + cell.span)
        }
    }

    private mutating func integrate(_ index: Int, _ value: Double, at tick: Int64, stale: Int64) {
        let cell = self.cells[index]
        let start = Int(cell.memory)
        let isCounted = self.isOpen(cell)
        let rate: Double =
            cell.kind == .runHours
            ? (value != 0 ? 1 : 0) : max(0, (value - cell.parameter) * cell.secondParameter)
        Integral.advance(&self.memory, start, to: tick, rate: isCounted ? rate : 0, longest: stale)
        if cell.kind == .excess {
            Integral.forget(&self.memory, start, at: tick, within: rate == 0, after: max(cell.offDelay, 1))
        }
        let unit = cell.kind == .runHours ? 3_600_000.0 : 60_000.0
        let total = self.memory[start] / unit
        self.compare(index, total, at: tick)
        guard rate > 0, total < cell.limit else { return }
        // When the limit is reached if all stays as it is; at least a second, so that rounding ends.
        let remaining = (cell.limit - total) * unit / rate
        if remaining < Double(stale) {
            self.wake(index, at: tick + max(Int64(exactly: remaining.rounded(.up)) ?? 1_000, 1_000))
        }
    }
}
