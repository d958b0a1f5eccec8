internal import Glibc

/// Blocks the calling thread; only for threads that belong to one bus or one played connection.
package func blockingSleep(milliseconds: Int) {
    guard milliseconds > 0 else { return }
    var remaining = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    while true {
        var left = timespec()
        guard nanosleep(&remaining, &left) != 0, errno == EINTR else { return }
        remaining = left
    }
}

/// `CLOCK_BOOTTIME` in nanoseconds.
package func boottimeNanoseconds() -> UInt64 {
    var time = timespec()
    guard clock_gettime(CLOCK_BOOTTIME, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
