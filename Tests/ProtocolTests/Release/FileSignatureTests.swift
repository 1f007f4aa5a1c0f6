import Foundation
import PDCrypto
import Testing

@testable import PDProtocol

@Suite("Signatures of files for agents of version 1")
struct FileSignatureTests {
    private static let order = #"{"format":"penguindome-order-1","id":"0123456789abcdef01234567"}"#

    static let statements: [[UInt8]] =
        [
            order,
            #"{"format":"penguindome-release-1"}"#,
            #"{"format":"penguindome-whatever-comes-next-9","x":[1]}"#,
            " \n\t\r{ \"format\"\n:\t\"penguindome-order-1\" }\n",
            #"{"id":"0","files":[],"format":"penguindome-order-1"}"#,
            #"{"f\u006frmat":"\u0070enguindome-order-1"}"#,
            #"{"\u0066\u006F\u0072\u006d\u0061\u0074":"penguindome\u002dorder-1"}"#,
            "\u{feff}" + order,
        ].map { Array($0.utf8) }
        + [
            String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .utf32LittleEndian,
            .utf32BigEndian,
        ]
        .compactMap { order.data(using: $0).map(Array.init) }

    @Test(
        "p131_what has the form of a statement is not signed as a file, whatever its white space, order or encoding",
        arguments: statements)
    func statement(content: [UInt8]) throws {
        let key = try OpenPGP.SecretKey.generate(userID: "k", at: .init(1_700_000_000), validity: nil)
        #expect(throws: FileSignature.Refusal.self) {
            try FileSignature.make(of: content, by: key, at: .init(1_700_000_001))
        }
    }

    @Test(
        "anything else is signed, and says that it is a file",
        arguments: [
            "", "{}", "#!/bin/sh\n", #"{"format":"other"}"#, #"["format","penguindome-order-1"]"#,
            "the format is {\"format\":\"penguindome-order-1\"}",
        ])
    func file(text: String) throws {
        let key = try OpenPGP.SecretKey.generate(userID: "k", at: .init(1_700_000_000), validity: nil)
        let (content, now) = (Array(text.utf8), OpenPGP.Timestamp(1_700_000_001))
        let signature = try FileSignature.make(of: content, by: key, at: now)
        let verifier = OpenPGP.Verifier(certificates: [key.certificate])
        _ = try verifier.verify(signature: signature, of: content, for: .file, at: now)
        for purpose in Purpose.allCases where purpose != .file {
            #expect(throws: OpenPGP.Error.wrongPurpose(found: "file-1", wanted: purpose)) {
                try verifier.verify(signature: signature, of: content, for: purpose, at: now)
            }
        }
    }
}
