internal import CampusModel
internal import Glibc

/// What opening a ring does with the files that it finds.
enum RingOpening {
    /// The first page of the hot file, besides which all sizes follow.
    private struct Geometry {
        var magic: UInt64
        var seriesMax: UInt64
        var blocksPerSeries: UInt64
        var minutesPerSeries: UInt64
        var checksum: UInt64

        init(_ layout: RingLayout) {
            self.magic = RingLayout.magic
            self.seriesMax = UInt64(layout.seriesMax)
            self.blocksPerSeries = UInt64(layout.blocksPerSeries)
            self.minutesPerSeries = UInt64(layout.minutesPerSeries)
            self.checksum = 0
            self.checksum = self.sum
        }

        var sum: UInt64 {
            var hash: UInt64 = 14_695_981_039_346_656_037
            for word in [self.magic, self.seriesMax, self.blocksPerSeries, self.minutesPerSeries] {
                hash = (hash ^ word) &* 1_099_511_628_211
            }
            return hash
        }
    }

    static func writeGeometry(_ layout: RingLayout, to base: UnsafeMutableRawPointer) {
        base.storeBytes(of: Geometry(layout), as: Geometry.self)
    }

    /// Renames the files of a ring with another geometry, or with a damaged first page, so that nothing is overwritten.
    static func setAsideIfOther(folder: String, layout: RingLayout, report: inout RingOpenReport) {
        let path = "\(folder)/hot"
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var found = Geometry(layout)
        let count = withUnsafeMutableBytes(of: &found) { pread(descriptor, $0.baseAddress, $0.count, 0) }
        var status = stat()
        let isWhole =
            count == MemoryLayout<Geometry>.size && fstat(descriptor, &status) == 0
            && Int(status.st_size) == layout.hotBytes
        let expected = Geometry(layout)
        if isWhole, found.magic == expected.magic, found.checksum == expected.checksum, found.checksum == found.sum,
            self.size(of: "\(folder)/cold") == layout.coldBytes,
            self.size(of: "\(folder)/minutes") == layout.minuteBytes,
            self.size(of: "\(folder)/names") == layout.nameFileBytes
        {
            return
        }
        let isRing = found.magic == RingLayout.magic && found.checksum == found.sum
        let reason = isRing ? "was made with other sizes" : "has a damaged first page"
        for number in 1...999 {
            let suffix = ".set-aside-\(number)"
            guard access(path + suffix, F_OK) != 0 else { continue }
            for name in ["hot", "cold", "minutes", "names"] {
                rename("\(folder)/\(name)", "\(folder)/\(name)\(suffix)")
            }
            report.problems.append(
                "the ring in \(folder) \(reason); its files were kept as *\(suffix) and a new ring begun"
            )
            return
        }
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : -1
    }

    /// Writes the name of a series; returns whether the file took it.
    static func writeName(_ bytes: [UInt8], _ index: Int, to file: RingFile) -> Bool {
        var record = [UInt8](repeating: 0, count: RingLayout.nameBytes)
        record[0] = UInt8(bytes.count)
        record.replaceSubrange(1..<(1 + bytes.count), with: bytes)
        let sum = self.checksum(record[0..<(1 + bytes.count)])
        withUnsafeBytes(of: sum.littleEndian) { record.replaceSubrange(184..<192, with: $0) }
        return record.withUnsafeBytes { bytes in
            bytes.baseAddress.map { file.write($0, count: bytes.count, at: index * RingLayout.nameBytes) } ?? false
        }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    /// Reads the names and repairs the heads; a series whose name or head is damaged keeps its number, is emptied and
    /// told.
    static func restore(
        _ layout: RingLayout,
        hot: UnsafeMutableRawPointer,
        names: RingFile,
        report: inout RingOpenReport
    ) -> TimeSeriesRing.Directory {
        var directory = TimeSeriesRing.Directory()
        var record = [UInt8](repeating: 0, count: RingLayout.nameBytes)
        for index in 0..<layout.seriesMax {
            let isRead = record.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map {
                    names.read($0, count: bytes.count, at: index * RingLayout.nameBytes)
                } ?? false
            }
            let header = (hot + layout.header(index)).assumingMemoryBound(to: SeriesHeader.self)
            guard isRead, record[0] != 0 || header.pointee.isUsed != 0 else { break }
            let length = Int(record[0])
            let stored = record.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 184, as: UInt64.self) }
            let isNameGood =
                (1...160).contains(length)
                && UInt64(littleEndian: stored) == self.checksum(record[0..<(1 + length)])
            var name = isNameGood ? String(decoding: record[1..<(1 + length)], as: UTF8.self) : "damaged-\(index)"
            if !isNameGood {
                report.problems.append("the name of series \(index) is damaged; its history is kept as \(name)")
            }
            if directory.index[name] != nil { name = "\(name)#\(index)" }
            if !header.pointee.isSane(layout) {
                header.pointee = .empty
                header.pointee.isUsed = 1
                report.problems.append("the head of series \(name) is damaged; its history starts anew")
            }
            directory.index[name] = SeriesIndex(rawValue: UInt32(index))
            report.seriesRestored += 1
            report.samplesRestored += min(
                header.pointee.stored,
                UInt64((layout.blocksPerSeries + 1) * RingLayout.blockSamples)
            )
        }
        return directory
    }
}
