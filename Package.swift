// swift-tools-version: 6.2
import PackageDescription

// The manifest is the architecture: what a target may import is listed here and checked by
// `swift build --explicit-target-dependency-import-check error`.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func module(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    exclude: [String] = [],
    resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "_CryptoExtras", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioFoundationCompat: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "campus-gateway",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C: system libraries, each imported by exactly one Swift module.
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CModbus", pkgConfig: "libmodbus", providers: [.apt(["libmodbus-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // C: what Swift cannot say on Linux.
        .target(name: "CPlatform"),

        // Pure: no I/O.
        module("CampusModel"),
        module("StrictYAML", [yams]),
        module("DeviceProfile", ["CampusModel", "StrictYAML"]),
        module("FirmwareContract", ["CampusModel", "DeviceProfile", "StrictYAML"]),
        module("ProfileExchange", ["CampusModel", "DeviceProfile", "StrictYAML"]),
        module("SparkplugB", [protobuf], exclude: ["sparkplug_b.proto"]),
        module("AlertEngine", ["CampusModel"]),
        module("AlertRules", ["AlertEngine", "CampusModel", "StrictYAML"]),
        module(
            "SiteConfiguration",
            ["AlertRules", "CampusModel", "DeviceProfile", "FirmwareContract", "StrictYAML"]
        ),

        // Adapters: one outside thing each.
        module("TimeSeriesRing", ["CampusModel", "CPlatform"]),
        module("MQTTTransport", ["CMosquitto", logging, serviceLifecycle]),
        // Threads and patience, which every bus that blocks shares.
        module("BusThread"),
        module("ModbusTransport", ["BusThread", "CModbus", logging]),
        module("LineTransport", ["BusThread", "CPlatform", crypto]),

        // Engines: the work, without a socket.
        module("Acquisition", ["CampusModel", "DeviceProfile", "FirmwareContract", logging, serviceLifecycle]),
        module("Controls", ["CampusModel", "DeviceProfile", logging, serviceLifecycle]),
        module("Exporters", ["CampusModel", "SparkplugB", logging]),
        module("SchoolRecords", ["CampusModel", grdb, crypto, cryptoExtras]),
        module(
            "WebConsole",
            ["CZlib", "CampusModel", crypto, httpTypes, hummingbird, logging, mustache, nioCore, serviceLifecycle],
            resources: [.copy("Resources")]
        ),

        // Apps: wiring; they never import each other.
        module(
            "GatewayApp",
            [
                "Acquisition", "AlertEngine", "AlertRules", "BusThread", "CampusModel", "Controls", "DeviceProfile",
                "Exporters", "FirmwareContract", "LineTransport", "MQTTTransport", "ModbusTransport", "SchoolRecords",
                "SiteConfiguration", "SparkplugB", "StrictYAML", "TimeSeriesRing", "WebConsole", asyncHTTPClient,
                httpTypes, hummingbird, hummingbirdCore, hummingbirdTLS, logging, mustache, nioCore, nioHTTP1, nioSSL,
                serviceLifecycle, unixSignals,
            ],
            resources: [.copy("Resources")]
        ),
        module(
            "SimulatorApp",
            [
                "BusThread", "CampusModel", "DeviceProfile", "LineTransport", "MQTTTransport", "ModbusTransport",
                "SiteConfiguration", "SparkplugB", "StrictYAML",
                asyncHTTPClient, logging, nioCore, nioHTTP1, serviceLifecycle, unixSignals,
            ]
        ),
        module(
            "OperatorApp",
            [
                "AlertEngine", "AlertRules", "CampusModel", "DeviceProfile", "FirmwareContract", "MQTTTransport",
                "ProfileExchange", "SiteConfiguration", "StrictYAML", "TimeSeriesRing", argumentParser, asyncHTTPClient,
                logging, nioCore,
                nioFoundationCompat, nioHTTP1, nioSSL, serviceLifecycle,
            ]
        ),

        .executableTarget(
            name: "alert-benchmark",
            dependencies: ["AlertEngine", "CampusModel"],
            path: "Benchmarks/alert-benchmark",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ring-benchmark",
            dependencies: ["CampusModel", "TimeSeriesRing"],
            path: "Benchmarks/ring-benchmark",
            swiftSettings: settings
        ),

        executable("campus-gateway", ["GatewayApp", argumentParser, logging]),
        executable("campus-simulator", ["SimulatorApp", argumentParser, logging, serviceLifecycle, unixSignals]),
        executable("campusctl", ["OperatorApp"]),

        tests("CampusModelTests", ["CampusModel"]),
        tests("StrictYAMLTests", ["StrictYAML"]),
        tests("DeviceProfileTests", ["CampusModel", "DeviceProfile", "StrictYAML"]),
        tests("FirmwareContractTests", ["CampusModel", "DeviceProfile", "FirmwareContract", "StrictYAML"]),
        tests("AlertEngineTests", ["AlertEngine", "CampusModel"]),
        tests("AlertRulesTests", ["AlertEngine", "AlertRules", "CampusModel", "StrictYAML"]),
        tests("ProfileExchangeTests", ["CampusModel", "DeviceProfile", "ProfileExchange", "StrictYAML"]),
        tests("TimeSeriesRingTests", ["CampusModel", "TimeSeriesRing"]),
        tests("MQTTTransportTests", ["MQTTTransport", logging]),
        tests(
            "SiteConfigurationTests",
            ["AlertRules", "CampusModel", "DeviceProfile", "FirmwareContract", "SiteConfiguration", "StrictYAML"]
        ),
        tests("ModbusTransportTests", ["ModbusTransport"]),
        tests("LineTransportTests", ["LineTransport"]),
        tests(
            "AcquisitionTests",
            ["Acquisition", "CampusModel", "DeviceProfile", "FirmwareContract", "StrictYAML", logging]
        ),
        tests("ControlsTests", ["CampusModel", "Controls", "DeviceProfile", "StrictYAML", logging, serviceLifecycle]),
        tests(
            "IntegrationTests",
            [
                "Acquisition", "CampusModel", "DeviceProfile", "GatewayApp", "LineTransport", "MQTTTransport",
                "ModbusTransport",
                "SchoolRecords", "SiteConfiguration", "SparkplugB", "TimeSeriesRing", "campus-gateway",
                "campus-simulator",
                "campusctl", asyncHTTPClient, logging, nioCore,
                nioFoundationCompat, nioHTTP1, nioSSL,
            ]
        ),
        tests(
            "SimulatorAppTests",
            [
                "CampusModel", "DeviceProfile", "ModbusTransport", "SimulatorApp", "SiteConfiguration", "SparkplugB",
                "StrictYAML",
            ]
        ),
        tests("SparkplugBTests", ["SparkplugB"]),
        tests("ExportersTests", ["CampusModel", "Exporters", "SparkplugB", logging]),
        tests("SchoolRecordsTests", ["CampusModel", "SchoolRecords", grdb]),
        tests(
            "WebConsoleTests",
            [
                "CampusModel", "WebConsole", httpTypes, hummingbird, hummingbirdTesting, logging, nioCore,
                .product(name: "NIOEmbedded", package: "swift-nio"), serviceLifecycle,
            ]
        ),
    ]
)

// libFuzzer brings the main function of this one, so it is no part of the usual build: see Tests/Fuzz/run.
if Context.environment["CAMPUS_BUILD_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "campus-fuzz",
            dependencies: [
                "AlertEngine", "AlertRules", "CampusModel", "DeviceProfile", "FirmwareContract", "SiteConfiguration",
                "SparkplugB", "StrictYAML", "TimeSeriesRing",
            ],
            path: "Tests/Fuzz",
            exclude: ["run", "corpus"],
            swiftSettings: settings
        )
    )
}
