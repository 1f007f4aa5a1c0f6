import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDProtocol
import PDStore
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Releases that the server hands out")
struct ReleaseTests {
    private static let download = "/penguindome/v1/download_release"

    /// A tar with one entry.
    private static func tar(
        _ name: String, _ content: [UInt8], prefix: String = "", type: String = "0"
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        put(name, at: 0)
        put("0000644\0", at: 100)
        put(type, at: 156)
        put(prefix, at: 345)
        let size = String(content.count, radix: 8)
        put(String(repeating: "0", count: 11 - size.count) + size, at: 124)
        put("ustar\u{0}00", at: 257)
        let padding = [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        return header + content + padding + [UInt8](repeating: 0, count: 1024)
    }

    private static func put(_ bytes: [UInt8], _ name: String, _ fleet: TestFleet) throws {
        try PrivateFiles.makeDirectory(fleet.releases)
        try PrivateFiles.write(bytes, to: fleet.releases.appending(path: name))
    }

    private static func fetch(
        _ client: some TestClientProtocol, _ method: HTTPRequest.Method = .get
    ) async throws -> TestResponse {
        try await client.executeRequest(uri: download, method: method, headers: [:], body: nil)
    }

    @Test("the newest tar is handed out whole, under its name, and HEAD tells its size alone")
    func newest() async throws {
        try await TestFleet.with { fleet in
            let large = Self.tar("client/big", [UInt8](repeating: 7, count: 700_001))
            try Self.put(Self.tar("client/a", [1]), "9.tar", fleet)
            try Self.put(large, "1717286400.tar", fleet)
            for name in [
                "01717286401.tar", "-5.tar", "1717286402.tar.asc", "99999999999999999999.tar", "x.tar",
            ] {
                try Self.put([0], name, fleet)
            }
            try await fleet.application().test(.live) { client in
                let response = try await Self.fetch(client)
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "application/tar")
                #expect(response.headers[.contentDisposition] == "attachment; filename=1717286400.tar")
                #expect(Array(response.body.readableBytesView) == large)
                let head = try await Self.fetch(client, .head)
                #expect(head.status == .ok && head.body.readableBytes == 0)
                #expect(head.headers[.contentLength] == "\(large.count)")
                let post = try await Self.fetch(client, .post)
                #expect(post.status == .methodNotAllowed && post.headers[.allow] == "GET, HEAD")
            }
        }
    }

    @Test("a recorded release is handed out as it is")
    func recorded() async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../vectors/v1/release/ed25519")
        try await TestFleet.with { fleet in
            for name in ["1717286400.tar", "1717286400.tar.asc"] {
                try Self.put(Array(Data(contentsOf: folder.appending(path: name))), name, fleet)
            }
            try await fleet.application().test(.router) { client in
                let response = try await Self.fetch(client)
                #expect(
                    Data(response.body.readableBytesView)
                        == (try Data(contentsOf: folder.appending(path: "1717286400.tar"))))
                for (old, status) in [
                    ("1", "out-of-date"), ("1717286400", "current"), ("\"0\"", "out-of-date"),
                ] {
                    let update = try await client.executeRequest(
                        uri: "/PenguinDome/v1/update", method: .post, headers: .form,
                        body: try fleet.signed(#"{"hostname": "h", "old_release": \#(old)}"#))
                    let answer = try JSONSerialization.jsonObject(with: Data(update.body.readableBytesView))
                    let json = try #require(answer as? [String: Any])
                    #expect(json["status"] as? String == status)
                    if status != "current" {
                        let message = try String(
                            contentsOf: folder.appending(path: "1717286400.tar.asc"), encoding: .utf8)
                        #expect(json["update"] as? String == message)
                        #expect(json["current_release"] as? Int == 1_717_286_400)
                    }
                }
            }
        }
    }

