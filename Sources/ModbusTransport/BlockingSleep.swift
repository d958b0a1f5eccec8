internal import Glibc

/// Blocks the calling thread; only for threads that belong to one bus or one played connection.
func blockingSleep(milliseconds: Int) {
    guard milliseconds > 0 else { return }
    var remaining = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    while true {
        var left = timespec()
        guard nanosleep(&remaining, &left) != 0, errno == EINTR else { return }
        remaining = left
    }
}
