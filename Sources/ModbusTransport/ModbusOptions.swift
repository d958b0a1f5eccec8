/// How patient a bus is.
package struct ModbusOptions: Sendable, Hashable {
    /// Longest wait for a whole reply, connecting included.
    package var timeoutMilliseconds: Int
    /// Least quiet time between two requests.
    package var pauseMilliseconds: Int
    /// Quiet time after connecting, before the first request.
    package var connectPauseMilliseconds: Int
    /// RTU: how long the line is left alone after a time-out, so that a late reply cannot meet the next request.
    package var lateReplyMilliseconds: Int
    /// Time-outs or unfit replies in a row after which a unit is left alone.
    package var timeoutsToBackOff: Int
    /// How long a unit is left alone the first time; it doubles up to the maximum.
    package var backoffMilliseconds: Int
    /// The longest time that a unit is left alone.
    package var backoffMaxMilliseconds: Int
    /// Least time between two connections, and how long an endpoint that refuses them is left alone the first time.
    package var reconnectMilliseconds: Int
    /// The longest time that an endpoint is left alone.
    package var reconnectMaxMilliseconds: Int

    package init(
        timeoutMilliseconds: Int = 1_000,
        pauseMilliseconds: Int = 0,
        connectPauseMilliseconds: Int = 0,
        lateReplyMilliseconds: Int = 1_500,
        timeoutsToBackOff: Int = 2,
        backoffMilliseconds: Int = 5_000,
        backoffMaxMilliseconds: Int = 60_000,
        reconnectMilliseconds: Int = 100,
        reconnectMaxMilliseconds: Int = 5_000
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.pauseMilliseconds = pauseMilliseconds
        self.connectPauseMilliseconds = connectPauseMilliseconds
        self.lateReplyMilliseconds = lateReplyMilliseconds
        self.timeoutsToBackOff = timeoutsToBackOff
        self.backoffMilliseconds = backoffMilliseconds
        self.backoffMaxMilliseconds = backoffMaxMilliseconds
        self.reconnectMilliseconds = reconnectMilliseconds
        self.reconnectMaxMilliseconds = reconnectMaxMilliseconds
    }
}
