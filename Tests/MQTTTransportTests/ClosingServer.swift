import Foundation
import Synchronization

/// Listens on loopback and closes every connection at once.
final class ClosingServer: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let count = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)

    struct Failed: Error {}

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isBound else { throw Failed() }
        self.descriptor = descriptor
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while !self.isStopped.load(ordering: .relaxed) {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                close(client)
                self.count.add(1, ordering: .relaxed)
            }
        }
    }

    var accepted: Int { self.count.load(ordering: .relaxed) }

    func stop() {
        self.isStopped.store(true, ordering: .relaxed)
        shutdown(self.descriptor, Int32(SHUT_RDWR))
        close(self.descriptor)
    }
}