    @Test(
        "p115_a release that is a link, has a second name, is no tar, or holds a secret key is not handed out",
        arguments: [
            "link", "hard link", "pipe", "directory", "text", "armored key", "binary key", "ssh key",
            "keyring", "keyring in a long path", "keyring in a long path of GNU tar", "second entry",
            "lying size",
        ])
    func p115_secrets(kind: String) async throws {
        try await TestFleet.with { fleet in
            try PrivateFiles.makeDirectory(fleet.releases)
            let path = fleet.releases.appending(path: "5.tar").path
            let secret = fleet.directory.appending(path: "secret")
            let armored = fleet.clientKey.armored().withUnsafeBytes { Array($0) }
            try PrivateFiles.write(Self.tar("a", [1]), to: secret)
            let good = Self.tar("a", [1]).dropLast(1024)
            switch kind {
            case "link": #expect(symlink(secret.path, path) == 0)
            case "hard link": #expect(link(secret.path, path) == 0)
            case "pipe": #expect(mkfifo(path, 0o600) == 0)
            case "directory": #expect(mkdir(path, 0o700) == 0)
            case "text":
                try Self.put(Array("not a tar".utf8) + [UInt8](repeating: 1, count: 600), "5.tar", fleet)
            case "armored key": try Self.put(Self.tar("client/notes.txt", armored), "5.tar", fleet)
            case "binary key":
                let binary = try OpenPGP.Armor.unwrap(armored, kind: .secretKey, limit: 1 << 16)
                try Self.put(
                    Self.tar("client/key", [UInt8](repeating: 1, count: 5000) + binary), "5.tar", fleet)
            case "ssh key":
                let key = Array(
                    "text\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAA\n"
                        .utf8)
                try Self.put(Self.tar("client/id", key), "5.tar", fleet)
            case "keyring": try Self.put(Self.tar("gpg/private-keys-v1.d/x.key", [1]), "5.tar", fleet)
            case "keyring in a long path":
                try Self.put(Self.tar("x.key", [1], prefix: "gpg/private-keys-v1.d"), "5.tar", fleet)
            case "keyring in a long path of GNU tar":
                let path = Array("gpg/private-keys-v1.d/x.key\0".utf8)
                let name = Self.tar("././@LongLink", path, type: "L").dropLast(1024)
                try Self.put(name + Self.tar("gpg/private", [1]), "5.tar", fleet)
            case "second entry": try Self.put(good + Self.tar("client/notes.txt", armored), "5.tar", fleet)
            default:
                var lie = Self.tar("a", [1])
                lie.replaceSubrange(124..<135, with: "77777777777".utf8)
                try Self.put(lie, "5.tar", fleet)
            }
            try await fleet.application().test(.live) { client in
                let response = try await Self.fetch(client)
                #expect(response.status == .serviceUnavailable, "\(response.status)")
                #expect(fleet.log.lines.contains { $0.contains("status=503") })
            }
        }
    }

    @Test(
        "p115_a release that is replaced under its number is looked through again", arguments: [true, false])
    func p115_replaced(inPlace: Bool) async throws {
        try await TestFleet.with { fleet in
            try Self.put(Self.tar("client/notes.txt", Array("harmless".utf8)), "5.tar", fleet)
            try Self.put(Array("x".utf8), "5.manifest.sig", fleet)
            let shelf = ReleaseShelf(directory: fleet.releases)
            #expect(try shelf.newestArchive() != nil)
            #expect(try shelf.piece(of: 5, at: 0) != nil)
            let secret = Self.tar("client/notes.txt", fleet.clientKey.armored().withUnsafeBytes { Array($0) })
            if inPlace {
                try Data(secret).write(to: fleet.releases.appending(path: "5.tar"))
            } else {
                try Self.put(secret, "5.tar", fleet)
            }
            #expect(throws: StateError.self) { try shelf.newestArchive() }
            #expect(throws: StateError.self) { try shelf.piece(of: 5, at: 0) }
        }
    }

    @Test("a message that is replaced under its number is read again")
    func replacedMessage() async throws {
        try await TestFleet.with { fleet in
            let messages = ReleaseMessages(ReleaseShelf(directory: fleet.releases))
            for text in ["one", "another"] {
                let message = "-----BEGIN PGP MESSAGE-----\n\n\(text)\n-----END PGP MESSAGE-----\n"
                try Self.put(Array(message.utf8), "5.tar.asc", fleet)
                let read = try #require(try messages.newest(after: 0))
                #expect(String(buffer: read.quoted).contains(text))
            }
        }
    }

