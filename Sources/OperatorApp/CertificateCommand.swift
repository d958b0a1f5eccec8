internal import ArgumentParser
internal import Foundation

/// The command `campusctl certificate`.
struct CertificateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate",
        abstract: "Make an authority and certificates for pages, broker and devices, with openssl.",
        discussion: """
            The first call makes ca.pem and the gateway's certificate: name gateway.pem and gateway.key in gateway.yaml \
            under web.tls and broker.tls, and give ca.pem to browsers and devices. With --client NAME it makes \
            certificates for devices, signed by the authority that is there; they are asked for when broker.tls.authority \
            names ca.pem.
            """
    )

    @Argument(help: "Folder to write to.")
    var folder: String

    @Option(help: "Host name or address of the gateway; may be given several times.")
    var host: [String] = ["localhost"]

    @Option(help: "Make a certificate for this device instead; may be given several times.")
    var client: [String] = []

    @Option(help: "Days that the certificates are valid, 1 to 825.")
    var days = 365

    func validate() throws {
        guard (1...825).contains(self.days) else { throw ValidationError("--days takes 1 to 825") }
        for name in self.host + self.client where !Self.isName(name) {
            throw ValidationError("'\(name)' is no name: letters, digits, '.', '-', '_' and ':' are, 64 at most")
        }
    }

    /// Names become parts of file names and of certificate extensions.
    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && !name.hasPrefix(".") && !name.hasPrefix("-")
            && name.utf8.allSatisfy { byte in
                switch UInt8(byte) {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }

    func run() throws {
        let authority = Authority(folder: self.folder, days: self.days)
        guard self.client.isEmpty else {
            guard authority.has("ca.pem"), authority.has("ca.key") else {
                throw OperatorError(
                    "\(self.folder) has no ca.pem and ca.key; make them first with: campusctl certificate \(self.folder)"
                )
            }
            for name in self.client {
                try authority.issue(name, subject: name, extensions: "extendedKeyUsage=clientAuth")
                print("made \(self.folder)/\(name).pem and \(name).key")
            }
            return
        }
        try FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let names = self.host.map { Self.isAddress($0) ? "IP:\($0)" : "DNS:\($0)" } + ["IP:127.0.0.1"]
        if authority.has("gateway.pem") { throw Authority.exists("\(self.folder)/gateway.pem") }
        if !authority.has("ca.pem") { try authority.make() }
        try authority.issue(
            "gateway",
            subject: self.host.first ?? "localhost",
            extensions: "subjectAltName=\(names.joined(separator: ","))\nextendedKeyUsage=serverAuth,clientAuth"
        )
        print("made \(self.folder)/gateway.pem and gateway.key, signed by ca.pem; keep ca.key somewhere else")
    }

    private static func isAddress(_ host: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
    }
}

/// A certificate authority in a folder: `ca.pem`, `ca.key`.
private struct Authority {
    let folder: String
    let days: Int

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    static func exists(_ path: String) -> OperatorError {
        OperatorError("\(path) is there already; nothing was changed")
    }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(self.folder)/\(name)") }

    func make() throws {
        try self.openssl(
            ["req", "-x509"] + Self.newKey + [
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=Campus Gateway CA",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ]
        )
        try self.protect("ca.key")
    }

    /// Writes `NAME.key` and `NAME.pem`; the latter holds the whole chain, so that it is also what to trust.
    func issue(_ name: String, subject: String, extensions: String) throws {
        guard !self.has("\(name).pem"), !self.has("\(name).key") else {
            throw Self.exists("\(self.folder)/\(name).pem")
        }
        defer {
            for suffix in ["csr", "ext"] { try? FileManager.default.removeItem(atPath: self.path("\(name).\(suffix)")) }
        }
        try self.openssl(
            ["req"] + Self.newKey + ["-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(subject)"]
        )
        try self.protect("\(name).key")
        try (extensions + "\n").write(toFile: self.path("\(name).ext"), atomically: true, encoding: .utf8)
        try self.openssl([
            "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "\(name).pem", "-days", "\(self.days)", "-extfile", "\(name).ext",
        ])
        let chain = try ["\(name).pem", "ca.pem"].map { try String(contentsOfFile: self.path($0), encoding: .utf8) }
        try chain.joined().write(toFile: self.path("\(name).pem"), atomically: true, encoding: .utf8)
    }

    private func path(_ name: String) -> String { "\(self.folder)/\(name)" }

    private func protect(_ name: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.path(name))
    }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: self.folder)
        let errors = Pipe()
        process.standardError = errors
        do { try process.run() } catch { throw OperatorError("openssl is missing: apt-get install openssl") }
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw OperatorError("openssl failed: \(String(decoding: text, as: UTF8.self))")
        }
    }
}
