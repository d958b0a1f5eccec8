internal import WebConsole

/// The description of the API that is served at `/api/openapi.json`.
enum OpenAPIDocument {
    /// The document from the module's resources; read once at start.
    static func load() throws -> [UInt8] {
        guard let bytes = try ResourceFolder(module: "GatewayApp").file("openapi.json") else {
            throw GatewayError("openapi.json is missing from the resources")
        }
        return Array(bytes)
    }
}