    @Test("a message that is not armored is not put into an answer")
    func notArmored() async throws {
        try await TestFleet.with { fleet in
            try Self.put([0xFF, 0x00], "5.tar.asc", fleet)
            try await fleet.application().test(.router) { client in
                let update = try await client.executeRequest(
                    uri: "/penguindome/v1/update", method: .post, headers: .form,
                    body: try fleet.signed(#"{"hostname": "h", "old_release": 0}"#))
                #expect(update.status == .serviceUnavailable)
            }
        }
    }

    @Test(
        "p108_what is no text or no number in a request for updates and patches is refused with 400",
        arguments: [
            ("update", #"{"hostname": "h"}"#), ("update", #"{"hostname": {"$gt": ""}, "old_release": 0}"#),
            ("update", #"{"hostname": "h", "old_release": {"$gt": 0}}"#),
            ("update", #"{"hostname": "h", "old_release": -1}"#),
            ("update", #"{"hostname": "h", "old_release": 1.5}"#),
            ("update", #"{"hostname": "h", "old_release": "1e3"}"#),
            ("update", #"{"hostname": "h", "old_release": ""}"#),
            ("update", #"{"hostname": "h", "old_release": "99999999999999999999"}"#),
            ("update", #"{"hostname": "h", "old_release": null}"#),
            ("acknowledge_patch", #"{"hostname": "h", "id": {"$ne": ""}}"#),
            ("acknowledge_patch", #"{"hostname": "h", "id": ["6b03acd960f4fed8054a4d29"]}"#),
            ("acknowledge_patch", #"{"hostname": "h", "id": "6b03acd960f4fed8054a4d2"}"#),
            ("acknowledge_patch", #"{"hostname": "h", "id": "6b03acd960f4fed8054a4d2g"}"#),
            ("acknowledge_patch", #"{"id": "6b03acd960f4fed8054a4d29"}"#),
            ("server_pipe/client/open", #"{"hostname": "h", "pipe_id": {"$gt": ""}}"#),
            ("server_pipe/client/close", #"{"pipe_id": 5}"#),
        ])
    func p108_types(endpoint: String, data: String) async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                let response = try await client.executeRequest(
                    uri: "/penguindome/v1/\(endpoint)", method: .post, headers: .form,
                    body: try fleet.signed(data))
                #expect(response.status == .badRequest)
            }
        }
    }

    @Test("p107_a host gets its own patches alone, and who acknowledges what is told in the log")
    func p107_patches() async throws {
        let id = "6b03acd960f4fed8054a4d29"
        let (mine, other) = (try #require(Hostname("mine")), try #require(Hostname("other")))
        try await TestFleet.with { fleet in
            let file = Order.File(path: "client/x", mode: 0o644, content: Array("x".utf8))
            try await fleet.store.add(Order(id: id, submittedAt: 1, files: [file], pendingHosts: [mine]))
            try await fleet.application().test(.router) { client in
                func post(_ endpoint: String, _ data: String) async throws -> String {
                    let response = try await client.executeRequest(
                        uri: "/penguindome/v1/\(endpoint)", method: .post, headers: .form,
                        body: try fleet.signed(data))
                    return String(buffer: response.body)
                }
                let nothing = try await post("update", #"{"hostname": "other", "old_release": 0}"#)
                #expect(nothing == #"{"status": "current"}"#)
                #expect(try await post("update", #"{"hostname": "mine", "old_release": 0}"#).contains(id))
                #expect(
                    try await post("acknowledge_patch", #"{"hostname": "other", "id": "\#(id)"}"#) == "ok")
                #expect(try await fleet.store.order(id)?.pendingHosts == [mine])
                #expect(
                    fleet.log.lines.contains { $0.contains("not pending") && $0.contains("host=\(other)") })
                #expect(
                    try await post(
                        "acknowledge_patch", #"{"hostname": "mine", "id": "\#(id.uppercased())"}"#) == "ok")
                #expect(try await fleet.store.order(id)?.completedHosts == [mine])
            }
        }
    }
}
