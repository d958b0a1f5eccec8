internal import CampusModel
internal import GRDB

/// The tables, and how a database becomes the newest version.
///
/// Described in `docs/formats/records.md`.
enum Schema {
    /// Brings the database to this version; refuses one that a newer gateway wrote or that has another site key.
    static func migrate(_ pool: DatabasePool, siteKey: SiteKey, at now: Tick, setAside: [String]) throws {
        let migrator = Self.migrator(siteKey: siteKey, at: now, setAside: setAside)
        let isSuperseded = try pool.read { try migrator.hasBeenSuperseded($0) }
        guard !isSuperseded else {
            throw RecordsError(
                .newerVersion,
                "the records were written by a newer gateway; install that version, or restore an older backup"
            )
        }
        try migrator.migrate(pool)
        let proof = try pool.read { try String.fetchOne($0, sql: "SELECT proof FROM site_key") }
        guard proof == Self.proof(of: siteKey) else {
            throw RecordsError(
                .wrongSiteKey,
                "the site key is not the one that these records were made with; restore the key file from the backup"
            )
        }
    }

    private static func proof(of siteKey: SiteKey) -> String { siteKey.digest(of: [], purpose: "site key proof") }

    private static func migrator(siteKey: SiteKey, at now: Tick, setAside: [String]) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1") { db in
            for statements in [Self.site, Self.people, Self.audit, Self.history] { try db.execute(sql: statements) }
            try db.execute(sql: "INSERT INTO site_key (id, proof) VALUES (1, ?)", arguments: [Self.proof(of: siteKey)])
            let detail = setAside.isEmpty ? [:] : ["setAside": setAside.joined(separator: " ")]
            try AuditDraft(actor: "gateway", action: "records.create", subject: "records", detail: detail)
                .append(to: db, at: now)
        }
        migrator.registerMigration("alerts") { db in try db.execute(sql: Self.alerts) }
        return migrator
    }

    private static let alerts = """
        CREATE TABLE alert_states (
            rule TEXT NOT NULL,
            instance TEXT NOT NULL,
            node TEXT NOT NULL,
            snapshot TEXT NOT NULL CHECK (json_valid(snapshot)),
            PRIMARY KEY (rule, instance)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE alert_transitions (
            seq INTEGER PRIMARY KEY,
            tick INTEGER NOT NULL,
            rule TEXT NOT NULL,
            instance TEXT NOT NULL,
            kind TEXT NOT NULL,
            activation INTEGER NOT NULL,
            state TEXT NOT NULL,
            active INTEGER NOT NULL CHECK (active IN (0, 1)),
            acknowledged INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),
            priority TEXT NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'critical')),
            life_safety INTEGER NOT NULL CHECK (life_safety IN (0, 1)),
            node TEXT NOT NULL,
            incident INTEGER NOT NULL,
            value REAL,
            threshold REAL,
            timetable TEXT NOT NULL,
            actor TEXT NOT NULL,
            note TEXT,
            until INTEGER
        ) STRICT;
        CREATE INDEX alert_transitions_alert ON alert_transitions (rule, instance, seq);
        CREATE INDEX alert_transitions_tick ON alert_transitions (tick);
        CREATE TABLE outbox (
            seq INTEGER PRIMARY KEY REFERENCES alert_transitions (seq),
            critical INTEGER NOT NULL CHECK (critical IN (0, 1))
        ) STRICT;
        CREATE TABLE alert_progress (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            seq INTEGER NOT NULL,
            processed INTEGER NOT NULL,
            incident INTEGER NOT NULL
        ) STRICT;
        INSERT INTO alert_progress (id, seq, processed, incident) VALUES (1, 0, 0, 0);
        """

    private static let site = """
        CREATE TABLE site_key (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            proof TEXT NOT NULL
        ) STRICT;
        CREATE TABLE nodes (
            id TEXT PRIMARY KEY NOT NULL,
            parent TEXT REFERENCES nodes (id) DEFERRABLE INITIALLY DEFERRED,
            kind TEXT NOT NULL CHECK (kind IN ('city', 'cluster', 'commune', 'site', 'building', 'floor', 'room')),
            room_kind TEXT,
            name_vi TEXT NOT NULL,
            name_en TEXT NOT NULL,
            sort INTEGER NOT NULL,
            configured INTEGER NOT NULL CHECK (configured IN (0, 1))
        ) STRICT;
        CREATE INDEX nodes_parent ON nodes (parent);
        CREATE TABLE devices (
            id TEXT PRIMARY KEY NOT NULL,
            node TEXT NOT NULL REFERENCES nodes (id) DEFERRABLE INITIALLY DEFERRED,
            profile TEXT NOT NULL,
            address TEXT NOT NULL CHECK (json_valid(address)),
            name_vi TEXT NOT NULL,
            name_en TEXT NOT NULL,
            asset TEXT,
            enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            configured INTEGER NOT NULL CHECK (configured IN (0, 1))
        ) STRICT;
        CREATE INDEX devices_node ON devices (node);
        CREATE TABLE points (
            id INTEGER PRIMARY KEY,
            device TEXT NOT NULL REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
            name TEXT NOT NULL,
            unit TEXT NOT NULL,
            title_vi TEXT NOT NULL,
            title_en TEXT NOT NULL,
            privacy TEXT NOT NULL CHECK (privacy IN ('none', 'hash', 'mask', 'drop')),
            configured INTEGER NOT NULL CHECK (configured IN (0, 1)),
            UNIQUE (device, name)
        ) STRICT;
        CREATE TABLE settings (
            key TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL CHECK (json_valid(value)),
            changed INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    private static let people = """
        CREATE TABLE users (
            name TEXT PRIMARY KEY NOT NULL,
            password TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('administrator', 'facility', 'lab', 'viewer')),
            created INTEGER NOT NULL,
            password_changed INTEGER NOT NULL,
            must_change INTEGER NOT NULL CHECK (must_change IN (0, 1)),
            disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
            language TEXT CHECK (language IN ('vi', 'en'))
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE sessions (
            id TEXT PRIMARY KEY NOT NULL,
            token_hash TEXT NOT NULL UNIQUE,
            user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
            csrf TEXT NOT NULL,
            source TEXT NOT NULL,
            created INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            expires INTEGER NOT NULL,
            language TEXT CHECK (language IN ('vi', 'en'))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX sessions_user ON sessions (user, created);
        CREATE TABLE api_tokens (
            id TEXT PRIMARY KEY NOT NULL,
            token_hash TEXT NOT NULL UNIQUE,
            role TEXT NOT NULL CHECK (role IN ('administrator', 'facility', 'lab', 'viewer')),
            label TEXT NOT NULL UNIQUE,
            created INTEGER NOT NULL,
            expires INTEGER,
            last_used INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE login_failures (
            kind TEXT NOT NULL CHECK (kind IN ('user', 'source')),
            subject TEXT NOT NULL,
            count INTEGER NOT NULL,
            last INTEGER NOT NULL,
            locked_until INTEGER,
            PRIMARY KEY (kind, subject)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX login_failures_last ON login_failures (last);
        """

    private static let audit = """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            detail TEXT NOT NULL CHECK (json_valid(detail))
        ) STRICT;
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'audit entries are never deleted'); END;
        CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
        WHEN NEW.id IS NOT NULL AND EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'audit entries are never replaced'); END;
        """

    private static let history = """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            device TEXT NOT NULL,
            node TEXT,
            name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('card', 'tag', 'button', 'other')),
            tick INTEGER NOT NULL,
            received INTEGER NOT NULL,
            sequence TEXT,
            content_hash TEXT NOT NULL,
            replay INTEGER NOT NULL CHECK (replay IN (0, 1)),
            fields TEXT NOT NULL CHECK (json_valid(fields)),
            personal TEXT CHECK (personal IS NULL OR json_valid(personal))
        ) STRICT;
        CREATE UNIQUE INDEX events_sequence ON events (device, name, sequence) WHERE sequence IS NOT NULL;
        CREATE INDEX events_content ON events (content_hash, tick);
        CREATE INDEX events_tick ON events (tick, id);
        CREATE INDEX events_device ON events (device, tick, id);
        CREATE INDEX events_node ON events (node, tick, id);
        CREATE TABLE summaries (
            period TEXT NOT NULL CHECK (period IN ('hour', 'day')),
            point INTEGER NOT NULL REFERENCES points (id),
            start INTEGER NOT NULL,
            node TEXT NOT NULL,
            unit TEXT NOT NULL,
            minimum REAL,
            maximum REAL,
            sum REAL NOT NULL,
            count INTEGER NOT NULL CHECK (count >= 0),
            bad_count INTEGER NOT NULL CHECK (bad_count >= 0),
            PRIMARY KEY (period, point, start)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX summaries_node ON summaries (period, node, start);
        CREATE TABLE summary_progress (
            period TEXT PRIMARY KEY NOT NULL CHECK (period IN ('hour', 'day')),
            complete_until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE summary_reopened (
            period TEXT NOT NULL CHECK (period IN ('hour', 'day')),
            start INTEGER NOT NULL,
            PRIMARY KEY (period, start)
        ) STRICT, WITHOUT ROWID;
        """
}
