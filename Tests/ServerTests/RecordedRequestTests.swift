import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDLegacy
import PDProtocol
import PDSecrets
import PDStore
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Recorded requests of version 1 peers")
struct RecordedRequestTests {
    private static let wire = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../vectors/v1/wire")

    /// What stricter reading makes of the recordings whose verdict was left open.
    private static let refusedThoughOpen: Set = [
        "submit_empty", "submit_dotted_keys", "submit_dotted_command",
    ]

    /// The statuses that the protocol's description names, where a recording only says that it must be refused.
    private static let statuses: [String: HTTPResponse.Status] = [
        "acknowledge_patch_bad_id": .badRequest, "pipe_create_no_auth": .unauthorized,
        "pipe_create_wrong_password": .unauthorized, "pipe_create_unknown_user": .unauthorized,
        "pipe_create_no_signature": .forbidden, "pipe_create_unknown_client": .notFound,
        "pipe_open_twice": .conflict, "pipe_client_send_garbage": .badRequest,
        "pipe_client_send_unaligned": .badRequest, "pipe_bad_peer_type": .notFound,
        "pipe_send_unknown": .notFound, "pipe_receive_unknown": .notFound, "pipe_close_unknown": .notFound,
        "pipe_close_no_signature": .forbidden, "get_submit": .methodNotAllowed,
        "get_update_camel": .methodNotAllowed, "unknown_endpoint": .notFound,
        "submit_no_fields": .badRequest, "submit_no_data": .badRequest, "submit_bad_json": .badRequest,
        "submit_as_json": .badRequest, "update_as_json": .badRequest,
        "submit_missing_signature": .forbidden, "update_missing_signature": .forbidden,
        "submit_expired_key": .forbidden, "update_server_key": .forbidden,
    ]

    /// What was recorded, in order.
    private struct Recorded: Sendable {
        let name: String
        let path: String
        let method: HTTPRequest.Method
        let headers: HTTPFields
        let body: ByteBuffer
        let data: String
        let mustRefuse: Bool?
        let originalAccepted: Bool
        let answer: String

