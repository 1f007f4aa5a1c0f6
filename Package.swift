// swift-tools-version: 6.2
import PackageDescription

// The security core stands alone: with PENGUINDOME_CORE_ONLY set, this manifest describes only the rooms that a
// reviewer audits (`make audit`), and resolves no dependency at all.
let coreOnly = Context.environment["PENGUINDOME_CORE_ONLY"] != nil

let package = Package(name: "penguindome")

// MARK: - The security core

package.targets += [
    .systemLibrary(
        name: "CGcrypt", path: "Sources/CShims/CGcrypt", pkgConfig: "libgcrypt",
        providers: [.apt(["libgcrypt20-dev", "libgpg-error-dev"])]),
    .target(name: "PDSecrets", path: "Sources/Secrets"),
    .target(name: "PDShamir", dependencies: ["PDSecrets"], path: "Sources/Shamir"),
    .target(name: "PDCrypto", dependencies: ["PDSecrets", "CGcrypt"], path: "Sources/Crypto"),
    // What version 1 needs and nobody else should use.
    .target(name: "PDLegacy", dependencies: ["PDSecrets", "PDCrypto", "CGcrypt"], path: "Sources/Legacy"),
    .testTarget(name: "SecretsTests", dependencies: ["PDSecrets"], path: "Tests/SecretsTests"),
    .testTarget(
        name: "ShamirTests", dependencies: ["PDSecrets", "PDShamir", "PDCrypto", "CGcrypt"],
        path: "Tests/ShamirTests"),
    .testTarget(
        name: "CryptoTests", dependencies: ["PDSecrets", "PDCrypto", "PDLegacy", "CGcrypt"],
        path: "Tests/CryptoTests"),
]
package.products += [
    .library(name: "PDSecrets", targets: ["PDSecrets"]),
    .library(name: "PDShamir", targets: ["PDShamir"]),
    .library(name: "PDCrypto", targets: ["PDCrypto"]),
]

// MARK: - Everything else

