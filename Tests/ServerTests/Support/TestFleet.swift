import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import PDCrypto
import PDProtocol
import PDStore
import PDTestSupport
import ServiceLifecycle

@testable import PDFleet
@testable import PDServer

/// A fleet in a directory of its own, with a client key, for as long as a test runs.
struct TestFleet {
    let directory: URL
    let clientKey: OpenPGP.SecretKey
    let store: any FleetStore
    let log = CapturedLog()
    /// By which caches count.
    let clock = TestClock()

    /// Lends a fleet whose client keys are `certificates`, or one made for the test.
    static func with<Result>(
        certificates: [OpenPGP.Certificate]? = nil, _ body: (TestFleet) async throws -> Result
    ) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "pd-server-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let key = try OpenPGP.SecretKey.generate(userID: "test", at: .now(), validity: nil)
        let keys = directory.appending(path: "keys")
        try PrivateFiles.makeDirectory(keys)
        for certificate in certificates ?? [key.certificate] { _ = try RoleKeys.add(certificate, to: keys) }
        let store = try await SQLiteStore.open(path: directory.appending(path: "fleet.sqlite").path)
        let result = try await body(TestFleet(directory: directory, clientKey: key, store: store))
        try await store.close()
        return result
    }

    /// The application, with the clock that is given.
    func application(
        options: FleetEndpoints.Options = .init(), listener: Listener = .init(host: "127.0.0.1", port: 0),
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
    ) throws -> some ApplicationProtocol {
        try application(endpoints: endpoints(options: options, now: now), listener: listener)
    }

    /// What answers on all ports.
    func endpoints(
        options: FleetEndpoints.Options = .init(),
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
    ) throws -> FleetEndpoints {
        FleetEndpoints(
            store: store,
            clientKeys: try RoleKeys(
                directory: directory.appending(path: "keys"), clock: { [clock] in clock.now }),
            desk: KeyDesk(
                store: store, state: ServerState(directory: directory), logger: log.logger),
            releases: releases, options: options, now: now, logger: log.logger)
    }

    /// One port.
    func application(
        endpoints: FleetEndpoints, listener: Listener = .init(host: "127.0.0.1", port: 0)
    ) throws -> some ApplicationProtocol {
        FleetServer(endpoints: endpoints, listener: listener, logger: log.logger).application { _ in }
    }

    /// Serves one port as it is served in earnest, lends its number, and stops in order.
    func serving<Result: Sendable>(
        _ listener: Listener, endpoints: FleetEndpoints? = nil,
        connections: Int = ServerSettings.Limits.standardConnections,
        _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let (ports, port) = AsyncStream<Int>.makeStream()
        let server = FleetServer(
            endpoints: try endpoints ?? self.endpoints(), listener: listener, logger: log.logger,
            maximumConnections: connections)
        let group = ServiceGroup(
            configuration: .init(services: [server.application { port.yield($0) }], logger: log.logger))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let number = await iterator.next() ?? 0
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(number)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        return try result.get()
    }

    /// Where releases lie.
    var releases: URL { directory.appending(path: "releases") }

    /// The body of a `submit` request with this data, signed by the fleet's key.
    func signed(_ data: String) throws -> ByteBuffer {
        let bytes = Array(data.utf8)
        let signature = try OpenPGP.armored(
            signature: clientKey.signDetachedWithoutPurpose(bytes, at: .now()))
        return ByteBuffer(bytes: V1.Envelope(data: bytes, signature: Array(signature.utf8)).formBody())
    }
}

extension HTTPFields {
    static let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
}
