import Foundation
import PDDocument
import Testing

@testable import PDProtocol

@Suite("The data of a submit request")
struct SubmissionTests {
    private func read(_ text: String) throws -> V1.Submission { try V1.Submission(json: Array(text.utf8)) }

    @Test("host, time and results are read, unknown fields are left alone")
    func reading() throws {
        let submission = try read(
            #"""
            {"hostname": "a-b_c.example", "collected_at": "2024-06-02T00:00:00+00:00", "new": [1],
             "plugins": {"x": {"seen_at": "2024-06-01T12:34:56.789012+00:00"}}, "commands": {"c": {"output": "o"}}}
            """#)
        #expect(submission.hostname.name == "a-b_c.example")
        #expect(submission.collectedAt == 1_717_286_400_000)
        #expect(submission.plugins?[["x", "seen_at"]] == .date(milliseconds: 1_717_245_296_789))
        #expect(submission.commands?[["c", "output"]] == "o")
    }

    @Test("what is written is read back as the same submission")
    func roundTrip() throws {
        let hostname = try #require(Hostname("h"))
        let submission = V1.Submission(
            hostname: hostname, collectedAt: 1_717_286_400_123,
            plugins: ["p": ["list": [1, "é"], "none": nil]],
            commands: nil)
        #expect(try V1.Submission(json: submission.json()) == submission)
    }

    @Test(
        "a submission that is not one is refused by the field at fault",
        arguments: [
            (#"{"plugins": {}}"#, ProtocolError.missingField("hostname")),
            (#"{"hostname": "h"}"#, .badField("data", reason: "has neither plugins nor commands")),
            (#"{"hostname": "h", "plugins": "string"}"#, .badField("plugins", reason: "is not an object")),
            (#"{"hostname": "h", "plugins": [1]}"#, .badField("plugins", reason: "is not an object")),
            (#"{"hostname": "h", "commands": 1}"#, .badField("commands", reason: "is not an object")),
            (#"{"hostname": 5, "plugins": {}}"#, .badField("hostname", reason: "is not text")),
            (
                #"{"hostname": "h", "plugins": {}, "collected_at": "x"}"#,
                .badField("collected_at", reason: "is not a timestamp")
            ),
            (
                #"{"hostname": "h", "plugins": {}, "collected_at": 5}"#,
                .badField("collected_at", reason: "is not a timestamp")
            ),
            ("[1]", .malformedJSON(JSONError(reason: .notAnObject, offset: 0))),
            (#"{"hostname": "h""#, .malformedJSON(JSONError(reason: .endsEarly, offset: 16))),
        ])
    func refused(text: String, error: ProtocolError) {
        #expect(throws: error) { try read(text) }
    }

    @Test(
        "a host name is one, or the submission is refused",
        arguments: [
            "", String(repeating: "a", count: 300), String(repeating: "a", count: 65), "../../x", "a/b",
            "a..b", ".a",
            "a.", "-a", "a-", "a b", "a\nb", "a\0", "é", "a;b", "$a", "a:b", "*",
        ])
    func hostnames(name: String) throws {
        #expect(Hostname(name) == nil)
        let data = Document([("hostname", .string(name)), ("plugins", .document([:]))]).json()
        #expect(throws: ProtocolError.badField("hostname", reason: "is not a host name")) { try read(data) }
    }

    @Test("a host may have the longest name that Linux lets it have")
    func longestHostname() {
        #expect(Hostname(String(repeating: "a", count: 64)) != nil)
    }

    @Test("p108_an object where the host name belongs is refused")
    func objectAsHostname() {
        #expect(throws: ProtocolError.badField("hostname", reason: "is not text")) {
            try read(#"{"hostname": {"$gt": ""}, "plugins": {}}"#)
        }
    }

    @Test(
        "p109_dots, dollar signs and control characters in the names of plugins and commands are refused",
        arguments: ["a.b", "$a", "", "a\\u0000", "a\\n", "\\u202ea", "\\u001b[31m"])
    func resultNames(name: String) {
        for field in ["plugins", "commands"] {
            #expect(throws: ProtocolError.self) {
                try read(#"{"hostname": "h", "\#(field)": {"\#(name)": 1}}"#)
            }
        }
    }

    @Test("a version 1 host has the same identifier everywhere, and a UUID of version 8")
    func identifiers() throws {
        let id = HostID(v1: try #require(Hostname("vec-rsa3072")))
        #expect(id == HostID(v1: try #require(Hostname("vec-rsa3072"))))
        #expect(id != HostID(v1: try #require(Hostname("vec-rsa3073"))))
        #expect(HostID(id.text) == id)
        let text = Array(id.text)
        #expect(text[14] == "8" && "89ab".contains(text[19]))
        #expect(HostID("not-a-uuid") == nil && HostID(id.text.uppercased()) == nil)
    }

    @Test(
        "the recorded submissions are read or refused as their recording says",
        arguments: ["rsa3072", "ed25519"])
    func recorded(algorithm: String) throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../vectors/v1/wire/\(algorithm)/requests.json")
        let requests = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
        // Well formed but refused for their signature are all the others.
        let malformed: Set = [
            "submit_bad_json", "submit_no_hostname", "submit_plugins_not_object", "submit_json_array",
            "submit_no_fields", "submit_no_data", "submit_as_json", "submit_empty", "submit_dotted_keys",
            "submit_dotted_command", "submit_invalid_utf8", "get_submit",
        ]
        var read = 0
        for request in requests where request["path"] as? String == V1.submitPath {
            let name = try #require(request["name"] as? String)
            let headers = request["request_headers"] as? [String: String]
            let body = Array(try #require(request["body"] as? String).utf8)
            let result = Result { () throws -> V1.Submission in
                try V1.Submission(json: V1.Envelope(body: body, contentType: headers?["Content-Type"]).data)
            }
            if malformed.contains(name) {
                #expect(throws: ProtocolError.self, "\(name)") { try result.get() }
            } else {
                #expect(throws: Never.self, "\(name)") { try result.get() }
                read += 1
            }
        }
        #expect(read >= 30)
    }
}
