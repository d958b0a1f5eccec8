internal import Glibc

/// The ring's files in their folder.
enum RingFiles {
    static let dataName = "ring.data"

    /// Makes the folders and sets aside what is of another ring; returns the data file's path.
    static func prepare(
        _ configuration: TimeSeriesRing.Configuration,
        _ geometry: RingGeometry,
        _ report: inout RingOpenReport
    ) throws(RingError) -> String {
        for folder in [configuration.directory, configuration.memoryDirectory].compactMap({ $0 }) {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw RingError.system("cannot make", folder) }
        }
        let path = "\(configuration.directory)/\(self.dataName)"
        // The first cut of the ring had four files of their own.
        if access("\(configuration.directory)/hot", F_OK) == 0 {
            let names = ["hot", "cold", "minutes", "names"]
            self.setAside(names, in: configuration.directory, "is of an earlier version", &report)
        }
        guard access(path, F_OK) == 0 else { return path }
        if let found = self.geometry(of: path) {
            if found != geometry {
                self.setAside([self.dataName], in: configuration.directory, "has other sizes", &report)
            }
        } else if self.size(of: path) != geometry.totalBytes {
            self.setAside([self.dataName], in: configuration.directory, "has no readable superblock", &report)
        }
        return path
    }

    /// The geometry that a readable superblock of a file tells.
    static func geometry(of path: String) -> RingGeometry? {
        let size = self.size(of: path)
        guard size > 0, let device = try? FileDevice(path: path, size: size, zeroed: 0, isReadOnly: true) else {
            return nil
        }
        return RingOpening.superblock(on: device)?.geometry
    }

    static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : -1
    }

    private static func setAside(
        _ names: [String],
        in folder: String,
        _ reason: String,
        _ report: inout RingOpenReport
    ) {
        for number in 1...999 {
            let suffix = ".set-aside-\(number)"
            guard names.allSatisfy({ access("\(folder)/\($0)\(suffix)", F_OK) != 0 }) else { continue }
            for name in names { rename("\(folder)/\(name)", "\(folder)/\(name)\(suffix)") }
            report.problems.append(
                "the ring in \(folder) \(reason); its files were kept as *\(suffix) and a new ring begun"
            )
            return
        }
    }
}
