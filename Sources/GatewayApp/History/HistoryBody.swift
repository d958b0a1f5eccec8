internal import CampusModel
internal import Hummingbird
internal import NIOCore
internal import TimeSeriesRing
internal import WebConsole

/// Answers with history: their bytes leave while they are made, as fast as the client takes them.
struct HistoryBody {
    let gateway: Gateway

    /// Begins an answer.
    ///
    /// - Throws: ``Problem`` when as many as there may be are under way.
    func response(_ query: HistoryRows.Query) throws -> Response {
        guard let place = self.gateway.historyLoad.place() else {
            throw Problem.unavailable(
                LocalizedText(
                    vi: "Đang gửi \(HistoryLoad.answersMax) bản lịch sử. Hãy thử lại sau ít giây.",
                    en: "\(HistoryLoad.answersMax) answers with history are under way. Try again in a few seconds."
                )
            )
        }
        let rows = Rows(query, ring: self.gateway.ring)
        let isTable =
            switch query.form {
            case .table, .pointTable: true
            default: false
            }
        return Response(
            status: .ok,
            headers: [.contentType: isTable ? "text/csv; charset=utf-8" : "application/json"],
            body: ResponseBody { writer in
                do {
                    try await Self.send(rows, to: &writer)
                } catch {
                    // The connection is closed without the end of the answer, which tells a client that is still there.
                    place.load.countAbandoned()
                    throw error
                }
                place.load.count(rows: rows.rowCount)
                try await writer.finish(nil)
            }
        )
    }

    private static func send(_ rows: Rows, to writer: inout any ResponseBodyWriter) async throws {
        while let piece = await HistoryWork.perform({ rows.piece() }) {
            if piece.readableBytes > 0 { try await writer.write(piece) }
            try Task.checkCancellation()
        }
    }

    /// The rows of one answer.
    private final class Rows: @unchecked Sendable {
        // @unchecked: one task makes one piece after the other.
        private var rows: HistoryRows

        init(_ query: HistoryRows.Query, ring: TimeSeriesRing) { self.rows = HistoryRows(query, ring: ring) }

        func piece() -> ByteBuffer? { self.rows.piece() }

        var rowCount: Int { self.rows.rowCount }
    }
}
