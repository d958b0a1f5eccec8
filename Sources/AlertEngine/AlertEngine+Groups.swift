internal import CampusModel

extension AlertEngine {
    /// Whether enough of what a cell reads may be believed now.
    func isFresh(_ index: Int) -> Bool {
        let cell = self.cells[index]
        let now = self.now.rawValue
        switch cell.kind {
        case .missing, .quality, .aggregate, .join: return true
        default: return self.signals[Int(self.inputs[Int(cell.firstInput)].signal)].isFresh(at: now)
        }
    }

    /// Makes one number of several signals.
    mutating func aggregate(_ index: Int, at tick: Int64) {
        let cell = self.cells[index]
        let now = self.now.rawValue
        let first = Int(cell.firstInput)
        let end = first + Int(cell.inputCount)
        var fresh = 0
        var silent = 0
        var sum = 0.0
        var least = Double.infinity
        var most = -Double.infinity
        var nonZero = 0
        for position in first..<end {
            let input = self.inputs[position]
            let signal = self.signals[Int(input.signal)]
            if now - signal.usable > signal.staleAfter { silent += 1 }
            guard signal.isFresh(at: now) else { continue }
            let value = signal.value * input.factor + input.offset
            fresh += 1
            sum += value
            least = min(least, value)
            most = max(most, value)
            if value != 0 { nonZero += 1 }
        }
        if cell.aggregate == .silent {
            self.compare(index, 100 * Double(silent) / Double(max(end - first, 1)), at: tick)
            return
        }
        // Fewer than the quorum say nothing: the alert stays as it is.
        guard fresh > 0, Double(fresh) >= cell.parameter else { return }
        let measure: Double =
            switch cell.aggregate {
            case .mean: sum / Double(fresh)
            case .minimum: least
            case .maximum: most
            case .sum: sum
            case .spread: most - least
            case .count: Double(nonZero)
            case .silent: 0
            }
        self.compare(index, measure, at: tick)
    }

    /// Looks at all parts of a join: one that is known not to hold decides; else one that is not known.
    mutating func join(_ index: Int, at tick: Int64) {
        let first = Int(self.cells[index].firstTerm)
        let end = first + Int(self.cells[index].termCount)
        var truth = RuleCell.Truth.yes
        var due = Int64.max
        for position in first..<end {
            let found = self.term(position)
            if found != .unknown, found != self.terms[position].truth {
                self.terms[position].since =
                    self.terms[position].truth == .unknown && found == .yes
                    ? self.oldestOfTerm(position) : tick
                self.terms[position].truth = found
            }
            switch found {
            case .no: truth = .no
            case .unknown: if truth == .yes { truth = .unknown }
            case .yes:
                let held = self.terms[position].since + self.terms[position].held
                if held > tick {
                    due = min(due, held)
                    truth = .no
                }
            }
        }
        self.cells[index].wake = due
        self.settle(index, truth, at: tick)
        if due != .max { self.arm(index) }
    }

    /// Since when the values of a part are what they are, as far as is known.
    private func oldestOfTerm(_ position: Int) -> Int64 {
        let term = self.terms[position]
        let range = Int(term.firstInput)..<Int(term.firstInput + term.inputCount)
        return range.map { self.signals[Int(self.inputs[$0].signal)].tick }.max() ?? self.now.rawValue
    }

    private func term(_ position: Int) -> RuleCell.Truth {
        let term = self.terms[position]
        var isUnknown = false
        for input in Int(term.firstInput)..<Int(term.firstInput + term.inputCount) {
            let source = self.inputs[input]
            let signal = self.signals[Int(source.signal)]
            guard signal.isFresh(at: self.now.rawValue) else {
                isUnknown = true
                continue
            }
            let value = signal.value * source.factor + source.offset
            let holds = term.comparison.holds(value, term.limit, term.upper, deadband: 0, held: false)
            if holds != term.isEvery { return holds ? .yes : .no }
        }
        if isUnknown { return .unknown }
        return term.isEvery ? .yes : .no
    }
}
