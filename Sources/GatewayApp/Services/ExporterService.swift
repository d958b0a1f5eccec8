internal import Acquisition
internal import CampusModel
internal import Exporters
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import SiteConfiguration
internal import Synchronization
internal import TimeSeriesRing

/// Runs the exporters of the configuration; those that did not change keep their connections at a reload.
final class ExporterService: Service {
    private let source: RingSource
    private let folder: String
    private let seriesMax: Int
    private let timer: any ExportTimer
    private let devices: @Sendable () -> [SparkplugDevice]
    private let logger: Logger
    private let current = Mutex<[Running]>([])
    private let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    private struct Running: Sendable {
        var definition: ExporterDefinition
        var exporter: Exporter
    }

    init(
        ring: TimeSeriesRing,
        source: RingSource,
        state: StateFolder,
        seriesMax: Int,
        clock: any TickClock,
        devices: @escaping @Sendable () -> [SparkplugDevice],
        logger: Logger
    ) {
        self.source = source
        self.folder = state.file("exporters")
        self.seriesMax = seriesMax
        self.timer = SystemExportTimer(clock: clock)
        self.devices = devices
        self.logger = logger
        (self.changes, self.changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        ring.observeLate { [weak self] series, tick in
            for exporter in self?.exporters ?? [] { exporter.observeLate(series: Int(series.rawValue), tick: tick) }
        }
    }

    /// The exporters as they are configured now.
    var exporters: [Exporter] { self.current.withLock { $0.map(\.exporter) } }

    /// Takes the exporters of a configuration.
    ///
    /// - Returns: What could not be done, one line a problem; the others run.
    func apply(_ definitions: [ExporterDefinition], site: String) -> [String] {
        var problems: [String] = []
        let old = self.current.withLock { $0 }
        var new: [Running] = []
        // Written before a successor of the same name reads it.
        for known in old where !definitions.contains(known.definition) { known.exporter.handOver() }
        for definition in definitions {
            if let known = old.first(where: { $0.definition == definition }) {
                new.append(known)
                continue
            }
            do {
                new.append(Running(definition: definition, exporter: try self.exporter(definition, site: site)))
            } catch {
                problems.append("exporter \(definition.name): \(error)")
            }
        }
        self.current.withLock { $0 = new }
        self.changed.yield()
        return problems
    }

    private func exporter(_ definition: ExporterDefinition, site: String) throws -> Exporter {
        try FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return Exporter(
            name: definition.name,
            kind: definition.kind.rawValue,
            options: ExporterOptions(definition),
            source: self.source,
            sink: try ExportSinks.sink(
                definition,
                context: .init(site: site, timer: self.timer, devices: self.devices),
                logger: self.logger
            ),
            cursor: try CursorFile(path: "\(self.folder)/\(definition.name).cursor", capacity: self.seriesMax),
            history: StatementHistory(path: "\(self.folder)/\(definition.name).outages"),
            timer: self.timer,
            logger: self.logger
        )
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                var tasks: [ObjectIdentifier: Task<Void, Never>] = [:]
                var iterator = self.changes.makeAsyncIterator()
                repeat {
                    let wanted = self.exporters
                    let identifiers = Set(wanted.map { ObjectIdentifier($0) })
                    for (id, task) in tasks where !identifiers.contains(id) {
                        task.cancel()
                        tasks[id] = nil
                    }
                    for exporter in wanted where tasks[ObjectIdentifier(exporter)] == nil {
                        let task = Task { await exporter.run() }
                        tasks[ObjectIdentifier(exporter)] = task
                        group.addTask {
                            await withTaskCancellationHandler {
                                await task.value
                            } onCancel: {
                                task.cancel()
                            }
                        }
                    }
                } while await iterator.next() != nil
                group.cancelAll()
            }
        }
    }
}

extension ExporterOptions {
    fileprivate init(_ definition: ExporterDefinition) {
        self.init()
        self.intervalMilliseconds = definition.intervalMilliseconds
        self.requestSamplesMax = definition.requestSamplesMax
        self.requestBytesMax = definition.requestBytesMax
        self.replaySamplesPerSecond = definition.replaySamplesPerSecond
        self.checkpointMilliseconds = definition.checkpointMilliseconds
        self.backlogBytesMax = Int64(definition.backlogBytesMax)
        self.maximumAgeMilliseconds = definition.maximumAgeMilliseconds
    }
}
