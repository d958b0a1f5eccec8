internal import CampusModel
internal import GRDB

extension Records {
    /// Makes the stored site equal to the configuration, in one transaction that touches only what differs.
    ///
    /// Nodes, devices and points that are no longer configured stay, marked so (devices also disabled): their history
    /// still refers to them. The flag `isConfigured` of the given rows is ignored.
    @discardableResult
    package func sync(site: SiteRows, actor: String = "configuration") throws -> SiteChanges {
        try site.check()
        return try self.write { db in
            let changes = SiteChanges(
                nodes: try Self.sync(
                    site.nodes.map { node in
                        var node = node
                        node.isConfigured = true
                        return node
                    },
                    in: db
                ),
                devices: try Self.sync(
                    site.devices.map { device in
                        var device = device
                        device.isConfigured = true
                        return device
                    },
                    in: db
                ),
                points: try Self.sync(
                    site.points.map { point in
                        var point = point
                        point.isConfigured = true
                        return point
                    },
                    in: db
                )
            )
            if !changes.isEmpty {
                let detail = [
                    "nodes": Self.text(changes.nodes), "devices": Self.text(changes.devices),
                    "points": Self.text(changes.points),
                ]
                try AuditDraft(actor: actor, action: "site.sync", subject: "site", detail: detail)
                    .append(to: db, at: self.clock.now())
            }
            return changes
        }
    }

    /// The site tree in its order; with `includingRetired` also what was removed from the configuration.
    package func siteNodes(includingRetired: Bool = false) throws -> [SiteNodeRow] {
        try self.read { try SiteNodeRow.stored(in: $0) }
            .filter { includingRetired || $0.isConfigured }
            .sorted { ($0.sort, $0.id) < ($1.sort, $1.id) }
    }

    /// The devices by identifier; with `includingRetired` also what was removed from the configuration.
    package func devices(includingRetired: Bool = false) throws -> [DeviceRow] {
        try self.read { try DeviceRow.stored(in: $0) }
            .filter { includingRetired || $0.isConfigured }
            .sorted { $0.id < $1.id }
    }

    /// The points by identifier; with `includingRetired` also what was removed from the configuration.
    package func points(includingRetired: Bool = false) throws -> [PointRow] {
        try self.read { try PointRow.stored(in: $0) }
            .filter { includingRetired || $0.isConfigured }
            .sorted { $0.id < $1.id }
    }

    private static func sync<Stored: SiteTableRow>(_ wanted: [Stored], in db: Database) throws -> SiteChanges.Counts {
        var existing: [Stored.ID: Stored] = [:]
        for row in try Stored.stored(in: db) { existing[row.id] = row }
        var counts = SiteChanges.Counts()
        for row in wanted {
            switch existing.removeValue(forKey: row.id) {
            case nil:
                counts.added += 1
                try row.put(in: db)
            case .some(let old) where old != row:
                counts.changed += 1
                try row.put(in: db)
            case .some: continue
            }
        }
        for old in existing.values where old != old.retired {
            counts.retired += 1
            try old.retired.put(in: db)
        }
        return counts
    }

    private static func text(_ counts: SiteChanges.Counts) -> String {
        "+\(counts.added) ~\(counts.changed) -\(counts.retired)"
    }
}

/// A row of one of the three tables that mirror the configuration.
private protocol SiteTableRow: Hashable, Identifiable {
    static func stored(in db: Database) throws -> [Self]
    /// The row as it is kept when the configuration no longer has it.
    var retired: Self { get }
    func put(in db: Database) throws
}

extension SiteNodeRow: SiteTableRow, Identifiable {
    static func stored(in db: Database) throws -> [SiteNodeRow] {
        try Row.fetchAll(db, sql: "SELECT * FROM nodes")
            .map { row in
                SiteNodeRow(
                    id: NodeID(rawValue: row["id"]),
                    parent: (row["parent"] as String?).map(NodeID.init(rawValue:)),
                    kind: row["kind"],
                    roomKind: row["room_kind"],
                    name: LocalizedText(vi: row["name_vi"], en: row["name_en"]),
                    sort: row["sort"],
                    isConfigured: row["configured"]
                )
            }
    }

    var retired: SiteNodeRow {
        var row = self
        row.isConfigured = false
        return row
    }

    func put(in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO nodes (id, parent, kind, room_kind, name_vi, name_en, sort, configured)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, kind = excluded.kind,
                    room_kind = excluded.room_kind, name_vi = excluded.name_vi, name_en = excluded.name_en,
                    sort = excluded.sort, configured = excluded.configured
                """
        )
        try statement.execute(arguments: [
            self.id.rawValue, self.parent?.rawValue, self.kind, self.roomKind, self.name.vi, self.name.en, self.sort,
            self.isConfigured,
        ])
    }
}

extension DeviceRow: SiteTableRow, Identifiable {
    static func stored(in db: Database) throws -> [DeviceRow] {
        try Row.fetchAll(db, sql: "SELECT * FROM devices")
            .map { row in
                DeviceRow(
                    id: DeviceID(rawValue: row["id"]),
                    node: NodeID(rawValue: row["node"]),
                    profile: row["profile"],
                    addressJSON: row["address"],
                    name: LocalizedText(vi: row["name_vi"], en: row["name_en"]),
                    asset: row["asset"],
                    isEnabled: row["enabled"],
                    isConfigured: row["configured"]
                )
            }
    }

    var retired: DeviceRow {
        var row = self
        row.isEnabled = false
        row.isConfigured = false
        return row
    }

    func put(in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO devices (id, node, profile, address, name_vi, name_en, asset, enabled, configured)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET node = excluded.node, profile = excluded.profile,
                    address = excluded.address, name_vi = excluded.name_vi, name_en = excluded.name_en,
                    asset = excluded.asset, enabled = excluded.enabled, configured = excluded.configured
                """
        )
        try statement.execute(arguments: [
            self.id.rawValue, self.node.rawValue, self.profile, self.addressJSON, self.name.vi, self.name.en,
            self.asset, self.isEnabled, self.isConfigured,
        ])
    }
}

extension PointRow: SiteTableRow, Identifiable {
    static func stored(in db: Database) throws -> [PointRow] {
        try Row.fetchAll(db, sql: "SELECT * FROM points")
            .map { row in
                PointRow(
                    id: PointID(device: DeviceID(rawValue: row["device"]), name: row["name"]),
                    unit: row["unit"],
                    title: LocalizedText(vi: row["title_vi"], en: row["title_en"]),
                    privacy: PrivacyClass(rawValue: row["privacy"]) ?? .drop,
                    isConfigured: row["configured"]
                )
            }
    }

    var retired: PointRow {
        var row = self
        row.isConfigured = false
        return row
    }

    func put(in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO points (device, name, unit, title_vi, title_en, privacy, configured)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (device, name) DO UPDATE SET unit = excluded.unit, title_vi = excluded.title_vi,
                    title_en = excluded.title_en, privacy = excluded.privacy, configured = excluded.configured
                """
        )
        try statement.execute(arguments: [
            self.id.device.rawValue, self.id.name, self.unit, self.title.vi, self.title.en, self.privacy.rawValue,
            self.isConfigured,
        ])
    }
}
