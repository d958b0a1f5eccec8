import Foundation
import GRDB
import Testing

@testable import SchoolRecords

@Suite struct SchemaTests {
    @Test func everyTableAndColumnIsDocumented() throws {
        let folder = try TemporaryFolder()
        let records = try Fixture.records(in: folder)
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/formats/records.md"), encoding: .utf8)
        let columns = try records.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT tables.name AS table_name, columns.name AS column_name
                    FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
                    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' AND tables.name NOT LIKE 'grdb_%'
                    """
            )
        }
        #expect(columns.count > 80)
        for row in columns {
            let table: String = row["table_name"]
            let column: String = row["column_name"]
            let section = try #require(page.components(separatedBy: "### `\(table)`").dropFirst().first, "\(table)")
            let body = section.components(separatedBy: "\n## ")[0].components(separatedBy: "\n### ")[0]
            #expect(body.contains("`\(column)`"), "\(table).\(column)")
        }
    }

    @Test func tablesRefuseValuesOfTheWrongType() throws {
        let folder = try TemporaryFolder()
        let records = try Fixture.records(in: folder)
        #expect(throws: RecordsError.self) {
            try records.write { db in
                try db.execute(
                    sql: "INSERT INTO audit (at, actor, action, subject, detail) VALUES ('soon', 'x', 'x', 'x', '{}')"
                )
            }
        }
    }
}
