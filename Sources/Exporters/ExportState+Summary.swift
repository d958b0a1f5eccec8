internal import CampusModel

extension ExportState {
    /// The figures for `/metrics`, the API and `campusctl`.
    func summary(_ source: some SampleSource, now: Tick) -> ExporterStatistics {
        var statistics = self.statistics
        statistics.sent = self.record.sent
        statistics.replayed = self.record.replayed
        statistics.dropped = self.record.dropped
        statistics.lastAcknowledged = self.record.lastAcknowledged
        statistics.backlogBytes = self.backlogBytes(source)
        var oldest: Tick?
        for (index, entry) in self.series.enumerated() where entry.place.pending > 0 {
            statistics.backlogSamples += Int(entry.place.pending)
            if entry.lane == .backlog { statistics.backlogSeries += 1 }
            var first: [Sample] = []
            source.read(index, after: entry.place.watermark, limit: 1, into: &first)
            if let tick = first.first?.tick { oldest = min(oldest ?? tick, tick) }
        }
        if let oldest { statistics.backlogSeconds = max(0, Double(now.rawValue - oldest.rawValue) / 1_000) }
        statistics.droppedSeries = self.series.indices.filter { self.series[$0].place.dropped > 0 }
            .sorted { self.series[$0].place.dropped > self.series[$1].place.dropped }
            .prefix(20)
            .map { .init(name: source.name(of: $0), count: self.series[$0].place.dropped) }
        return statistics
    }
}
