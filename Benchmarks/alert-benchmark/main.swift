import AlertEngine
import CampusModel
import Glibc

// How many rule instances a core looks at in a second, measured in this process.
//
//   alert-benchmark mix [--series N] [--rounds N]   N series under each of eight kinds of rules, a value each a second
//   alert-benchmark gateway [--seconds N]           1,500 rules at 1 Hz in real time: share of a core, memory
//   alert-benchmark anomaly [--samples N]           one sample's score
//
// Each figure is one line of JSON.

let arguments = Array(CommandLine.arguments.dropFirst())

func usage() -> Never {
    let text = "usage: alert-benchmark mix|gateway|anomaly [--series N] [--rounds N] [--seconds N] [--samples N]\n"
    _ = text.withCString { write(2, $0, strlen($0)) }
    exit(2)
}

func option(_ name: String, _ standard: Int) -> Int {
    guard let place = arguments.firstIndex(of: name) else { return standard }
    guard place + 1 < arguments.count, let number = Int(arguments[place + 1]), number > 0 else { usage() }
    return number
}

/// CPU time of this process, user and system, in seconds.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Resident memory now, MiB.
func residentMiB() -> Double {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let words = text.split(separator: " ")
    return words.count > 1 ? (Double(words[1]) ?? 0) * 4_096 / 1_048_576 : 0
}

/// The mix: threshold with delays, slope, stuck, silent, join, timetable, forecast, mean.
func mix(series: Int) -> RuleSet {
    var rule = AlertRule(
        id: "r",
        title: LocalizedText(vi: "r", en: "r"),
        advice: LocalizedText(vi: "r", en: "r"),
        priority: .low
    )
    rule.onDelay = 60_000
    rule.offDelay = 60_000
    var instances: [RuleInstance] = []
    for index in 0..<series {
        let input = RuleInput(signal: index)
        let other = RuleInput(signal: (index + 1) % series)
        let kinds: [AlertCondition] = [
            .threshold(input, Limits(.above, 30, deadband: 1)),
            .rate(input, Limits(.above, 6), window: 600_000, per: 3_600_000),
            .stuck(input, span: 3_600_000, tolerance: 0.01, partner: nil, partnerTolerance: 0),
            .missing([input], span: 180_000),
            .join([
                .init(inputs: [input], .above, 28), .init(inputs: [other], .below, 20, held: 60_000),
            ]),
            .threshold(input, Limits(.above, 31, byState: [.lesson: 29])),
            .forecast(input, Limits(.above, 40), step: 60_000, season: 60, horizon: 30),
            .aggregate([input, other], .mean, Limits(.above, 30), quorum: 1),
        ]
        instances += kinds.enumerated()
            .map {
                RuleInstance(rule: 0, instance: "\(index)-\($0)", node: NodeID(rawValue: "p"), condition: $1)
            }
    }
    return RuleSet(
        signals: (0..<series)
            .map {
                RuleSet.Signal(point: PointID(device: DeviceID(rawValue: "d\($0)"), name: "v"), staleAfter: 10_000)
            },
        rules: [rule],
        instances: instances,
        hours: SchoolHours(weekdays: [1, 2, 3, 4, 5, 6], lessons: [420..<465, 470..<515], utcOffsetSeconds: 25_200)
    )
}

/// A believable value, cheap to make.
func value(_ series: Int, _ round: Int) -> Double {
    let phase = (series &* 7_919 &+ round) % 600
    return 20 + Double(phase < 300 ? phase : 600 - phase) / 25 + Double((series ^ round) & 7) / 10
}

let start = Tick(milliseconds: 1_795_482_000_000)

switch arguments.first {
case "mix":
    let series = option("--series", 3_500)
    let rounds = option("--rounds", 120)
    var engine = AlertEngine(mix(series: series), at: start)
    var transitions = 0
    var durations: [Double] = []
    for round in 1...rounds {
        let now = start.advanced(byMilliseconds: Int64(round) * 1_000)
        let before = processorSeconds()
        engine.advance(to: now)
        for index in 0..<series { engine.accept(index, Sample(tick: now, value: value(index, round))) }
        transitions += engine.takeTransitions().count
        durations.append(processorSeconds() - before)
    }
    durations.sort()
    let median = durations[durations.count / 2]
    let total = durations.reduce(0, +)
    let instances = series * 8
    print(
        """
        {"instances": \(instances), "rounds": \(rounds), "medianSecondsARound": \(median), \
        "instancesPerSecond": \(Int(Double(instances * rounds) / total)), "transitions": \(transitions), \
        "residentMiB": \(Int(residentMiB()))}
        """
    )
case "gateway":
    let seconds = option("--seconds", 30)
    let series = 188
    var engine = AlertEngine(mix(series: series), at: start)
    let before = processorSeconds()
    for round in 1...seconds {
        let now = start.advanced(byMilliseconds: Int64(round) * 1_000)
        engine.advance(to: now)
        for index in 0..<series { engine.accept(index, Sample(tick: now, value: value(index, round))) }
        _ = engine.takeTransitions()
        usleep(1_000_000)
    }
    let share = 100 * (processorSeconds() - before) / Double(seconds)
    print("{\"rules\": \(series * 8), \"percentOfACore\": \(share), \"residentMiB\": \(Int(residentMiB()))}")
case "anomaly":
    let samples = option("--samples", 1_000_000)
    let rule = AlertRule(
        id: "r",
        title: LocalizedText(vi: "r", en: "r"),
        advice: LocalizedText(vi: "r", en: "r"),
        priority: .low
    )
    let set = RuleSet(
        signals: [RuleSet.Signal(point: PointID(device: DeviceID(rawValue: "d"), name: "v"), staleAfter: 10_000)],
        rules: [rule],
        instances: [
            RuleInstance(
                rule: 0,
                instance: "x",
                node: NodeID(rawValue: "p"),
                condition: .anomaly(RuleInput(signal: 0), Limits(.above, 12))
            )
        ],
        hours: SchoolHours(weekdays: [], lessons: [], utcOffsetSeconds: 0)
    )
    var engine = AlertEngine(set, at: start)
    let before = processorSeconds()
    for round in 1...samples {
        let now = start.advanced(byMilliseconds: Int64(round) * 1_000)
        engine.advance(to: now)
        engine.accept(0, Sample(tick: now, value: value(3, round)))
    }
    let nanoseconds = 1e9 * (processorSeconds() - before) / Double(samples)
    print("{\"samples\": \(samples), \"nanosecondsASample\": \(Int(nanoseconds)), \"bytesASeries\": 1160}")
default: usage()
}
