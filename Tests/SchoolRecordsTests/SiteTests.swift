import CampusModel
import Testing

@testable import SchoolRecords

@Suite struct SiteTests {
    let folder: TemporaryFolder
    let records: Records

    init() throws {
        self.folder = try TemporaryFolder()
        self.records = try Fixture.records(in: self.folder)
    }

    @Test func firstSyncStoresEverything() throws {
        let changes = try self.records.sync(site: .example)
        #expect(
            changes == SiteChanges(nodes: .init(added: 4), devices: .init(added: 2), points: .init(added: 3))
        )
        #expect(try self.records.siteNodes() == SiteRows.example.nodes.sorted { ($0.sort, $0.id) < ($1.sort, $1.id) })
        #expect(try self.records.devices() == SiteRows.example.devices)
        #expect(try self.records.points() == SiteRows.example.points)
    }

    @Test func sameAgainWritesNothing() throws {
        try self.records.sync(site: .example)
        let audited = try self.records.auditEntries().items.count
        #expect(try self.records.sync(site: .example).isEmpty)
        #expect(try self.records.auditEntries().items.count == audited)
    }

    @Test func onlyWhatDiffersChanges() throws {
        try self.records.sync(site: .example)
        var site = SiteRows.example
        site.nodes[2].name = LocalizedText(vi: "Phòng 101 mới", en: "Room 101 new")
        site.devices[0].node = NodeID(rawValue: "r102")
        #expect(
            try self.records.sync(site: site) == SiteChanges(nodes: .init(changed: 1), devices: .init(changed: 1))
        )
        #expect(try self.records.devices()[0].node.rawValue == "r102")
    }

    @Test func removedDevicesStayDisabledAndComeBack() throws {
        try self.records.sync(site: .example)
        var site = SiteRows.example
        site.devices.removeLast()
        site.points.removeAll { $0.id.device.rawValue == "reader" }
        #expect(
            try self.records.sync(site: site) == SiteChanges(devices: .init(retired: 1), points: .init(retired: 1))
        )
        #expect(try self.records.sync(site: site).isEmpty)
        #expect(try self.records.devices().map(\.id.rawValue) == ["am103"])
        let old = try #require(try self.records.devices(includingRetired: true).last)
        #expect(old.id.rawValue == "reader")
        #expect(!old.isEnabled && !old.isConfigured)
        #expect(
            try self.records.sync(site: .example) == SiteChanges(devices: .init(changed: 1), points: .init(changed: 1))
        )
        #expect(try self.records.devices().map(\.isEnabled) == [true, true])
    }

    @Test func childrenMayComeBeforeParents() throws {
        var site = SiteRows.example
        site.nodes.reverse()
        #expect(try self.records.sync(site: site).nodes.added == 4)
        #expect(try self.records.integrityCheck() == [])
    }

    @Test(arguments: [
        SiteRows(nodes: [.node("a", in: "b"), .node("b", in: "a")], devices: [], points: []),
        SiteRows(nodes: [.node("a", in: "a")], devices: [], points: []),
        SiteRows(nodes: [.node("a", in: "missing")], devices: [], points: []),
        SiteRows(nodes: [.node("a", in: nil), .node("a", in: nil)], devices: [], points: []),
        SiteRows(nodes: [], devices: [SiteRows.example.devices[0]], points: []),
        SiteRows(nodes: [], devices: [], points: [SiteRows.example.points[0]]),
        SiteRows(
            nodes: SiteRows.example.nodes,
            devices: [SiteRows.example.devices[0], SiteRows.example.devices[0]],
            points: []
        ),
    ])
    func impossibleSitesAreRefusedWhole(site: SiteRows) throws {
        try self.records.sync(site: .example)
        do {
            try self.records.sync(site: site)
            Issue.record("stored an impossible site")
        } catch let error as RecordsError { #expect(error.code == .invalid) }
        #expect(try self.records.devices() == SiteRows.example.devices)
    }

    @Test func addressThatIsNotJSONIsRefusedWhole() throws {
        var site = SiteRows.example
        site.devices[0].addressJSON = "{"
        #expect(throws: RecordsError.self) { try self.records.sync(site: site) }
        #expect(try self.records.siteNodes().isEmpty)
    }

    @Test func deepTreesNeedNoStack() throws {
        let nodes = (0..<20_000).map { SiteNodeRow.node("n\($0)", in: $0 == 0 ? nil : "n\($0 - 1)") }
        try SiteRows(nodes: nodes.reversed(), devices: [], points: []).check()
    }
}

extension SiteNodeRow {
    static func node(_ id: String, in parent: String?, kind: String = "room", sort: Int = 0) -> SiteNodeRow {
        SiteNodeRow(
            id: NodeID(rawValue: id),
            parent: parent.map { NodeID(rawValue: $0) },
            kind: kind,
            name: LocalizedText(vi: id, en: id),
            sort: sort
        )
    }
}

extension SiteRows {
    /// A site with one floor of two rooms, an air sensor and a card reader.
    static let example = SiteRows(
        nodes: [
            .node("site", in: nil, kind: "site"), .node("floor1", in: "site", kind: "floor", sort: 1),
            .node("r101", in: "floor1", sort: 2), .node("r102", in: "floor1", sort: 3),
        ],
        devices: [
            DeviceRow(
                id: DeviceID(rawValue: "am103"),
                node: NodeID(rawValue: "r101"),
                profile: "milesight-am103",
                addressJSON: #"{"topic":"am103/up"}"#,
                name: LocalizedText(vi: "Cảm biến không khí", en: "Air sensor"),
                asset: "TS-0001"
            ),
            DeviceRow(
                id: DeviceID(rawValue: "reader"),
                node: NodeID(rawValue: "r102"),
                profile: "acme-reader",
                addressJSON: "{}",
                name: LocalizedText(vi: "Đầu đọc thẻ", en: "Card reader")
            ),
        ],
        points: [
            PointRow(
                id: PointID(device: DeviceID(rawValue: "am103"), name: "co2"),
                unit: "[ppm]",
                title: LocalizedText(vi: "CO₂", en: "CO₂")
            ),
            PointRow(
                id: PointID(device: DeviceID(rawValue: "am103"), name: "temperature"),
                unit: "Cel",
                title: LocalizedText(vi: "Nhiệt độ", en: "Temperature")
            ),
            PointRow(
                id: PointID(device: DeviceID(rawValue: "reader"), name: "temperature"),
                unit: "Cel",
                title: LocalizedText(vi: "Nhiệt độ", en: "Temperature")
            ),
        ]
    )
}