        static func all(_ algorithm: String) throws -> [Recorded] {
            let file = wire.appending(path: "\(algorithm)/requests.json")
            let recorded = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
            return try #require(recorded as? [[String: Any]]).map {
                var headers = HTTPFields()
                for (key, value) in $0["request_headers"] as? [String: String] ?? [:] {
                    headers[try #require(HTTPField.Name(key))] = value
                }
                return Recorded(
                    name: try #require($0["name"] as? String), path: try #require($0["path"] as? String),
                    method: try #require(HTTPRequest.Method(rawValue: $0["method"] as? String ?? "")),
                    headers: headers, body: ByteBuffer(string: try #require($0["body"] as? String)),
                    data: $0["data"] as? String ?? "", mustRefuse: $0["must_refuse"] as? Bool,
                    originalAccepted: $0["original_accepted"] as? Bool ?? false,
                    answer: $0["original_body"] as? String ?? "")
            }
        }

        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(answer.utf8))) as? [String: Any] ?? [:]
        }

        /// A field of `data`.
        func field(_ name: String) throws -> String {
            let data = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
            return try #require(data?[name] as? String)
        }

        var isRefused: Bool {
            mustRefuse == true || refusedThoughOpen.contains(name) || statuses[name] != nil
        }
    }

    /// Hands out the pipe's identifier that was recorded, since requests are signed over it.
    private struct RecordedRandom: RandomSource, Sendable {
        let value: [UInt8]

        func fill(_ buffer: UnsafeMutableRawBufferPointer) { buffer.copyBytes(from: value) }
    }

    @Test("each request gets the answer that its recording says", arguments: ["rsa3072", "ed25519"])
    func all(algorithm: String) async throws {
        let folder = Self.wire.appending(path: algorithm)
        var names = ["client_pub.asc", "expired_pub.asc", "revoked_pub.asc"]
        if algorithm == "ed25519" { names.append("subkey_pub.asc") }
        let certificates = try names.map {
            try OpenPGP.Certificate(Array(Data(contentsOf: folder.appending(path: $0))))
        }
        let requests = try Recorded.all(algorithm)
        @Sendable func recorded(_ name: String) throws -> Recorded {
            try #require(requests.first { $0.name == name })
        }
        let pipe = try #require(recorded("pipe_create").json["pipe_id"] as? String)
        var options = FleetEndpoints.Options()
        options.pipes.hold = .zero
        options.pipeRandom = RecordedRandom(value: try #require([UInt8](hexadecimal: pipe)))
        options.pipeCreate = AccessRule(passwords: [
            "admin": [
                try PasswordHash(
                    password: SecretBytes(copying: "secret".utf8), rounds: 1000, random: SecureRandom())
            ]
        ])
        try await TestFleet.with(certificates: certificates) { fleet in
            let release = try recorded("update_out_of_date").json
            try PrivateFiles.makeDirectory(fleet.releases)
            try PrivateFiles.write(
                Array(try #require(release["update"] as? String).utf8),
                to: fleet.releases.appending(path: "\(try #require(release["current_release"])).tar.asc"))
            let host = try #require(Hostname("vec-\(algorithm)"))
            try await fleet.application(options: options).test(.router) { client in
                var (refused, accepted) = (0, 0)
                for request in requests {
                    let name = request.name
                    if name == "update_current_with_patches" {
                        for patch in try Self.patches(request, for: host) { try await fleet.store.add(patch) }
                    }
                    let before = try await fleet.store.hosts()
                    let response = try await client.executeRequest(
                        uri: request.path, method: request.method, headers: request.headers,
                        body: request.body)
                    let text = String(buffer: response.body)
                    if request.isRefused {
                        #expect((400..<500).contains(response.status.code), "\(name): \(response.status)")
                        if let status = Self.statuses[name] { #expect(response.status == status, "\(name)") }
                        #expect(try await fleet.store.hosts() == before, "\(name)")
                        refused += 1
                    } else if request.mustRefuse == false || request.originalAccepted {
                        #expect(response.status == .ok, "\(name): \(response.status)")
                        if request.json["data"] == nil {
                            #expect(text == request.answer, "\(name)")
                        }
                        accepted += 1
                    } else {
                        #expect(response.status.code < 500, "\(name): \(response.status)")
                    }
                    switch name {
                    case "acknowledge_patch_1", "acknowledge_patch_again":
                        let patch = try await fleet.store.order(try request.field("id"))
                        #expect(patch?.completedHosts == [host] && patch?.pendingHosts == [])
                    case "pipe_client_receive":
                        let key = try recorded("pipe_open")
                        #expect(try Self.firstPayload(text, key) == Array("ls\n".utf8))
                    case "pipe_server_receive":
                        let key = try recorded("pipe_create")
                        let sent = try recorded("pipe_client_send")
                        var client = try Self.decryptor(try recorded("pipe_open"))
                        let message = try #require(Data(base64Encoded: try sent.field("data")))
                        #expect(try Self.firstPayload(text, key) == Array(client.decrypt(Array(message))))
                    case "get_submit": #expect(response.headers[.allow] == "POST")
                    case "pipe_create_no_auth":
                        #expect(response.headers[.wwwAuthenticate] == "Basic realm=\"Login Required\"")
                    default: break
                    }
                }
                #expect(refused > 70 && accepted > 40, "\(refused) refused, \(accepted) accepted")
            }
        }
    }

    private static func patches(_ request: Recorded, for host: Hostname) throws -> [Order] {
        try #require(request.json["patches"] as? [[String: Any]]).enumerated().map { index, patch in
            Order(
                id: try #require(patch["id"] as? String), submittedAt: Int64(index),
                files: try #require(patch["files"] as? [[String: Any]]).map { file in
                    let content = try #require(Data(base64Encoded: file["content"] as? String ?? ""))
                    return Order.File(
                        path: try #require(file["path"] as? String),
                        mode: try #require(file["mode"] as? Int), content: Array(content))
                },
                pendingHosts: [host])
        }
    }

    private static func decryptor(_ request: Recorded) throws -> PipeCipherV1.Decryptor {
        try PipeCipherV1.Decryptor(
            key: SecretBytes(copying: try request.field("encryption_key").utf8),
            iv: SecretBytes(copying: try request.field("encryption_iv").utf8))
    }

    /// What an answer's `data` decrypts to at the end that sent `request`.
    private static func firstPayload(_ answer: String, _ request: Recorded) throws -> [UInt8] {
        let json = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
        let message = try #require(Data(base64Encoded: json?["data"] as? String ?? "-"))
        var decryptor = try decryptor(request)
        return Array(try decryptor.decrypt(Array(message)))
    }

    @Test("recorded answers to update are given again, byte for byte")
    func updateResponses() throws {
        let file = Self.wire.deletingLastPathComponent().appending(
            path: "update_responses/responses.json")
        let recorded = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        for response in try #require(recorded as? [[String: Any]]) {
            let text = try #require(response["body"] as? String)
            let json = try #require(
                JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let patches = try (json["patches"] as? [[String: Any]] ?? []).map { patch in
                V1.PendingPatch(
                    id: try #require(patch["id"] as? String),
                    files: try #require(patch["files"] as? [[String: Any]]).map { file in
                        let content = try #require(Data(base64Encoded: file["content"] as? String ?? ""))
                        return V1.PatchFile(
                            path: try #require(file["path"] as? String),
                            mode: try #require(file["mode"] as? Int), content: Array(content))
                    })
            }
            let release = (json["current_release"] as? Int).map(Int64.init)
            let message = (json["update"] as? String).flatMap {
                V1.UpdateAnswer.quoted(message: Array($0.utf8))
            }
            let (before, after) = V1.UpdateAnswer(currentRelease: release, patches: patches).json()
            #expect(String(decoding: before + (message ?? []) + after, as: UTF8.self) == text)
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

extension [UInt8] {
    fileprivate init?(hexadecimal text: String) {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}
