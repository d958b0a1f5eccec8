import Testing

/// One after the other: one of them takes all descriptors of the process, others measure time.
@Suite(.serialized)
enum AllModbusTests {}
