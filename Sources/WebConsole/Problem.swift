package import CampusModel
internal import FoundationEssentials
package import HTTPTypes
package import Hummingbird

/// An error that the caller may read: a page for people, RFC 9457 problem+json for programs.
package struct Problem: HTTPResponseError {
    /// The HTTP status.
    package var status: HTTPResponse.Status
    /// A stable short word, such as `csrf-refused`; becomes the `type`.
    package var code: String
    /// What went wrong, in a few words.
    package var title: LocalizedText
    /// What exactly, and what to do.
    package var detail: LocalizedText
    /// Headers of the answer, such as Retry-After.
    package var headers: HTTPFields

    package init(
        _ status: HTTPResponse.Status,
        code: String,
        title: LocalizedText,
        detail: LocalizedText,
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.headers = headers
    }

    /// The problem+json answer.
    package func response(from request: Request, context: some RequestContext) -> Response {
        let language = (context as? ConsoleContext)?.language ?? .vi
        return self.jsonResponse(path: request.path, language: language)
    }

    func jsonResponse(path: String, language: Language) -> Response {
        let document = Document(
            type: "urn:campus-gateway:problem:\(self.code)",
            title: self.title.text(in: language),
            status: self.status.code,
            detail: self.detail.text(in: language),
            instance: path
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = (try? encoder.encode(document)) ?? Data("{}".utf8)
        var headers = self.headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return Response(status: self.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    private struct Document: Encodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var instance: String
    }
}

extension Problem {
    /// 404.
    package static var notFound: Problem {
        Problem(
            .notFound,
            code: "not-found",
            title: LocalizedText(vi: "Không tìm thấy", en: "Not found"),
            detail: LocalizedText(
                vi: "Địa chỉ này không có ở đây. Hãy kiểm tra lại hoặc quay về trang đầu.",
                en: "Nothing is at this address. Check it, or go back to the first page."
            )
        )
    }

    /// 404, saying what there is none of.
    package static func notFound(_ detail: LocalizedText) -> Problem {
        var problem = Problem.notFound
        problem.detail = detail
        return problem
    }

    /// 401: the caller is unknown.
    package static var unauthenticated: Problem {
        Problem(
            .unauthorized,
            code: "unauthenticated",
            title: LocalizedText(vi: "Cần đăng nhập", en: "Log in first"),
            detail: LocalizedText(
                vi: "Gửi mã truy cập trong đầu mục Authorization: Bearer, hoặc đăng nhập bằng trình duyệt.",
                en: "Send a token in the header Authorization: Bearer, or log in with a browser."
            ),
            headers: [.wwwAuthenticate: "Bearer"]
        )
    }

    /// 403: the session's password has to be changed first.
    static var passwordChangeNeeded: Problem {
        Problem(
            .forbidden,
            code: "password-change-needed",
            title: LocalizedText(vi: "Cần đổi mật khẩu", en: "Change the password first"),
            detail: LocalizedText(
                vi: "Mật khẩu này do người khác tạo. Mở trang /password và chọn mật khẩu của riêng bạn.",
                en: "Somebody else made this password. Open the page /password and choose one of your own."
            )
        )
    }

    /// 403: the caller's role is too low.
    package static func forbidden(needs role: ConsoleRole) -> Problem {
        Problem(
            .forbidden,
            code: "role-refused",
            title: LocalizedText(vi: "Không đủ quyền", en: "Not allowed"),
            detail: LocalizedText(
                vi: "Việc này cần vai trò “\(role.rawValue)”. Hãy hỏi quản trị viên của trường.",
                en: "This needs the role “\(role.rawValue)”. Ask the school's administrator."
            )
        )
    }

    /// 403: the request may come from another site.
    package static var crossSite: Problem {
        Problem(
            .forbidden,
            code: "csrf-refused",
            title: LocalizedText(vi: "Yêu cầu bị từ chối", en: "Request refused"),
            detail: LocalizedText(
                vi: "Không chắc yêu cầu đến từ trang này. Hãy tải lại trang rồi gửi lại.",
                en: "It is not certain that this came from our own page. Reload the page and send it again."
            )
        )
    }

    /// 413.
    package static func tooLarge(bytesMax: Int) -> Problem {
        Problem(
            .contentTooLarge,
            code: "body-too-large",
            title: LocalizedText(vi: "Dữ liệu quá lớn", en: "Too large"),
            detail: LocalizedText(
                vi: "Nội dung gửi lên tối đa \(bytesMax) byte.",
                en: "The body of a request may hold at most \(bytesMax) bytes."
            )
        )
    }

    /// 429.
    package static func tooMany(retryAfterSeconds: Int) -> Problem {
        Problem(
            .tooManyRequests,
            code: "too-many-requests",
            title: LocalizedText(vi: "Quá nhiều lần thử", en: "Too many attempts"),
            detail: LocalizedText(
                vi: "Hãy thử lại sau \(retryAfterSeconds) giây.",
                en: "Try again in \(retryAfterSeconds) seconds."
            ),
            headers: [.retryAfter: String(retryAfterSeconds)]
        )
    }

    /// 503: a store or a stream cannot serve now.
    package static func unavailable(_ detail: LocalizedText, retryAfterSeconds: Int = 5) -> Problem {
        Problem(
            .serviceUnavailable,
            code: "unavailable",
            title: LocalizedText(vi: "Tạm thời chưa phục vụ được", en: "Not available now"),
            detail: detail,
            headers: [.retryAfter: String(retryAfterSeconds)]
        )
    }

    /// 400 with what is wrong with the request.
    package static func invalid(_ detail: LocalizedText, code: String = "invalid-request") -> Problem {
        Problem(
            .badRequest,
            code: code,
            title: LocalizedText(vi: "Yêu cầu không hợp lệ", en: "Invalid request"),
            detail: detail
        )
    }

    /// 500 that tells nothing but the number to look for in the log.
    static func internalError(requestID: String) -> Problem {
        Problem(
            .internalServerError,
            code: "internal-error",
            title: LocalizedText(vi: "Lỗi bên trong", en: "Internal error"),
            detail: LocalizedText(
                vi: "Đã ghi vào nhật ký với số \(requestID).",
                en: "The log has the reason under the number \(requestID)."
            )
        )
    }

    /// What an error becomes for the caller; nothing of an unknown one is shown.
    static func from(_ error: any Error, requestID: String) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as any HTTPResponseError where error.status.code < 500:
            if error.status == .notFound { return .notFound }
            let detail = (error as? HTTPError)?.body ?? error.status.reasonPhrase
            return Problem(
                error.status,
                code: "http-\(error.status.code)",
                title: LocalizedText(vi: "Yêu cầu không thành", en: error.status.reasonPhrase),
                detail: LocalizedText(vi: detail, en: detail),
                headers: (error as? HTTPError)?.headers ?? [:]
            )
        default:
            return .internalError(requestID: requestID)
        }
    }
}
