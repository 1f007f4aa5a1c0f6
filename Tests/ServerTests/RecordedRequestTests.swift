import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDProtocol
import Testing

@testable import PDServer

@Suite("Recorded requests of version 1 peers")
struct RecordedRequestTests {
    private static let wire = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../vectors/v1/wire")

    /// What stricter reading makes of the recordings whose verdict was left open.
    private static let refusedThoughOpen: Set = [
        "submit_empty", "submit_dotted_keys", "submit_dotted_command",
    ]

    private struct Recorded: Sendable {
        let name: String
        let method: HTTPRequest.Method
        let headers: HTTPFields
        let body: ByteBuffer
        let mustRefuse: Bool?
        let originalAccepted: Bool
    }

    private static func submissions(in file: URL) throws -> [Recorded] {
        let recorded = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        return try #require(recorded as? [[String: Any]]).filter { $0["path"] as? String == V1.submitPath }
            .map {
                var headers = HTTPFields()
                for (key, value) in $0["request_headers"] as? [String: String] ?? [:] {
                    headers[try #require(HTTPField.Name(key))] = value
                }
                return Recorded(
                    name: try #require($0["name"] as? String),
                    method: try #require(HTTPRequest.Method(rawValue: $0["method"] as? String ?? "")),
                    headers: headers,
                    body: ByteBuffer(string: try #require($0["body"] as? String)),
                    mustRefuse: $0["must_refuse"] as? Bool,
                    originalAccepted: $0["original_accepted"] as? Bool ?? false)
            }
    }

    @Test("each submission is accepted or refused as its recording says", arguments: ["rsa3072", "ed25519"])
    func submissions(algorithm: String) async throws {
        let folder = Self.wire.appending(path: algorithm)
        var names = ["client_pub.asc", "expired_pub.asc", "revoked_pub.asc"]
        if algorithm == "ed25519" { names.append("subkey_pub.asc") }
        let certificates = try names.map {
            try OpenPGP.Certificate(Array(Data(contentsOf: folder.appending(path: $0))))
        }
        let requests = try Self.submissions(in: folder.appending(path: "requests.json"))
        try await TestFleet.with(certificates: certificates) { fleet in
            try await fleet.application().test(.router) { client in
                var refused = 0
                var accepted = 0
                for request in requests {
                    let name = request.name
                    let before = try await fleet.store.hosts()
                    let response = try await client.executeRequest(
                        uri: V1.submitPath, method: request.method, headers: request.headers,
                        body: request.body)
                    if request.mustRefuse == true || Self.refusedThoughOpen.contains(name)
                        || request.method == .get
                    {
                        #expect((400..<500).contains(response.status.code), "\(name): \(response.status)")
                        #expect(try await fleet.store.hosts() == before, "\(name)")
                        refused += 1
                    } else if request.mustRefuse == false || request.originalAccepted {
                        #expect(response.status == .ok, "\(name): \(response.status)")
                        #expect(String(buffer: response.body) == "ok", "\(name)")
                        accepted += 1
                    }
                }
                #expect(refused > 25 && accepted > 10, "\(refused) refused, \(accepted) accepted")
            }
        }
    }

    @Test("no value of a refused submission reaches the log", arguments: ["rsa3072", "ed25519"])
    func nothingPrivateInTheLog(algorithm: String) async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                let body = try fleet.signed(
                    #"{"hostname": "h", "plugins": {"geo": {"place": "Hidden Street 5"}}"#)
                let response = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: body)
                #expect(response.status == .badRequest)
            }
            #expect(fleet.log.lines.count { $0.contains("status=400") } == 1)
            #expect(!fleet.log.lines.contains { $0.contains("Hidden") })
        }
    }
}
