internal import CampusModel

/// Level, damped trend and season of a signal (additive Holt-Winters), with the spread of its one-step errors.
///
/// In memory: level, trend, variance, steps seen, start of the step, sum and count within it, then the season.
enum HoltWinters {
    private static let head = 7
    private static let alpha = 0.4
    private static let beta = 0.4
    private static let gamma = 0.15
    private static let damping = 0.99
    /// The 5 % quantile of the normal distribution: the edges of a 90 % band.
    private static let quantile = 1.645
    /// Steps without a season before anything is forecast.
    private static let stepsMin = 12.0

    static func size(season: Int) -> Int { self.head + max(season, 0) }

    /// Adds a value.
    ///
    /// - Returns: At the end of a step, the edge of the band that is nearest to the limit and furthest beyond it within
    ///   the horizon; `nil` in between and while too little is known.
    static func add(
        _ memory: inout [Double],
        _ start: Int,
        _ value: Double,
        _ tick: Int64,
        _ cell: RuleCell
    ) -> Double? {
        let step = Double(cell.span)
        let begin = (Double(tick) / step).rounded(.down) * step
        let present = memory[start + 4]
        guard present != 0, begin > present else {
            if present == 0 || begin == present {
                memory[start + 4] = begin
                memory[start + 5] += value
                memory[start + 6] += 1
            }
            return nil
        }
        let season = Int(cell.parameter)
        if memory[start + 6] > 0 {
            self.update(&memory, start, memory[start + 5] / memory[start + 6], season: season)
        }
        // Steps without a value move the season on and wear the trend down; after many, only the season is left.
        let missed = min((begin - present) / step - 1, 100_000)
        if missed > 0 {
            memory[start + 3] += missed
            if missed > 12 { memory[start + 1] = 0 }
        }
        memory[start + 4] = begin
        memory[start + 5] = value
        memory[start + 6] = 1
        guard memory[start + 3] >= max(2 * Double(season), self.stepsMin) else { return nil }
        return self.edge(memory, start, season: season, horizon: Int(cell.secondParameter), cell.comparison)
    }

    private static func update(_ memory: inout [Double], _ start: Int, _ value: Double, season: Int) {
        let seen = memory[start + 3]
        let slot = season > 0 ? start + self.head + Int(seen.truncatingRemainder(dividingBy: Double(season))) : 0
        if seen == 0 { memory[start] = value }
        let isLearning = season > 0 && seen < Double(season)
        let seasonal = season > 0 ? memory[slot] : 0
        let expected = memory[start] + self.damping * memory[start + 1] + seasonal
        var error = value - expected
        if isLearning {
            // The first season is taken as it comes, around a level that follows slowly.
            memory[start] += (value - memory[start]) / (seen + 1)
            memory[slot] = value - memory[start]
        } else {
            let spread = memory[start + 2].squareRoot()
            memory[start + 2] += 0.05 * (error * error - memory[start + 2])
            // One wild value says little about the next.
            if spread > 0, seen > self.stepsMin { error = min(max(error, -3 * spread), 3 * spread) }
            memory[start] += self.damping * memory[start + 1] + self.alpha * error
            memory[start + 1] = self.damping * memory[start + 1] + self.alpha * self.beta * error
            if season > 0 { memory[slot] += self.gamma * (1 - self.alpha) * error }
        }
        memory[start + 3] = seen + 1
    }

    private static func edge(
        _ memory: [Double],
        _ start: Int,
        season: Int,
        horizon: Int,
        _ comparison: Comparison
    ) -> Double {
        let sign: Double = comparison == .below ? -1 : 1
        var best = -Double.infinity
        var trend = 0.0
        var damp = 1.0
        var variance = 1.0
        var damped = 0.0
        for ahead in 1...horizon {
            damp *= self.damping
            trend += damp * memory[start + 1]
            var forecast = memory[start] + trend
            if season > 0 {
                let slot = (memory[start + 3] + Double(ahead) - 1).truncatingRemainder(dividingBy: Double(season))
                forecast += memory[start + self.head + Int(slot)]
            }
            let band = self.quantile * (memory[start + 2] * variance).squareRoot()
            best = max(best, sign * forecast - band)
            // The variance of h steps ahead: 1 + sum of (alpha (1 + beta (phi + … + phi^j)))^2.
            damped += damp
            let weight = self.alpha * (1 + self.beta * damped)
            variance += weight * weight
        }
        return sign * best
    }
}
