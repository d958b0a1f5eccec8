internal import CampusModel
internal import Foundation
internal import Hummingbird
internal import SchoolRecords
internal import WebConsole

/// What callers send, and what they hear when it cannot be done.
enum APIBody {
    /// The JSON body of a request.
    static func read<Body: Decodable>(
        _ type: Body.Type,
        _ request: Request,
        _ context: ConsoleContext
    ) async throws -> Body {
        let buffer = try await request.body.collect(upTo: context.maxUploadSize)
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch {
            throw APIRoutes.invalid("the body is not the JSON that /api/openapi.json describes")
        }
    }

    /// Errors of the gateway and the records are the caller's to read.
    static func asking<Result>(_ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch let error as GatewayError {
            throw Problem.invalid(error.text)
        } catch let error as RecordsError {
            throw self.problem(error)
        }
    }

    private static func problem(_ error: RecordsError) -> Problem {
        let detail = LocalizedText(vi: error.message, en: error.message)
        return switch error.code {
        case .notFound: .notFound(detail)
        case .alreadyExists:
            Problem(
                .conflict,
                code: "already-exists",
                title: LocalizedText(vi: "Đã có rồi", en: "It exists already"),
                detail: detail
            )
        case .busy, .storage, .closed: .unavailable(detail)
        default: .invalid(detail)
        }
    }
}
