import Glibc

// What the ring takes and gives, measured in this process; `Benchmarks/ring` puts it beside its peers.
//
//   ring-benchmark bulk DATA.bin FOLDER             a data set of `Benchmarks/ring-data`, appended, sealed and read
//   ring-benchmark open FOLDER --gigabytes N        a ring of that size, opened
//   ring-benchmark realtime FOLDER [--series N] [--seconds N] [--commit SECONDS]
//
// Each figure is one line of JSON.

func usage() -> Never {
    complain(
        """
        usage: ring-benchmark bulk DATA.bin FOLDER
               ring-benchmark open FOLDER --gigabytes N
               ring-benchmark realtime FOLDER [--series N] [--seconds N] [--commit SECONDS]
        """
    )
    exit(2)
}

let arguments = Array(CommandLine.arguments.dropFirst())

func option(_ name: String, _ standard: Int) -> Int {
    guard let place = arguments.firstIndex(of: name) else { return standard }
    guard place + 1 < arguments.count, let number = Int(arguments[place + 1]), number > 0 else { usage() }
    return number
}

do {
    switch arguments.first {
    case "bulk" where arguments.count == 3:
        try BulkBenchmark(data: DataSet(path: arguments[1]), folder: arguments[2]).run()
    case "open" where arguments.count >= 2:
        try OpenBenchmark(folder: arguments[1], gigabytes: option("--gigabytes", 1)).run()
    case "realtime" where arguments.count >= 2:
        try RealtimeBenchmark(
            folder: arguments[1],
            series: option("--series", 100),
            seconds: option("--seconds", 240),
            commitSeconds: option("--commit", 5)
        )
        .run()
    default: usage()
    }
} catch {
    complain("\(error)")
    exit(1)
}
