import Glibc

/// Nanoseconds of a clock that never steps.
func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Nanoseconds of processor that this process has used, all threads together.
func processorNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

func report(_ figure: String, _ value: Double, _ unit: String) {
    let text = (value * 1_000).rounded() / 1_000
    print("{\"figure\": \"\(figure)\", \"value\": \(text), \"unit\": \"\(unit)\"}")
    fflush(nil)
}

/// The median of several runs of `body`, in nanoseconds.
func median(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
    var times: [UInt64] = []
    for _ in 0..<runs {
        let start = nanoseconds()
        try body()
        times.append(nanoseconds() - start)
    }
    return Double(times.sorted()[runs / 2])
}

/// A field of `/proc/self/status`, in MiB.
func residentMebibytes(_ field: String) -> Double {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("\(field):") else { continue }
        let number = text.drop { !$0.isNumber }.prefix { $0.isNumber }
        return Double(number).map { $0 / 1_024 } ?? 0
    }
    return 0
}

struct BenchmarkError: Error, CustomStringConvertible {
    var description: String
}

/// The numbers of `Benchmarks/ring-data`.
struct DataSet {
    let names: [String]
    let seconds: Int
    let firstTick: Int64
    let values: [UnsafeMutablePointer<Double>]

    init(path: String) throws {
        guard let file = fopen(path, "r") else { throw BenchmarkError(description: "\(path) cannot be opened") }
        defer { fclose(file) }
        func bytes(_ count: Int) throws -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: count)
            guard fread(&buffer, 1, count, file) == count else {
                throw BenchmarkError(description: "\(path) ends too early; make it with Benchmarks/ring-data")
            }
            return buffer
        }
        let head = try bytes(24)
        guard String(decoding: head[0..<8], as: UTF8.self) == "CRDATA01" else {
            throw BenchmarkError(description: "\(path) is no data set of Benchmarks/ring-data")
        }
        let (series, seconds, firstTick) = head.withUnsafeBytes {
            (
                Int($0.loadUnaligned(fromByteOffset: 8, as: UInt32.self)),
                Int($0.loadUnaligned(fromByteOffset: 12, as: UInt32.self)),
                $0.loadUnaligned(fromByteOffset: 16, as: Int64.self)
            )
        }
        var names: [String] = []
        var values: [UnsafeMutablePointer<Double>] = []
        for _ in 0..<series {
            let length = try bytes(2)
            names.append(String(decoding: try bytes(Int(length[0]) | Int(length[1]) << 8), as: UTF8.self))
            let column = UnsafeMutablePointer<Double>.allocate(capacity: seconds)
            guard fread(column, 8, seconds, file) == seconds else {
                throw BenchmarkError(description: "\(path) ends too early; make it with Benchmarks/ring-data")
            }
            values.append(column)
        }
        self.names = names
        self.seconds = seconds
        self.firstTick = firstTick
        self.values = values
    }
}

/// Writes a line to standard error.
func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

/// A folder in memory, as the ring's memory has in service, gone when the value is.
final class MemoryFolder {
    let path = "/dev/shm/ring-benchmark-\(getpid())"

    init() { mkdir(self.path, 0o700) }

    /// As after a power cut.
    func forget() { unlink("\(self.path)/ring.memory") }

    deinit {
        self.forget()
        rmdir(self.path)
    }
}