if !coreOnly {
    package.dependencies += [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its reader of configuration, which brings a package of its own.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ]
    package.products.append(.library(name: "PDShareFiles", targets: ["PDShareFiles"]))
    package.targets += [
        .systemLibrary(
            name: "CGPGME", path: "Sources/CShims/CGPGME", pkgConfig: "gpgme",
            providers: [.apt(["libgpgme-dev"])]),
        .systemLibrary(name: "CLinux", path: "Sources/CShims/CLinux"),
        .systemLibrary(
            name: "CMongoC", path: "Sources/CShims/CMongoC", pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"])]),
        .systemLibrary(
            name: "COpenSSL", path: "Sources/CShims/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CYAML", path: "Sources/CShims/CYAML", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(
            name: "CCurl", path: "Sources/CShims/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CPCRE2", path: "Sources/CShims/CPCRE2", pkgConfig: "libpcre2-8",
            providers: [.apt(["libpcre2-dev"])]),
        .target(name: "PDGnuPG", dependencies: ["CGPGME", "PDSecrets", "PDCrypto"], path: "Sources/GnuPG"),
        .target(
            name: "CBuildStamp", path: "Sources/CShims/CBuildStamp",
            cSettings: ["PENGUINDOME_COMMIT", "PENGUINDOME_DATE"].compactMap { name in
                Context.environment[name].map { .define(name, to: "\"\($0)\"") }
            }),
        .target(name: "PDBasics", dependencies: ["CBuildStamp", "CLinux"], path: "Sources/Basics"),
        .testTarget(
            name: "BasicsTests", dependencies: ["PDTestSupport", "PDBasics"], path: "Tests/BasicsTests"),
        .target(name: "PDDocument", path: "Sources/Document"),
        .target(name: "PDFiles", dependencies: ["PDSecrets"], path: "Sources/Files"),
        .target(
            name: "PDSettings", dependencies: ["CYAML", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Settings"),
        .target(
            name: "PDLogs",
            dependencies: [
                "PDBasics", "PDDocument", "PDFiles", "PDSettings",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Logs"),
        .testTarget(
            name: "LogsTests", dependencies: ["PDLogs", "PDFiles", "PDSettings"], path: "Tests/LogsTests"),
        .target(
            name: "PDProtocol", dependencies: ["PDSecrets", "PDCrypto", "PDDocument"],
            path: "Sources/Protocol"),
        .target(name: "PDQuery", dependencies: ["PDBasics", "PDDocument", "CPCRE2"], path: "Sources/Query"),
        .target(name: "CMongoCounters", path: "Sources/CShims/CMongoCounters"),
        .target(
            name: "PDStore",
            dependencies: [
                "PDBasics", "PDProtocol", "PDDocument", "PDCrypto", "PDQuery", "CMongoC", "CMongoCounters",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/Store"),
        .target(
            name: "PDFleet",
            dependencies: [
                "PDBasics", "PDStore", "PDQuery", "PDProtocol", "PDLegacy", "PDSecrets", "PDCrypto",
                "PDDocument", "PDLogs",
                "PDSettings", "PDFiles", "COpenSSL", "CCurl",
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/Fleet", resources: [.embedInCode("Resources/checks.yml")]),
        .target(
            name: "PDServer",
            dependencies: [
                "PDBasics", "PDFleet", "PDStore", "PDQuery", "PDProtocol", "PDSecrets", "PDLegacy",
                "PDCrypto",
                "PDDocument",
                "PDSettings", "CLinux",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], path: "Sources/Server"),
        .target(
            name: "PDClient",
            dependencies: [
                "PDBasics", "PDProtocol", "PDSecrets", "PDCrypto", "PDDocument", "PDFiles", "PDLogs",
                "PDQuery",
                "PDSettings", "CCurl", "CLinux",
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/Client"),
        .target(
            name: "PDPluginKit", dependencies: ["PDDocument", "PDFiles"], path: "Sources/PluginKit"),
        .executableTarget(
            name: "pd-plugin",
            dependencies: [
                "PDPluginKit", "PDClient", "PDBasics", "PDDocument", "PDFiles", "PDToolSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Sources/Tools/pd-plugin"),
        .executableTarget(
            name: "pd-agent",
            dependencies: [
                "PDBasics", "PDClient", "PDDocument", "PDFiles", "PDToolSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], path: "Sources/Tools/pd-agent"),
        .executableTarget(
            name: "pd-release",
            dependencies: [
                "PDBasics", "PDToolSupport", "PDCrypto", "PDLegacy", "PDDocument", "PDFiles", "PDGnuPG",
                "PDProtocol",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Sources/Tools/pd-release"),
        .target(
            name: "PDShareFiles", dependencies: ["PDShamir", "PDSecrets", "PDCrypto"],
            path: "Sources/ShareFiles", resources: [.embedInCode("Resources/recover.py")]),
        .executableTarget(
            name: "pd-shares",
            dependencies: [
                "PDBasics", "PDShareFiles", "PDShamir", "PDSecrets", "PDCrypto",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Sources/Tools/pd-shares"),
        .testTarget(
            name: "SharesToolTests",
            dependencies: [
                "PDTestSupport", "PDShareFiles", "PDShamir", "PDSecrets", "PDCrypto", "pd-shares",
            ],
            path: "Tests/SharesToolTests"),
        .testTarget(
            name: "ShareFilesTests",
            dependencies: [
                "PDTestSupport", "PDShareFiles", "PDShamir", "PDSecrets", "PDCrypto", "pd-shares",
            ],
            path: "Tests/ShareFilesTests", exclude: ["Scripts"]),
        .target(
            name: "PDToolSupport",
            dependencies: [
                "PDBasics", "PDCrypto", "PDFiles",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Tools/Support"),
        .target(
            name: "PDServerToolSupport",
            dependencies: ["PDToolSupport", "PDFleet", "PDSettings", "PDStore"],
            path: "Sources/Tools/ServerSupport"),
        .executableTarget(
            name: "pd-server",
            dependencies: [
                "PDBasics", "PDServer", "PDFleet", "PDFiles", "PDServerToolSupport", "PDToolSupport",
                "PDCrypto",
                "PDLogs", "PDSettings",
                "PDStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Tools/pd-server"),
        .executableTarget(
            name: "pd-admin",
            dependencies: [
                "PDBasics", "PDFleet", "PDServerToolSupport", "PDToolSupport", "PDSecrets", "PDLegacy",
                "PDCrypto",
                "PDDocument",
                "PDFiles",
                "PDProtocol", "PDGnuPG", "PDSettings", "PDStore", "PDQuery",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Tools/pd-admin"),
        .testTarget(
            name: "ToolsTests",
            dependencies: [
                "PDTestSupport", "pd-server", "pd-agent", "pd-admin", "pd-release", "pd-shares", "PDCrypto",
                "PDDocument",
                "PDProtocol",
            ], path: "Tests/ToolsTests"),
        .testTarget(
            name: "ShimsTests",
            dependencies: ["CGcrypt", "CGPGME", "CMongoC", "COpenSSL", "CCurl", "CYAML", "CPCRE2"],
            path: "Tests/ShimsTests"),
        .testTarget(
            name: "GnuPGTests", dependencies: ["PDTestSupport", "PDGnuPG", "PDSecrets", "PDCrypto"],
            path: "Tests/GnuPGTests"),
        .testTarget(
            name: "PrimitivesDifferentialTests",
            dependencies: ["PDSecrets", "PDCrypto", .product(name: "Crypto", package: "swift-crypto")],
            path: "Tests/PrimitivesDifferentialTests"),
        .executableTarget(
            name: "crypto-benchmark", dependencies: ["PDSecrets", "PDLegacy", "PDCrypto", "CGcrypt"],
            path: "Benchmarks/crypto"),
        .testTarget(
            name: "DocumentTests", dependencies: ["PDDocument", "CMongoC"], path: "Tests/DocumentTests"),
        .testTarget(
            name: "QueryTests", dependencies: ["PDTestSupport", "PDQuery", "PDBasics", "PDDocument"],
            path: "Tests/QueryTests"),
        .testTarget(name: "FilesTests", dependencies: ["PDFiles"], path: "Tests/FilesTests"),
        .testTarget(
            name: "SettingsTests", dependencies: ["PDSettings"], path: "Tests/SettingsTests"),
        .testTarget(
            name: "ProtocolTests", dependencies: ["PDTestSupport", "PDProtocol", "PDDocument", "PDCrypto"],
            path: "Tests/ProtocolTests"),
        .executableTarget(
            name: "submit-benchmark", dependencies: ["PDProtocol", "PDCrypto", "PDDocument"],
            path: "Benchmarks/submit"),
        .executableTarget(
            name: "document-benchmark", dependencies: ["PDDocument", "CMongoC"], path: "Benchmarks/document"),
        .executableTarget(
            name: "store-benchmark", dependencies: ["PDFleet", "PDStore", "PDProtocol", "PDDocument"],
            path: "Benchmarks/store"),
        .executableTarget(
            name: "store-crash-child", dependencies: ["PDStore", "PDQuery", "PDProtocol", "PDDocument"],
            path: "Tests/Support/StoreCrashChild"),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "PDTestSupport", "PDBasics", "PDStore", "PDQuery", "PDProtocol", "PDDocument",
                "store-crash-child",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], path: "Tests/StoreTests"),
        .target(
            name: "PDTestSupport",
            dependencies: [
                "CLinux", "PDCrypto", "PDDocument", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Support/TestSupport"),
        .testTarget(
            name: "FleetTests",
            dependencies: [
                "PDTestSupport", "PDBasics", "PDLogs", "PDFleet", "PDStore", "PDQuery", "PDProtocol",
                "PDDocument",
                "PDSecrets",
                "PDLegacy", "PDCrypto",
                "PDSettings",
            ],
            path: "Tests/FleetTests"),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "PDTestSupport", "PDBasics", "PDServer", "PDFleet", "PDStore", "PDQuery", "PDProtocol",
                "PDDocument",
                "PDSecrets",
                "PDLegacy", "PDCrypto",
                "PDSettings",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ], path: "Tests/ServerTests"),
        .executableTarget(
            name: "hostile-collectors", dependencies: ["PDClient", "PDDocument"],
            path: "Tests/Support/HostileCollectors"),
        .testTarget(
            name: "ClientTests",
            dependencies: [
                "PDClient", "PDBasics", "PDSecrets", "PDCrypto", "PDDocument", "PDFiles", "PDLogs",
                "PDProtocol",
                "hostile-collectors", "pd-agent", "pd-plugin", "PDPluginKit",
            ],
            path: "Tests/ClientTests", exclude: ["Machines"]),
    ]
}

// MARK: - A part of the tree

// PENGUINDOME_ONLY names targets ("ClientTests pd-agent"): they and what they need are all that is left to build.
if let only = Context.environment["PENGUINDOME_ONLY"] {
    let byName = Dictionary(uniqueKeysWithValues: package.targets.map { ($0.name, $0) })
    var wanted: Set<String> = []
    func want(_ name: String) {
        guard let target = byName[name], wanted.insert(name).inserted else { return }
        for dependency in target.dependencies {
            if case .byNameItem(let name, _) = dependency { want(name) }
        }
    }
    only.split(separator: " ").forEach { want(String($0)) }
    package.targets.removeAll { !wanted.contains($0.name) }
    package.products.removeAll { !wanted.contains($0.name) }
}
