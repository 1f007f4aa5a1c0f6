// swift-tools-version: 6.2
import PackageDescription

// Somebody else's package: it knows the core's products by their public names alone. run.sh adds the examples of the
// documentation to its sources, and builds and runs it.
let package = Package(
    name: "outsider",
    dependencies: [.package(name: "penguindome", path: "core")],
    targets: [
        .executableTarget(
            name: "outsider",
            dependencies: ["PDSecrets", "PDCrypto", "PDShamir", "PDShareFiles"].map {
                .product(name: $0, package: "penguindome")
            })
    ])
